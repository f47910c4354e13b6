"""What `endplate decide` does: weigh, write, tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.case.care import Care, next_questions, weigh
from endplate.cli.assess import left_alone
from endplate.cli.exit_codes import Output
from endplate.cli.terminal import plain, say, say_table
from endplate.decision.prevention.cautions import LIST as DRUG_LIST
from endplate.decision.prevention.taken_now import TAKEN
from endplate.decision.verdict.verdict import Verdict
from endplate.finding import Finding
from endplate.level import parse_level
from endplate.patient import read_record
from endplate.report.care.alarm import alarms
from endplate.report.care.caution import cautions, technique_lines
from endplate.report.care.document import document
from endplate.report.care.matrix import Row, matrix
from endplate.report.care.words import STATUS_WORDS, missing_words

if TYPE_CHECKING:
    pass

FIRST = 5
"""Questions that the terminal shows; the report has the rest."""


def run_decide(
    case: Path | None,
    record: Path,
    out: Path | None,
    levels: list[str] | None,
    talk: Output,
) -> dict[str, Any]:
    """Weigh a record, and the findings of a case when given; write the pages and documents.

    Raises
    ------
    InputError : anything given that cannot be used; nothing is left half-written.
    """
    document_alone = case if case is not None and case.is_file() else None
    folder = out or (case if document_alone is None else document_alone.parent)
    inputs = [path for path in (record, document_alone) if path is not None]
    care, findings = weighed(case, record, levels)
    paths: dict[str, Path] = {}
    if folder is not None:
        # What is only printed needs none of the drawing libraries.
        from endplate.report.care.write import write_care

        paths = write_care(care, findings, folder, case, inputs)
    if talk.for_people:
        print_emergencies(care)
        print_care(care)
        _say_paths(paths)
    kept = [] if folder is None else left_alone(folder, talk)
    written = {name: str(path.resolve()) for name, path in paths.items()}
    answer = {"paths": written, "kept": kept}
    # What would change each verdict is sought for programs and files only: it is most of the work.
    return answer | {"decision": document(care)} if talk.json else answer


def _say_paths(paths: dict[str, Path]) -> None:
    width = max(map(len, paths), default=0)
    for name, path in paths.items():
        say(f"{name:<{width}}  {path.resolve()}")


def weighed(case: Path | None, record: Path, levels: list[str] | None) -> tuple[Care, tuple[Finding, ...]]:
    """Record and case read and weighed."""

    stated = read_record(record)
    if case is None:
        return weigh(stated, (), [parse_level(level) for level in levels or ()]), ()
    # Only a case brings the types of a scan, whose libraries take most of a second to load.
    from endplate.report.read_document import findings_of, read_document

    findings = findings_of(read_document(case, stated.id))
    return weigh(stated, findings, [parse_level(level) for level in levels or ()]), findings


def print_emergencies(care: Care) -> None:
    """Emergencies, certain and possible, then cautions and technique; they come before all else that is printed."""
    for alarm in alarms(care.decision):
        if alarm.certainty == "certain":
            say(f"! EMERGENCY, {alarm.where}: {alarm.words}. {alarm.action}.", style="bold", wrap=True)
        elif alarm.certainty == "possible":
            words = f"{alarm.words}. Ask now for: {alarm.ask}. Until it is excluded: {alarm.action}."
            say(f"! POSSIBLE EMERGENCY, {alarm.where}: {words}", style="bold", wrap=True)
        else:
            words = f"{alarm.words}. Ask for: {alarm.ask}."
            say(f"? Emergency not excluded, {alarm.where}: {words}", wrap=True)
    for caution in cautions(care.decision):
        text = f"! {caution.title}, {caution.where}: {caution.words}. {caution.action}. Here: {caution.because}."
        say(text, style="bold" if caution.kind == "red" else None, wrap=True)
    for line in technique_lines(care.decision):
        say(f"Technique, {line.where}: {line.text}", wrap=True)


def _short(answer: str) -> str:
    """An answer without the words that its status has said already."""
    return answer.removeprefix("not applicable: ")


def _cell(verdict: Verdict) -> str:
    """A verdict in a few words: what to ask for where it is open, else status and answer."""
    if verdict.status == "indeterminate" and verdict.missing:
        return f"indeterminate; ask for: {missing_words(verdict.missing[:2])}"
    word = STATUS_WORDS[verdict.status] if verdict.applies else "not applicable"
    answer = _short(verdict.answer)
    return word if answer == word else f"{word}: {answer}"


def print_care(care: Care) -> None:
    """One table of verdicts for each question, who does not speak and why, then the next step of prevention."""
    if not care.decision.levels:
        say("No level is known to be fractured; no rule set can be asked.", wrap=True)
    silent: dict[str, list[str]] = {}
    for block in matrix(care.decision):
        rows = [row for row in block.rows if any(verdict.applies for verdict in row.verdicts)]
        for row in block.rows:
            if row not in rows:
                reasons = dict.fromkeys(_short(verdict.answer) for verdict in row.verdicts)
                silent.setdefault("; ".join(reasons), []).append(row.title)
        if rows:
            _print_block(block.question, rows, [level.level for level in care.decision.levels])
    for reason, titles in silent.items():
        say(f"Not applicable ({reason}): {'; '.join(titles)}.", wrap=True)
    _print_questions(care)
    for caution in care.prevention.cautions:
        if caution.source == DRUG_LIST or TAKEN in caution.text:
            say(f"! {caution.text}", wrap=True)
    say(f"Prevention: {care.prevention.next_step}", wrap=True)


def _print_block(question: str, rows: list[Row], levels: list[str]) -> None:
    """One table: rule sets by levels."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, title=question, title_justify="left")
    table.add_column("Rule set")
    for level in levels:
        table.add_column(level)
    for row in rows:
        table.add_row(*map(plain, (row.title, *map(_cell, row.verdicts))))
    say_table(table, markup=False)


def _print_questions(care: Care) -> None:
    """The answers to ask for next."""
    questions = next_questions(care, FIRST)
    if questions:
        say(
            f"Ask next; how many of the {questions[0].open_verdicts} open verdicts an answer settles on average, "
            "with those above it:",
            wrap=True,
        )
    for place, one in enumerate(questions, start=1):
        say(f"  {place}. {one.title} ({one.who}): {_about(one.settled_so_far)}", wrap=True)


def _about(verdicts: float) -> str:
    """A mean number of verdicts in words."""
    return f"{verdicts:.0f}" if verdicts >= 1 else "less than 1"

"""What `endplate decide` does: weigh, write, tell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.case.care import Care, next_questions, weigh
from endplate.cli.exit_codes import Output
from endplate.cli.follow.actions import named
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import read_record
from endplate.report.care.alarm import alarms
from endplate.report.care.caution import cautions, technique_lines
from endplate.report.care.document import document
from endplate.report.care.matrix import matrix
from endplate.report.care.words import STATUS_WORDS, missing_words
from endplate.report.care.write import write_care
from endplate.report.read_document import findings_of, read_document

if TYPE_CHECKING:
    from rich.console import Console

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
    InputError : anything given that cannot be used; files already written stay as they were.
    """
    care, findings = weighed(case, record, levels)
    folder = out or (case.parent if case is not None and case.is_file() else case)
    paths = {} if folder is None else write_care(care, findings, folder, case)
    if talk.for_people:
        print_emergencies(care)
        print_care(care)
        for name, path in paths.items():
            sys.stdout.write(f"{name:<13} {path.resolve()}\n")
    return {"paths": {name: str(path.resolve()) for name, path in paths.items()}, "decision": document(care)}


def weighed(case: Path | None, record: Path, levels: list[str] | None) -> tuple[Care, tuple[Finding, ...]]:
    """Record and case read and weighed."""

    told = read_record(record)
    findings = findings_of(read_document(case, told.id)) if case is not None else ()
    return weigh(told, findings, [Level(named(level)) for level in levels or ()]), findings


def print_emergencies(care: Care) -> None:
    """Emergencies, certain and possible, then cautions and technique; they come before all else that is printed."""
    from rich.console import Console

    console = Console(highlight=False)
    for alarm in alarms(care.decision):
        if alarm.certainty == "certain":
            console.print(f"! EMERGENCY, {alarm.where}: {alarm.words}. {alarm.action}.", markup=False, style="bold")
        elif alarm.certainty == "possible":
            told = f"{alarm.words}. Ask now for: {alarm.ask}. Until it is excluded: {alarm.action}."
            console.print(f"! POSSIBLE EMERGENCY, {alarm.where}: {told}", markup=False, style="bold")
        else:
            told = f"{alarm.words}. Ask for: {alarm.ask}."
            console.print(f"? Emergency not excluded, {alarm.where}: {told}", markup=False)
    for caution in cautions(care.decision):
        text = f"! {caution.title}, {caution.where}: {caution.words}. {caution.action}. Here: {caution.because}."
        console.print(text, markup=False, style="bold" if caution.kind == "red" else None)
    for line in technique_lines(care.decision):
        console.print(f"Technique, {line.where}: {line.text}", markup=False)


def _short(answer: str) -> str:
    """An answer without the words that its status has said already."""
    return answer.removeprefix("not applicable: ")


def print_care(care: Care) -> None:
    """One table of verdicts for each question, then the next step of prevention."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not care.decision.levels:
        console.print("No level is known to be fractured; no rule set can be asked.", markup=False)
    for block in matrix(care.decision):
        table = Table(box=SIMPLE_HEAD, title=block.question, title_justify="left")
        table.add_column("Rule set")
        for level in care.decision.levels:
            table.add_column(level.level)
        for row in block.rows:
            cells = []
            for verdict in row.verdicts:
                if verdict.status == "indeterminate" and verdict.missing:
                    cells.append(f"indeterminate; ask for: {missing_words(verdict.missing[:2])}")
                else:
                    word = STATUS_WORDS[verdict.status] if verdict.applies else "not applicable"
                    cells.append(f"{word}: {_short(verdict.answer)}")
            table.add_row(row.title, *cells)
        console.print(table)
    _print_questions(care, console)
    console.print(f"Prevention: {care.prevention.next_step}", markup=False)


def _print_questions(care: Care, console: Console) -> None:
    """The answers to ask for next."""
    questions = next_questions(care)
    if questions:
        console.print(f"Ask next; verdicts still indeterminate: {questions[0].open_verdicts}", markup=False)
    for place, one in enumerate(questions[:FIRST], start=1):
        settles = f"settles {one.settles:.1f}, with those above {one.settled_so_far:.0f} of {one.open_verdicts}"
        console.print(f"  {place}. {one.title} ({one.who}): {settles}", markup=False)

"""The summary on the terminal: the sentences of the report and one line a level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from endplate.case import Case
from endplate.case.assess import NO_CT
from endplate.cli.terminal import say, say_table
from endplate.finding import Caution
from endplate.level import Level
from endplate.report.phrase import BUILT, NOTE, band_of, caution_words, levels_listed, polished, unit_of, value_of
from endplate.report.summary import Index, indexed, summarise
from endplate.report.table import missing

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = {
    "Grade": "genant_grade",
    "Height loss": "height_loss",
    "Fracture": "fracture",
    "Density": "trabecular_density",
    "Fails at": "failure_load",
    "Linear estimate": "failure_load_linear",
}
"""What fits a terminal of 80 columns; the report has the rest."""


def print_summary(case: Case, paths: Mapping[str, Path], again: str = "") -> None:
    """Print the summary, a table of levels and where the results are.

    `again` is a command to show as the next thing to try.
    """
    for sentence in summarise(case):
        say(f"• {_plain(sentence.text)}", wrap=True)
    for caution in case.cautions:
        say(_caution(caution), wrap=True)
    lacking = len(missing(replace(case, gaps=tuple(gap for gap in case.gaps if gap.reason != NO_CT))))
    if lacking:
        reasons = "one reason" if lacking == 1 else f"{lacking} reasons"
        say(f"• Some things could not be measured, for {reasons} that the report names.", wrap=True)
    say()
    say_table(_table(case))
    say()
    names = {"Report": "html", "Data": "json", "Volumes": "nifti", "DICOM": "dicom"}
    for name, kind in names.items():
        if kind in paths:
            say(f"{name:<8} {paths[kind].resolve()}")
    if again:
        say()
        say(f"Try it on files: {again}")


def _table(case: Case) -> Table:
    """One row a level; a column appears when at least one level has it, its unit in the head, the band below."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    index = indexed(case)
    units = {finding.code: unit_of(finding) for finding in case.findings}
    left_out = "failure_load_linear" if "failure_load" in units else ""
    held = {title: code for title, code in COLUMNS.items() if code in units and code != left_out}
    worst = {reading.level: reading.worst or "" for reading in case.fractures}
    table = Table(box=SIMPLE_HEAD)
    for title in ("Level", *held):
        unit = units.get(held.get(title, ""), "")
        table.add_column(f"{title}\n[not bold dim]{unit}[/]" if unit else title, no_wrap=True)
    for level in [vertebra.level for vertebra in case.spine.vertebrae] if case.spine else []:
        table.add_row(str(level), *(_cell(index, code, level, worst.get(level, "")) for code in held.values()))
    return table


def _cell(index: Index, code: str, level: Level, worst: str) -> str:
    """A value with its band below; a grade with its shape, a loss with the height that lost it."""
    finding = index.get((code, level))
    if finding is None:
        return "–"
    shape = index.get(("deformity_shape", level))
    kinds = {
        "genant_grade": str(shape.value) if shape is not None and shape.value != "none" else "",
        "height_loss": worst,
    }
    kind = kinds.get(code, "")
    band = band_of(finding)
    return f"{value_of(finding)} {kind}".rstrip() + (f"\n[dim]{band}[/dim]" if band else "")


def _caution(caution: Caution) -> str:
    """A caution in a line: notes and truth without the mark of a problem."""
    sign = {NOTE: "•", BUILT: "="}.get(caution.code, "!")
    where = levels_listed([caution.level])
    place = "" if caution.level is None and caution.code == BUILT else f"{where[:1].upper()}{where[1:]}: "
    words = _plain(caution_words(caution))
    return f"{sign} {place}{words}" if place else f"{sign} {words[:1].upper()}{words[1:]}"


def _plain(text: str) -> str:
    """Polished text without the thin spaces, at which a terminal would break a number."""
    return polished(text).replace("\u202f", "")

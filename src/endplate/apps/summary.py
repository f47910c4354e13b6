"""The summary on the terminal: the sentences of the report and one line a level."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from endplate.case import Case
from endplate.level import Level
from endplate.report.phrase import band_of, levels_listed, polished, unit_of, value_of
from endplate.report.summary import Index, indexed, summarise

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = {
    "Grade": "genant_grade",
    "Height loss": "height_loss",
    "Fracture": "fracture",
    "Density": "trabecular_density",
    "Fails at": "failure_load",
}
"""What fits a terminal of 80 columns; the report has the rest."""


def print_summary(case: Case, paths: Mapping[str, Path], again: str = "") -> None:
    """Print the summary, a table of levels and where the results are.

    `again` is a command to show as the next thing to try.
    """
    from rich.console import Console

    console = Console(highlight=False)
    for sentence in summarise(case):
        console.print(f"• {_plain(sentence.text)}", markup=False)
    for caution in case.cautions:
        where = levels_listed([caution.level])
        console.print(f"! {where[:1].upper()}{where[1:]}: {_plain(caution.text)}", markup=False)
    if case.gaps:
        console.print(f"• {len(case.gaps)} things could not be measured; the report says which and why.", markup=False)
    console.print()
    console.print(_table(case))
    console.print()
    for name, path in (("Report", paths.get("html")), ("Data", paths.get("json")), ("Volumes", paths.get("nifti"))):
        if path is not None:
            console.print(f"{name:<8} {path.resolve()}", markup=False, soft_wrap=True)
    if again:
        console.print(f"\nTry it on files: {again}", markup=False, soft_wrap=True)


def _table(case: Case) -> Table:
    """One row a level; a column appears when at least one level has it, its unit in the head, the band below."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    index = indexed(case)
    units = {finding.code: unit_of(finding) for finding in case.findings}
    held = {title: code for title, code in COLUMNS.items() if code in units}
    table = Table(box=SIMPLE_HEAD)
    for title in ("Level", *held):
        unit = units.get(held.get(title, ""), "")
        table.add_column(f"{title}\n[not bold dim]{unit}[/]" if unit else title, no_wrap=True)
    for level in [vertebra.level for vertebra in case.spine.vertebrae] if case.spine else []:
        table.add_row(str(level), *(_cell(index, code, level) for code in held.values()))
    return table


def _cell(index: Index, code: str, level: Level) -> str:
    finding = index.get((code, level))
    if finding is None:
        return "–"
    shape = index.get(("deformity_shape", level)) if code == "genant_grade" else None
    kind = f" {shape.value}" if shape is not None and shape.value != "none" else ""
    band = band_of(finding)
    return f"{value_of(finding)}{kind}" + (f"\n[dim]{band}[/dim]" if band else "")


def _plain(text: str) -> str:
    """Polished text without the thin spaces, at which a terminal would break a number."""
    return polished(text).replace("\u202f", "")

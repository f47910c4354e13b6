"""The summary on the terminal: the sentences of the report and one line a level."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from endplate.case import Case
from endplate.level import Level
from endplate.report.phrase import band_of, levels_listed, unit_of, value_of
from endplate.report.summary import Index, indexed, summarise

COLUMNS = {
    "Grade": "genant_grade",
    "Shape": "deformity_shape",
    "Height loss": "height_loss",
    "Fracture": "fracture",
    "Density": "trabecular_density",
    "Stiffness": "stiffness",
    "Fails at": "failure_load",
}


def print_summary(case: Case, paths: Mapping[str, Path], again: str = "") -> None:
    """Print the summary, a table of levels and where the results are.

    `again` is a command to show as the next thing to try.
    """
    from rich.console import Console

    console = Console(highlight=False)
    for sentence in summarise(case):
        console.print(f"• {sentence.text}", markup=False)
    for caution in case.cautions:
        where = levels_listed([caution.level])
        console.print(f"! {where}: {caution.text}", markup=False)
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


def _table(case: Case) -> object:
    """One row a level; a column appears when at least one level has it."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    index = indexed(case)
    held = {title: code for title, code in COLUMNS.items() if any(name == code for name, _ in index)}
    table = Table("Level", *held, box=SIMPLE_HEAD)
    levels = [vertebra.level for vertebra in case.spine.vertebrae] if case.spine else []
    for level in levels:
        table.add_row(str(level), *(_cell(index, code, level) for code in held.values()))
    return table


def _cell(index: Index, code: str, level: Level) -> str:
    finding = index.get((code, level))
    if finding is None:
        return "–"
    band = band_of(finding)
    unit = unit_of(finding)
    return f"{value_of(finding)}{' ' if unit else ''}{unit}" + (f"  [dim]({band})[/dim]" if band else "")

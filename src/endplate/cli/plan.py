"""What `endplate plan` does: the whole path, one report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.assess import check_paths, labels_of, read_given, told
from endplate.cli.exit_codes import Output
from endplate.cli.options import InputOptions, ModelOptions
from endplate.cli.progress import Tell, progress_bars
from endplate.cli.rehearse_options import RepairOptions, UnknownOptions
from endplate.errors import OptionError

if TYPE_CHECKING:
    from endplate.case import Case
    from endplate.case.plan import PlanSettings


def run_plan(
    ct: Path | None,
    out: Path,
    given: InputOptions,
    repair: RepairOptions,
    unknown: UnknownOptions,
    model: ModelOptions,
    talk: Output,
) -> dict[str, Any]:
    """Measure, rehearse what matters, weigh, and write one report; returns what `--json` prints.

    Raises
    ------
    InputError : anything given that cannot be used; nothing is left half-written.
    """
    check_paths(ct, given)
    if given.record is None:
        raise OptionError("no --record given", "advice is about a patient", "make one with `endplate record new`")
    from endplate.patient import read_record
    from endplate.report.folder import check_writable

    read_record(given.record)  # told before minutes of work
    settings = plan_settings(repair, unknown, model)
    check_writable(out)
    with progress_bars(talk.progress) as tell, labels_of(ct, given, tell) as labels:
        case = read_given(ct, labels, given, tell)
        case, paths = plan_and_write(case, settings, out, tell)
    if talk.for_people:
        print_plan(case, paths)
    return told(case, paths)


def plan_settings(repair: RepairOptions, unknown: UnknownOptions, model: ModelOptions) -> PlanSettings:
    """Settings of every part; a level that is named is rehearsed, otherwise the fractured ones are.

    Without mechanics nothing is rehearsed.
    """
    from dataclasses import replace

    from endplate.case.plan import PlanSettings
    from endplate.case.rehearse import RehearseSettings, named_level
    from endplate.cli.rehearse import rehearse_settings
    from endplate.cli.settings import assess_settings

    if model.no_mechanics:
        return PlanSettings(rehearse=RehearseSettings(assess=assess_settings(model)), repairs=False)
    levels = (named_level(repair.level),) if repair.level else ()
    any_level = replace(repair, level=repair.level or "L1")  # the option is only checked for being there
    return PlanSettings(rehearse=rehearse_settings(any_level, unknown, model), levels=levels)


def plan_and_write(
    case: Case, settings: PlanSettings, out: Path, tell: Tell, annotate: Callable[[Case], Case] | None = None
) -> tuple[Case, dict[str, Path]]:
    """Plan a case and write its report, with decision, bundle and aid beside it; `annotate` may add to it first."""
    from endplate.case.plan import plan
    from endplate.report.care.write import write_documents
    from endplate.report.write import write_report

    case = plan(case, settings, tell)
    case = annotate(case) if annotate is not None else case
    tell("report", 0.0, "")
    paths = write_report(case, out)
    if case.care is not None:
        paths |= write_documents(case.care, case.findings, out)
    tell("report", 1.0, "")
    return case, paths


def print_plan(case: Case, paths: dict[str, Path]) -> None:
    """Emergencies; what was measured, what the repairs would do, what the rules say, and where everything is."""
    from endplate.cli.decide.actions import print_care, print_emergencies
    from endplate.cli.rehearse import print_rehearsal
    from endplate.cli.summary import print_summary

    if case.care is not None:
        print_emergencies(case.care)
    print_summary(case, {})
    print_rehearsal(case, {})
    if case.care is not None:
        print_care(case.care)
    _print_paths(paths)


def _print_paths(paths: dict[str, Path]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    names = {"html": "Report", "json": "Data", "nifti": "Volumes"}
    for name, path in paths.items():
        console.print(f"{names.get(name, name):<13} {path.resolve()}", markup=False, soft_wrap=True)

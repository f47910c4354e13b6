"""What `endplate plan` does: the whole path, one report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.assess import (
    Beside,
    check_paths,
    dicom_writer,
    inputs_of,
    labels_of,
    left_alone,
    read_given,
    result_document,
)
from endplate.cli.exit_codes import Output
from endplate.cli.options.dicom import WrittenOptions
from endplate.cli.options.rehearse import RepairOptions, UnknownOptions
from endplate.cli.options.scan import InputOptions, ModelOptions
from endplate.cli.progress import progress_bars
from endplate.cli.terminal import say
from endplate.errors import OptionError
from endplate.level import parse_level
from endplate.progress import Progress

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
    files: WrittenOptions,
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
    beside = dicom_writer(ct, files)
    from endplate.patient import read_record
    from endplate.report.folder import check_writable

    read_record(given.record)  # told before minutes of work
    settings = plan_settings(repair, unknown, model)
    inputs = inputs_of(ct, given)
    check_writable(out, inputs=inputs)
    with progress_bars(talk.progress) as tell, labels_of(ct, given, tell) as labels:
        case = read_given(ct, labels, given, tell)
        case, paths = plan_and_write(case, settings, out, inputs, tell, files.crop_volumes, beside)
    if talk.for_people:
        print_plan(case, paths)
    return result_document(case, paths, left_alone(out, talk))


def plan_settings(repair: RepairOptions, unknown: UnknownOptions, model: ModelOptions) -> PlanSettings:
    """Settings of every part; a level that is named is rehearsed, otherwise the fractured ones are.

    Without mechanics nothing is rehearsed.
    """
    from endplate.case.plan import PlanSettings
    from endplate.cli.rehearse import rehearse_settings
    from endplate.cli.settings import assess_settings

    if model.no_mechanics:
        return PlanSettings(assess=assess_settings(model), repairs=False)
    levels = (parse_level(repair.level),) if repair.level else ()
    assess, rehearsal = rehearse_settings(repair, unknown, model)
    return PlanSettings(assess=assess, rehearsal=rehearsal, levels=levels)


def plan_and_write(
    case: Case,
    settings: PlanSettings,
    out: Path,
    inputs: Sequence[Path],
    tell: Progress,
    crop: bool = False,
    beside: Beside = None,
) -> tuple[Case, dict[str, Path]]:
    """Plan a case and write its report, with decision, bundle and aid beside it, in one step."""
    from endplate.case.plan import plan
    from endplate.report.write import write_report

    case = plan(case, settings, tell)
    tell("report", 0.0, "")
    paths = write_report(case, out, inputs=inputs, crop=crop, beside=beside)
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
    names = {"html": "Report", "json": "Data", "nifti": "Volumes", "dicom": "DICOM"}
    width = max((len(names.get(name, name)) for name in paths), default=0)
    for name, path in paths.items():
        say(f"{names.get(name, name):<{width}}  {path.resolve()}")

"""What `endplate rehearse` does: check the plan, read, measure, rehearse, write, tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.assess import check_paths, inputs_of, labels_of, left_alone, read_given, result_document
from endplate.cli.exit_codes import Output
from endplate.cli.options.injection import injection_plan
from endplate.cli.options.rehearse import RepairOptions, UnknownOptions
from endplate.cli.options.run import FileOptions
from endplate.cli.options.scan import InputOptions, ModelOptions
from endplate.cli.progress import progress_bars
from endplate.cli.terminal import say, say_table
from endplate.errors import OptionError
from endplate.level import parse_level

if TYPE_CHECKING:
    from endplate.case import Case
    from endplate.case.assess import AssessSettings
    from endplate.repair.rehearsal.rehearse import RehearsalSettings
    from endplate.repair.rehearsal.run_settings import RunSettings


def run_rehearse(
    ct: Path | None,
    out: Path,
    given: InputOptions,
    repair: RepairOptions,
    unknown: UnknownOptions,
    model: ModelOptions,
    files: FileOptions,
    talk: Output,
) -> dict[str, Any]:
    """Rehearse the repair of one level and write the report; returns what `--json` prints.

    Raises
    ------
    InputError : anything given that cannot be used; nothing is left half-written.
    """
    check_paths(ct, given)
    from endplate.case.rehearse import rehearse
    from endplate.report.folder import check_writable

    if not repair.level:
        raise OptionError("no level given", "a repair belongs to one vertebra", "give --level, such as --level L1")
    measuring, settings = rehearse_settings(repair, unknown, model)
    level = parse_level(repair.level)
    inputs = inputs_of(ct, given)
    check_writable(out, inputs=inputs)
    with progress_bars(talk.progress) as tell, labels_of(ct, given, tell) as labels:
        from endplate.report.write import write_report

        case = read_given(ct, labels, given, tell)
        case = rehearse(case, level, settings, tell, measuring)
        tell("report", 0.0, "")
        paths = write_report(case, out, inputs=inputs, crop=files.crop_volumes)
        tell("report", 1.0, "")
    if talk.for_people:
        print_rehearsal(case, paths)
    return result_document(case, paths, left_alone(out, talk))


def rehearse_settings(
    repair: RepairOptions, unknown: UnknownOptions, model: ModelOptions
) -> tuple[AssessSettings, RehearsalSettings]:
    """Settings of the measuring and of the rehearsal; a clear line says what has no meaning or does not go together.

    Raises
    ------
    OptionError : what, why, what to do.
    """
    from endplate.cli.settings import assess_settings
    from endplate.repair.rehearsal.design import ParameterSet

    _refuse_combinations(repair, unknown, model)
    assess = assess_settings(model)
    nominal = ParameterSet()
    if unknown.preload is not None:
        nominal = replace(nominal, preload_n=_within("--preload", unknown.preload, 0, 1000, "N"))
    if unknown.fracture_mobility is not None:
        nominal = replace(nominal, mobility=unknown.fracture_mobility)
    by_age = unknown.fracture_mobility is None  # what a person says outranks the record
    rehearsal = _rehearsal(unknown, repair.procedure, assess.model.voxel_mm)
    run = replace(_run(repair), voxel_mm=assess.model.voxel_mm, model=assess.model, strength=assess.strength)
    return assess, replace(rehearsal, run=run, nominal=nominal, age_decides=by_age)


def _rehearsal(unknown: UnknownOptions, procedure: str, voxel_mm: float) -> RehearsalSettings:
    from endplate.repair.rehearsal.design import TWO_POINT
    from endplate.repair.rehearsal.rehearse import RehearsalSettings

    usual = RehearsalSettings()
    by_procedure = {"both": usual.members, "kyphoplasty": TWO_POINT, "vertebroplasty": 0}
    members = by_procedure[procedure] if unknown.members is None else unknown.members
    _refuse_idle(unknown, members, TWO_POINT)
    size = usual.member_voxel_mm
    if unknown.member_voxel_mm is not None:
        size = _within("--member-voxel-mm", unknown.member_voxel_mm, 0.5, 2.9, "mm")
        if size < voxel_mm:
            text = f"--member-voxel-mm {size:g} with voxels of {voxel_mm:g} mm"
            raise OptionError(text, "members never run finer than the usual values", "make --voxel-mm smaller as well")
    return RehearsalSettings(
        members=members, member_voxel_mm=size, seed=usual.seed if unknown.seed is None else unknown.seed
    )


def _refuse_idle(unknown: UnknownOptions, members: int, bracket: int) -> None:
    """Options of an ensemble where there is none, or none with a design."""
    if not members and unknown.member_voxel_mm is not None:
        raise OptionError("--member-voxel-mm", "there are no members", "leave it out or give --members")
    if members <= bracket and unknown.seed is not None:
        why = f"the {members} runs that span the height have no design" if members else "there are no members"
        raise OptionError("--seed", why, "leave it out or give --members 8, 16 or 32")


def _run(repair: RepairOptions) -> RunSettings:
    from endplate.repair.access.settings import PathSettings
    from endplate.repair.device.balloon import BALLOONS, DEFAULT, choose_balloon
    from endplate.repair.device.cement import CEMENTS
    from endplate.repair.rehearsal.run_settings import RunSettings

    usual = RunSettings()
    path = PathSettings(sides=repair.sides, route=repair.route, needle=_gauge(repair.needle))
    if repair.balloon is not None:
        path = replace(path, balloon=_listed("--balloon", repair.balloon, list(BALLOONS)))
    cement = usual.cement if repair.cement is None else _listed("--cement", repair.cement, list(CEMENTS))
    injection = injection_plan(repair)
    if repair.cement_ml is not None:
        injection = replace(injection, volume_ml=_within("--cement-ml", repair.cement_ml, 0, 15, "mL"))
    balloon_ml = None
    if repair.balloon_ml is not None:
        balloons = 1 if path.sides in ("left", "right") or path.curved is not None else 2
        most = balloons * float(choose_balloon(path.balloon or DEFAULT[0]).max_ml)
        balloon_ml = _within("--balloon-ml", repair.balloon_ml, 0, most, "mL")
    procedures = usual.procedures if repair.procedure == "both" else (repair.procedure,)
    return RunSettings(procedures=procedures, path=path, injection=injection, cement=cement, balloon_ml=balloon_ml)


def _refuse_combinations(repair: RepairOptions, unknown: UnknownOptions, model: ModelOptions) -> None:
    if model.no_mechanics:
        raise OptionError("--no-mechanics with a rehearsal", "a rehearsal is mechanics", "leave it out")
    if repair.procedure == "vertebroplasty":
        of_balloon = {"--balloon": repair.balloon, "--balloon-ml": repair.balloon_ml, "--preload": unknown.preload}
        for name, value in of_balloon.items():
            if value is not None:
                raise OptionError(f"{name} with vertebroplasty", "no balloon is used in it", "leave it out")


def _gauge(needle: str | None) -> str | None:
    """A gauge as the catalogue writes it: "11", "11g" and "11G" are one."""
    if needle is None:
        return None
    text = needle.strip().upper()
    return text if text.endswith("G") else f"{text}G"


def _listed(option: str, name: str, known: list[str]) -> str:
    found = next((item for item in known if item.lower() == name.strip().lower()), None)
    if found is None:
        raise OptionError(f"{option} {name!r}", "not in the catalogue", f"choose one of: {'; '.join(known)}")
    return found


def _within(option: str, value: float, low: float, high: float, unit: str) -> float:
    if not low <= value <= high:
        raise OptionError(f"{option} {value:g}", "out of range", f"choose {low:g} to {high:g} {unit}")
    return value


def print_rehearsal(case: Case, paths: dict[str, Path]) -> None:
    """The sentences of the report and its table in short, and where the results are."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from endplate.repair.rehearsal.findings import UNCONVERGED
    from endplate.report.phrase import polished
    from endplate.report.rehearsal.table import comparison
    from endplate.report.rehearsal.words import sentences

    for caution in case.cautions:
        if caution.code == UNCONVERGED:
            say(f"! {caution.level}: {_plain(polished(caution.text))}", style="bold red", wrap=True)
    for done in case.rehearsals:
        for sentence in sentences(done):
            say(f"• {_plain(polished(sentence))}", wrap=True)
        for group in comparison(done):
            table = Table(box=SIMPLE_HEAD, title=group.title, title_justify="left")
            for head in ("", *(title for title, _ in group.heads)):
                table.add_column(head)
            for name, cells in group.rows:
                shown = [f"{cell.value}\n[dim]{cell.band}[/dim]" if cell.band else cell.value or "–" for cell in cells]
                table.add_row(name, *(_plain(text) for text in shown))
            say_table(table)
    if case.rehearsals:
        note = "A computation in the bone that the scan shows, not a forecast; the report says what it cannot tell."
    else:
        note = "No repair was rehearsed."
    say(note, wrap=True)
    for name, path in (("Report", paths.get("html")), ("Data", paths.get("json")), ("Volumes", paths.get("nifti"))):
        if path is not None:
            say(f"{name:<8} {path.resolve()}")


def _plain(text: str) -> str:
    return text.replace("\u202f", "")

"""What `endplate fracture` does: check, read, measure, crush, write the new scan with its truth, tell."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.assess import check_paths, inputs_of, labels_of, left_alone, read_given
from endplate.cli.exit_codes import Output
from endplate.cli.options.fracture import CollapseOptions
from endplate.cli.options.scan import InputOptions
from endplate.cli.progress import progress_bars
from endplate.cli.terminal import say_lines
from endplate.errors import LabelError, OptionError
from endplate.level import parse_level
from endplate.progress import Progress

if TYPE_CHECKING:
    from endplate.case import Case
    from endplate.synthetic_fracture.crush import CrushSettings
    from endplate.synthetic_fracture.generate import SyntheticFracture
    from endplate.synthetic_fracture.plan import Collapse

CT, LABELS, TRUTH = "ct.nii.gz", "labels.nii.gz", "truth.json"
DEFAULT_LOSS = 0.4
MIN_VOXEL_MM, MAX_VOXEL_MM = 1.0, 3.0


def run_fracture(ct: Path, out: Path, given: InputOptions, options: CollapseOptions, talk: Output) -> dict[str, Any]:
    """Crush one level of a scan and write the new scan; returns what `--json` prints.

    Raises
    ------
    InputError : anything given that cannot be used; nothing is left half-written.
    """
    check_paths(ct, given)
    from endplate.report.folder import check_writable, exchanged

    collapse, settings = wanted(options)
    inputs = inputs_of(ct, given)
    check_writable(out, ("fracture",), inputs)
    with progress_bars(talk.progress) as tell, labels_of(ct, given, tell) as labels:
        case = read_given(ct, labels, replace(given, record=None), tell)
        made, document = crushed(case, collapse, settings, options, tell)
        with exchanged(out, ("fracture",), inputs) as new:
            fill_fracture(made, document, ct, new)
    paths = {name: str((out / file).resolve()) for name, file in (("ct", CT), ("labels", LABELS), ("truth", TRUTH))}
    if talk.for_people:
        say_lines(words(document, out))
    return {"paths": paths, "kept": left_alone(out, talk), "truth": document}


def crushed(
    case: Case, collapse: Collapse, settings: CrushSettings, options: CollapseOptions, tell: Progress
) -> tuple[SyntheticFracture, dict[str, Any]]:
    """A crushed level of a case that was read, and the truth about it."""
    case, made = _make(case, collapse, settings, options, tell)
    tell("check", 0.0, str(collapse.level))
    document = _truth(case, made, settings)
    tell("check", 1.0, "")
    return made, document


def wanted(options: CollapseOptions) -> tuple[Collapse, CrushSettings]:
    """What is asked for, refused in a line where it has no meaning."""
    from endplate.synthetic_fracture.crush import CrushSettings
    from endplate.synthetic_fracture.plan import SHAPES, Collapse

    if not options.level:
        raise OptionError("no level given", "one vertebra is crushed", "give --level, such as --level L1")
    shape = next((name for name in SHAPES if name == options.shape), None)
    if shape is None:
        raise OptionError(f"--shape {options.shape!r} is unknown", "", f"choose {', '.join(SHAPES)}")
    settings = CrushSettings()
    if options.voxel_mm is not None:
        if not MIN_VOXEL_MM <= options.voxel_mm <= MAX_VOXEL_MM:
            raise OptionError(
                f"--voxel-mm {options.voxel_mm:g}", "finer takes too long, coarser has no endplate", "give 1 to 3"
            )
        settings = replace(settings, voxel_mm=options.voxel_mm)
    loss = DEFAULT_LOSS if options.loss is None else options.loss
    return Collapse(level=parse_level(options.level), shape=shape, loss=loss), settings


def _make(
    case: Case, collapse: Collapse, settings: CrushSettings, options: CollapseOptions, tell: Progress
) -> tuple[Case, SyntheticFracture]:
    """Measure the scan as it is, and crush the level if it is intact."""
    from endplate.anatomy.label.present import check_labelled
    from endplate.case.assess import AssessSettings, assess
    from endplate.cli.settings import parse_calibration
    from endplate.synthetic_fracture.eligibility import intact_vertebra
    from endplate.synthetic_fracture.generate import make_fracture

    stages = AssessSettings(mechanics=False)
    if options.calibration is not None:
        slope, offset = parse_calibration(options.calibration)
        line = replace(stages.calibration, slope_mg_cm3_per_hu=slope, offset_mg_cm3=offset)
        stages = replace(stages, calibration=line)
    check_labelled(case.labels, collapse.level)
    case = assess(case, stages, tell)
    if case.volume is None or case.spine is None or case.calibration is None:
        raise LabelError("no calibration from HU to density", "bone has no strength without it", "give --calibration")
    intact_vertebra(collapse.level, case.spine, case.fractures, case.densities, case.cautions)
    return case, make_fracture(case.volume, case.labels, case.spine, case.calibration, collapse, settings, tell)


def _truth(case: Case, made: SyntheticFracture, settings: CrushSettings) -> dict[str, Any]:
    """The truth, with the result measured again as `assess` would."""
    from endplate.anatomy.locate import locate_vertebrae
    from endplate.errors import EndplateError
    from endplate.fracture.reading import grade_fractures
    from endplate.synthetic_fracture.truth import Origin, to_document

    if case.spine is None or case.calibration is None:
        raise EndplateError("a fracture was made of a case that was not measured", "", "report this")
    after = grade_fractures(locate_vertebrae(made.warped.labels, made.warped.volume), case.record)
    origin = Origin(
        inputs=case.provenance.inputs,
        started=case.provenance.started,
        settings=settings,
        calibration=case.calibration,
    )
    return to_document(made, case.spine, case.fractures, after, origin)


def fill_fracture(made: SyntheticFracture, document: dict[str, Any], ct: Path, new: Path) -> None:
    """Write CT, labels, truth and what lay beside the CT into an empty folder."""
    from endplate.atomic import atomic_path, write_text
    from endplate.image.nifti import HU, write_labels, write_volume
    from endplate.image.nifti.sidecar import sidecar_of

    scan = made.warped.volume
    write_volume(new / CT, scan.grid, scan.hu, scan.axes, HU)
    write_labels(new / LABELS, made.warped.labels)
    if (beside := sidecar_of(ct)).is_file():
        with atomic_path(sidecar_of(new / CT)) as temporary:
            shutil.copyfile(beside, temporary)
    write_text(new / TRUTH, json.dumps(document, indent=2, allow_nan=False) + "\n")


def words(document: dict[str, Any], out: Path) -> str:
    """What a reader wants to know at once."""
    level, shape = document["level"], document["shape"]
    before, after = document["intact_mm"], document["after_mm"]
    heights = ", ".join(f"{kind} {before[kind]:.1f} to {after[kind]:.1f} mm" for kind in before)
    lines = [
        f"• {level}: {shape}, loss {document['loss']:.3f} of {document['loss_asked']:g} asked ({heights}).",
        f"• Bone mass on the CT changed by {100 * document['mass']['ct_change']:+.1f} %.",
    ]
    if measured := document["measured_after"]:
        band = "" if measured["low"] is None else f" ({measured['low']:.2f} to {measured['high']:.2f})"
        lines.append(f"• Measured again against its neighbours: loss {measured['height_loss']:.3f}{band}.")
    if lost := document["lost"]["bone_out_of_field_ml"]:
        text = ", ".join(f"{volume:.1f} mL of {name}" for name, volume in lost.items())
        lines.append(f"! Moved out of the scan's field: {text}.")
    if unseen := document["lost"]["unseen_share"]:
        lines.append(f"! {100 * unseen:.1f} % of the new scan was never seen; it holds padding.")
    return "\n".join([*lines, "", f"{'CT':<8} {(out / CT).resolve()}", f"{'Truth':<8} {(out / TRUTH).resolve()}"])

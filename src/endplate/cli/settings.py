"""From command-line options to the settings of the stages, with a clear line for what has no meaning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from endplate.errors import OptionError

if TYPE_CHECKING:
    from endplate.bone.settings import RodSettings
    from endplate.case.assess import AssessSettings
    from endplate.cli.options.scan import ModelOptions, ScanOptions
    from endplate.image.labels.segmenter import SegmenterChoice
    from endplate.image.limits import ReadSettings


def assess_settings(options: ModelOptions) -> AssessSettings:
    """Settings of every stage; what was not asked keeps its cited default.

    Raises
    ------
    OptionError : an unknown law, a voxel size or tube voltage out of range, a calibration that is not two numbers, a
    device that is not there.
    """
    from endplate.case.assess import AssessSettings

    settings = AssessSettings(mechanics=not options.no_mechanics)
    calibration, model, strength = settings.calibration, settings.model, settings.strength
    if options.calibration is not None:
        slope, offset = parse_calibration(options.calibration)
        calibration = replace(calibration, slope_mg_cm3_per_hu=slope, offset_mg_cm3=offset)
    if options.rods is not None:
        calibration = replace(calibration, rods=parse_rods(options.rods))
    if options.kvp is not None:
        calibration = replace(calibration, kvp=check_kvp(options.kvp))
    if options.voxel_mm is not None:
        model = replace(model, voxel_mm=options.voxel_mm)
    if options.law is not None:
        model = replace(model, law=options.law)
    if options.layer is not None:
        model = replace(model, layer=options.layer)
    if options.cortex is not None:
        model = replace(model, cortex=options.cortex)
    if options.criterion is not None:
        strength = replace(strength, criterion=options.criterion)
    if options.load_case is not None:
        strength = replace(strength, load_case=options.load_case)
    if options.device is not None:
        strength = replace(strength, device=options.device)
    if options.linear_only:
        strength = replace(strength, nonlinear=False)
    return replace(settings, calibration=calibration, model=model, strength=strength)


def read_settings(given: ScanOptions) -> ReadSettings:
    """What was said about reading images.

    Raises
    ------
    OptionError : a factor that is out of range.
    """
    from endplate.image.limits import Limits, ReadSettings

    limits = Limits() if given.limit_factor is None else Limits().times(given.limit_factor)
    return ReadSettings(trust_affine=given.trust_affine, limits=limits)


def segmenter_choice(given: ScanOptions) -> SegmenterChoice | None:
    """What makes the labels; None where nothing was named.

    Raises
    ------
    OptionError : two segmenters, or options of one without any.
    """
    from endplate.image.labels.segmenter import SegmenterChoice

    if given.segment is not None and given.segment_command is not None:
        raise OptionError("both --segment and --segment-command given", "only one can make the labels", "leave one out")
    choice = SegmenterChoice(
        name=given.segment, command=given.segment_command, task=given.segment_task, fast=given.segment_fast,
        device=given.segment_device,
    )  # fmt: skip
    if given.segment is not None or given.segment_command is not None:
        return choice
    if choice != SegmenterChoice():
        raise OptionError(
            "--segment-task, --segment-fast or --segment-device", "no segmenter is named", "add --segment NAME"
        )
    return None


def parse_calibration(text: str) -> tuple[float, float]:
    """Slope and offset from "0.8,-2.5".

    Raises
    ------
    OptionError : not two numbers, or a slope that is not positive.
    """
    try:
        slope, offset = (float(part) for part in text.split(","))
    except ValueError:
        raise OptionError(
            f"--calibration {text!r} is not SLOPE,OFFSET", "", "give two numbers with a comma, e.g. 0.8,-2.5"
        ) from None
    if not 0 < slope < 10 or not -1000 < offset < 1000:
        raise OptionError(
            f"--calibration {text!r} cannot be right", "density rises with HU, by about 0.6 to 0.9 mg/cm3 per HU",
            "give SLOPE,OFFSET in mg/cm3 per HU and mg/cm3",
        )  # fmt: skip
    return slope, offset


def parse_rods(text: str) -> RodSettings:
    """Calibration rods from "K2HPO4:0,50,100,200".

    Raises
    ------
    OptionError : no mineral, no numbers, or fewer than two different concentrations.
    """
    from endplate.bone.settings import RodSettings

    mineral, _, numbers = text.partition(":")
    try:
        concentrations = tuple(float(part) for part in numbers.split(","))
    except ValueError:
        concentrations = ()
    if mineral not in ("K2HPO4", "HA") or not concentrations:
        raise OptionError(
            f"--rods {text!r} is not MINERAL:C1,C2,...", "K2HPO4 and HA differ by 15-20 %", "e.g. K2HPO4:0,50,100,200"
        )
    return RodSettings(mg_cm3=concentrations, mineral="HA" if mineral == "HA" else "K2HPO4")


def check_kvp(kvp: float) -> float:
    """The tube voltage, refused where no CT runs."""
    if not 60 <= kvp <= 160:
        raise OptionError(f"--kvp {kvp:g}", "CT tubes run from 70 to 150 kVp", "give the voltage in kilovolt")
    return kvp

"""A repair rehearsed on one level of a case: measured first, without the strength of every level, then rehearsed."""

from __future__ import annotations

from dataclasses import asdict, replace

from endplate.anatomy.label.present import check_labelled
from endplate.biomechanics.findings import CODES
from endplate.bone.result import Calibration
from endplate.bone.voids import void_reason
from endplate.case.assess import AssessSettings, assess
from endplate.case.model import Case
from endplate.case.provenance import Stopwatch, with_parameters
from endplate.errors import LabelError, OptionError
from endplate.level import Level, parse_level
from endplate.numerics import precompile as warm
from endplate.numerics.threads import one_blas_thread
from endplate.progress import Progress, silent
from endplate.repair.rehearsal.eligibility import eligible_vertebra
from endplate.repair.rehearsal.findings import cautions, findings, gaps
from endplate.repair.rehearsal.rehearsal_input import RehearsalInput
from endplate.repair.rehearsal.rehearse import RehearsalSettings, rehearse_level


@one_blas_thread()
def rehearse(
    case: Case,
    level: Level | str,
    settings: RehearsalSettings | None = None,
    progress: Progress | None = None,
    measuring: AssessSettings | None = None,
) -> Case:
    """Measure a case and rehearse the repair of one of its levels.

    Parameters
    ----------
    case : from `read_case`, or measured already. level : the vertebra, as a level or its name.
    settings : of the rehearsal; all have cited defaults. progress : called as the work goes on.
    measuring : how a case that was not measured yet is measured first.

    Returns
    -------
    Case : with the rehearsal added, and its findings, gaps and cautions.

    Raises
    ------
    OptionError, LabelError : the level cannot be rehearsed: absent, cut by the field, not trusted, cement or metal in
    it, no CT, or a plan that it cannot hold.
    """
    settings = settings or RehearsalSettings()
    tell = progress or silent
    wanted = parse_level(level)
    if case.volume is None:
        raise OptionError("a rehearsal needs a CT", "labels alone hold no bone", "give the CT as the first argument")
    if case.spine is None:
        check_labelled(case.labels, wanted)
    compilers = warm.begin()
    try:
        if case.spine is None:
            case = _measured(case, measuring or AssessSettings(), tell)
        scene = _scene(case, wanted)
        compilers.wait()
    finally:
        compilers.stop()
    watch = Stopwatch()
    with watch.stage("rehearsal"):
        done = rehearse_level(scene, settings, tell)
    case = with_parameters(case, {"rehearsal": asdict(settings)})
    return replace(
        case,
        rehearsals=(*case.rehearsals, done),
        findings=case.findings + findings(done),
        gaps=case.gaps + gaps(done),
        cautions=case.cautions + cautions(done),
        provenance=replace(case.provenance, seconds=case.provenance.seconds | watch.seconds),
    )


def _measured(case: Case, settings: AssessSettings, tell: Progress) -> Case:
    """The case with shape, fracture and density; that strength was left out is no gap here."""

    def without_mechanics(stage: str, part: float, detail: str) -> None:
        if stage != "mechanics":
            tell(stage, part, detail)

    case = assess(case, replace(settings, mechanics=False), without_mechanics)
    return replace(case, gaps=tuple(gap for gap in case.gaps if gap.code not in CODES))


def _scene(case: Case, level: Level) -> RehearsalInput:
    """The level in its scan, refused where a rehearsal would have no meaning."""
    if case.spine is None or case.volume is None:
        raise OptionError("a rehearsal needs a measured CT", "", "read the case with its CT")
    vertebra = eligible_vertebra(case.spine, level, case.volume)
    _refuse_distrusted(case, level)
    return RehearsalInput(
        vertebra=vertebra,
        spine=case.spine,
        volume=case.volume,
        calibration=_calibration(case),
        fracture=next((reading for reading in case.fractures if reading.level is level), None),
        record=case.record,
        others=tuple(reading for reading in case.fractures if reading.level is not level),
    )


def _refuse_distrusted(case: Case, level: Level) -> None:
    """Labels that the check did not trust, and a density that no vertebra has."""
    if case.spine is not None and level in case.spine.distrusted:
        why = next((item.text for item in case.spine.cautions if item.level in (level, None)), "the label check failed")
        raise LabelError(f"the labels of {level} cannot be trusted", why, "correct the labels and run again")
    spoilt = void_reason(case.cautions, level, "rehearsal")
    if spoilt:
        raise LabelError(f"{level} cannot be rehearsed", spoilt, "choose a level whose bone the CT shows")
    density = next((item for item in case.densities if item.level is level), None)
    if density is not None and density.refused:
        raise LabelError(f"the density of {level} is implausible", density.refused, "check the CT and its calibration")


def _calibration(case: Case) -> Calibration:
    if case.calibration is None:
        why = next((gap.reason for gap in case.gaps if gap.code == "density_calibration"), "no route worked")
        raise OptionError("no calibration from HU to density", why, "give --calibration SLOPE,OFFSET or --kvp")
    return case.calibration

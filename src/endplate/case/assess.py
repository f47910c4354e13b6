"""The stages in order: anatomy, fracture, bone, mechanics. Each is pure; only this file puts them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from endplate.anatomy.label.body_size import Person
from endplate.anatomy.locate import AnatomySettings, locate_vertebrae
from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.biomechanics.findings import findings as mechanics_findings
from endplate.biomechanics.findings import gaps as mechanics_gaps
from endplate.biomechanics.findings import unsolved
from endplate.biomechanics.loading import estimate_loads
from endplate.biomechanics.model import ModelSettings, build_model, model_bytes
from endplate.biomechanics.result import Strength
from endplate.biomechanics.strength import StrengthSettings, solve_strength
from endplate.bone.calibration import calibrate
from endplate.bone.density import measure_density
from endplate.bone.findings import density_cautions, density_gaps
from endplate.bone.findings import findings as bone_findings
from endplate.bone.foreign import foreign_cautions
from endplate.bone.result import BoneDensity
from endplate.bone.settings import CalibrationSettings, DensitySettings
from endplate.bone.voids import void_reason
from endplate.case.model import Case
from endplate.case.provenance import Stopwatch, with_parameters
from endplate.case.readings.apply import aside_reasons, read_findings, read_fractures, read_gaps
from endplate.case.side_by_side import Shares, side_by_side, workers_for
from endplate.errors import EndplateError, LabelError, SolverError
from endplate.finding import Caution, Finding, Gap
from endplate.fracture.alignment import measure_alignment
from endplate.fracture.certainty import questions
from endplate.fracture.disc_height import disc_findings, disc_gaps, measure_discs
from endplate.fracture.findings import findings as fracture_findings
from endplate.fracture.findings import gaps as fracture_gaps
from endplate.fracture.reading import FractureSettings, grade_fractures
from endplate.level import Level
from endplate.numerics import precompile as warm
from endplate.numerics.backend.choose import choose
from endplate.numerics.threads import one_blas_thread
from endplate.progress import Progress, Share, silent

DENSITY_CODES = ("trabecular_hu", "trabecular_density", "density_category")
NO_CT = "labels without a CT hold no density"
DISTRUSTED = "the label check does not trust this level; its cautions say why"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessSettings:
    """Settings of every stage of the assessment.

    Each stage's settings live beside the stage, with the reasons of their defaults.

    Parameters
    ----------
    anatomy : AnatomySettings, optional
        Repairs of the labels, and whose spine it is.
    fracture : FractureSettings, optional
        How heights are measured.
    calibration : CalibrationSettings, optional
        The route from HU to density, and what is known about the scan.
    density : DensitySettings, optional
        The trabecular region in which density is measured.
    model : ModelSettings, optional
        The voxel model: voxel edge, density law, end layers, alignment.
    strength : StrengthSettings, optional
        Yield criterion, load case and tolerance of the load path.
    mechanics : bool, default True
        False leaves stiffness and strength out; they are gaps then.
    """

    anatomy: AnatomySettings = field(default_factory=AnatomySettings)
    fracture: FractureSettings = field(default_factory=FractureSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    density: DensitySettings = field(default_factory=DensitySettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    strength: StrengthSettings = field(default_factory=StrengthSettings)
    mechanics: bool = True


@one_blas_thread()
def assess(case: Case, settings: AssessSettings | None = None, progress: Progress | None = None) -> Case:
    """Every measurement of this version on one case.

    Parameters
    ----------
    case : from `read_case`, or made from a phantom.
    settings : choices of every stage; all have cited defaults.
    progress : called as the work goes on.

    Returns
    -------
    Case : with spine, fractures, alignment, densities, strengths, and their findings, gaps and cautions.

    Raises
    ------
    LabelError : labels in which no vertebra can be measured.
    """
    settings = settings or AssessSettings()
    tell = progress or silent
    watch = Stopwatch()
    case = with_parameters(case, settings)
    if settings.strength.device != "cpu":
        case = with_parameters(case, {"device": choose(settings.strength.device).description})
    compilers = warm.begin() if settings.mechanics and case.volume is not None else warm.Warmup()
    try:
        for stage in (_anatomy, _fracture, _bone, _mechanics):
            name = stage.__name__.removeprefix("_")
            announce = tell if _has_work(stage, case, settings) else silent
            announce(name, 0.0, "")
            with watch.stage(name):
                if stage is _mechanics and compilers.processes:
                    announce(name, 0.0, "compiling, the first time only")
                    compilers.wait()
                case = stage(case, settings, announce)
            announce(name, 1.0, "")
    finally:
        compilers.stop()
    return replace(case, provenance=replace(case.provenance, seconds=case.provenance.seconds | watch.seconds))


def _has_work(stage: Callable[..., Case], case: Case, settings: AssessSettings) -> bool:
    """Whether a stage does more than say why it measures nothing."""
    if stage is _mechanics:
        return not _no_mechanics(case, settings)
    return stage is not _bone or case.volume is not None


def _anatomy(case: Case, settings: AssessSettings, tell: Progress) -> Case:
    aside = {**settings.anatomy.set_aside, **aside_reasons(case.resolved)}
    spine = locate_vertebrae(case.labels, case.volume, replace(settings.anatomy, person=_person(case), set_aside=aside))
    return replace(case, spine=spine, cautions=case.cautions + spine.cautions, gaps=case.gaps + spine.gaps)


def _person(case: Case) -> Person:
    """What the record says of the patient's size."""
    if case.record is None:
        return Person()
    return Person(sex=case.record.sex, stature_cm=case.record.height_cm, age_yr=case.record.age_yr)


def _fracture(case: Case, settings: AssessSettings, tell: Progress) -> Case:
    spine = _spine(case)
    computed = grade_fractures(spine, case.record, settings.fracture)
    fractures = read_fractures(computed, case.resolved)
    alignment = measure_alignment(spine, [fracture.heights for fracture in fractures])
    case = replace(case, fractures=fractures, alignment=alignment, cautions=case.cautions + questions(fractures))
    discs = measure_discs(spine)
    read = read_findings(fracture_findings(fractures, alignment), fracture_findings(computed), case.resolved)
    case = _add(case, read, read_gaps(fracture_gaps(fractures, alignment), case.resolved))
    return _add(case, disc_findings(discs), disc_gaps(discs, [vertebra.level for vertebra in spine.vertebrae]))


def _bone(case: Case, settings: AssessSettings, tell: Progress) -> Case:
    spine, volume = _spine(case), case.volume
    if volume is None:
        return _add(
            case, (), [Gap(code=code, level=v.level, reason=NO_CT) for v in spine.vertebrae for code in DENSITY_CODES]
        )
    case = replace(case, cautions=case.cautions + foreign_cautions(spine.vertebrae, volume))
    calibration, cautions, gaps = calibrate(volume, spine, settings.calibration)
    broken = {fracture.level for fracture in case.fractures if fracture.fracture == "yes"}
    measured: list[BoneDensity] = []
    for vertebra in spine.vertebrae:
        tell("bone", len(measured) / len(spine.vertebrae), str(vertebra.level))
        if vertebra.level in spine.distrusted:
            gaps += tuple(Gap(code=code, level=vertebra.level, reason=DISTRUSTED) for code in DENSITY_CODES)
            continue
        spoilt = void_reason(case.cautions, vertebra.level, "density")
        if spoilt:
            gaps += tuple(Gap(code=code, level=vertebra.level, reason=spoilt) for code in DENSITY_CODES)
            continue
        density = measure_density(vertebra, volume, calibration, settings.density, fractured=vertebra.level in broken)
        if isinstance(density, Gap):
            gaps += tuple(replace(density, code=code) for code in DENSITY_CODES)
        else:
            measured.append(density)
    case = replace(
        case,
        calibration=calibration,
        densities=tuple(measured),
        cautions=_once(case.cautions + cautions + density_cautions(measured)),
    )
    return _add(case, bone_findings(measured, calibration), gaps + density_gaps(measured))


def _mechanics(case: Case, settings: AssessSettings, tell: Progress) -> Case:
    reason = _no_mechanics(case, settings)
    if reason:
        return _add(case, (), [gap for vertebra in _spine(case).vertebrae for gap in unsolved(vertebra.level, reason)])
    vertebrae, untrusted = _spine(case).vertebrae, _untrusted(case)
    solved = [vertebra for vertebra in vertebrae if vertebra.level not in untrusted]
    answers = dict(zip((v.level for v in solved), _solve_all(solved, case, settings, tell), strict=True))
    reasons = untrusted | {level: answer for level, answer in answers.items() if isinstance(answer, str)}
    strengths = [answer for answer in answers.values() if isinstance(answer, Strength)]
    gaps = [gap for v in vertebrae if v.level in reasons for gap in unsolved(v.level, reasons[v.level])]
    loads = tuple(load for strength in strengths for load in estimate_loads(case.record, strength.level, strength))
    case = replace(case, strengths=tuple(strengths), loads=loads)
    return _add(case, mechanics_findings(strengths, loads), (*gaps, *mechanics_gaps(strengths, loads, case.record)))


def _once(cautions: tuple[Caution, ...]) -> tuple[Caution, ...]:
    """The cautions without repeats of one code and text at a level."""
    return tuple(dict.fromkeys(cautions))


def _no_mechanics(case: Case, settings: AssessSettings) -> str:
    """Why no level can be solved, or nothing."""
    if case.volume is None:
        return NO_CT
    if case.calibration is None:
        return "no calibration from HU to density"
    return "" if settings.mechanics else "mechanics were switched off for this run"


def _untrusted(case: Case) -> dict[Level, str]:
    """Levels whose strength is not worked out, each with the reason."""
    spine = _spine(case)
    untrusted = dict.fromkeys(spine.distrusted, DISTRUSTED)
    untrusted |= {density.level: density.refused for density in case.densities if density.refused}
    spoilt = {v.level: void_reason(case.cautions, v.level, "strength") for v in spine.vertebrae}
    return {level: reason for level, reason in spoilt.items() if reason} | untrusted


def _solve_all(
    vertebrae: Sequence[Vertebra], case: Case, settings: AssessSettings, tell: Progress
) -> list[Strength | str]:
    """Strength of each vertebra, or the reason why there is none."""

    def work(place: int, done: Share) -> Strength | str:
        try:
            return _solve(vertebrae[place], case, settings, done)
        except (LabelError, SolverError) as error:
            return str(error)

    shares = Shares(tell, "mechanics", [str(vertebra.level) for vertebra in vertebrae])
    sizes = [model_bytes(vertebra, settings.model) for vertebra in vertebrae]
    workers = workers_for(len(vertebrae), max(sizes, default=0.0)) if settings.strength.device == "cpu" else 1
    return side_by_side(work, shares, len(vertebrae), workers, sizes)


def _solve(vertebra: Vertebra, case: Case, settings: AssessSettings, done: Share) -> Strength:
    if case.volume is None or case.calibration is None:
        raise EndplateError("mechanics without CT or calibration", "", "report this")
    done(0.0)
    model = build_model(vertebra, case.volume, case.calibration, settings.model)
    return solve_strength(model, settings.strength, done)


def _spine(case: Case) -> Spine:
    if case.spine is None:
        raise EndplateError("a later stage ran before anatomy", "", "report this")
    return case.spine


def _add(case: Case, findings: Iterable[Finding], gaps: Iterable[Gap]) -> Case:
    return replace(case, findings=case.findings + tuple(findings), gaps=case.gaps + tuple(gaps))

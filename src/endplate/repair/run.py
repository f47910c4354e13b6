"""One run: the bone under one set of the unknowns, as it is and after each procedure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.biomechanics.model import VOXEL_MM, BoneModel, ModelSettings
from endplate.biomechanics.strength import StrengthSettings, solve_strength
from endplate.bone.result import Calibration
from endplate.errors import SolverError
from endplate.fracture.result import Fracture
from endplate.image.volume import Volume
from endplate.repair.bone import bone_model, repair_bone
from endplate.repair.cured import cured_model
from endplate.repair.device.cement import CEMENTS, Cement
from endplate.repair.injection import inject
from endplate.repair.injection_plan import InjectionPlan
from endplate.repair.path.settings import PathSettings
from endplate.repair.result import Access, Bone, Procedure, Rehearsed
from endplate.repair.segment import beside, segment_change
from endplate.repair.tips import needle_tips
from endplate.repair.unknowns import Draw
from endplate.repair.zone import find_zone

Tell = Callable[[str, float, str], None]
"""Called with the stage, the fraction of it done and what it is doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What is chosen, as against what is unknown.

    Attributes
    ----------
    procedures : in the order of the report. path : needles, sides, balloon. injection : cement plan.
    cement : name in the catalogue. balloon_ml : volume of all balloons together; None takes what is usual.
    voxel_mm : edge of the cubes. model, strength : as in the assessment.
    """

    procedures: tuple[Procedure, ...] = ("vertebroplasty", "kyphoplasty")
    path: PathSettings = field(default_factory=PathSettings)
    injection: InjectionPlan = field(default_factory=InjectionPlan)
    cement: str = "standard PMMA"
    balloon_ml: float | None = None
    voxel_mm: float = float(VOXEL_MM)
    model: ModelSettings = field(default_factory=ModelSettings)
    strength: StrengthSettings = field(default_factory=StrengthSettings)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """The patient's part of a rehearsal: what the scan holds of one level and its surroundings.

    `fracture` is the reading of the level, `others` those of the other levels.
    """

    vertebra: Vertebra
    spine: Spine
    volume: Volume
    calibration: Calibration
    fracture: Fracture | None
    others: tuple[Fracture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """What one run gave: the bone, the level as it is, and each procedure."""

    bone: Bone
    before: Rehearsed
    done: dict[Procedure, Rehearsed]
    notes: tuple[str, ...] = ()


def run_once(
    scene: Scene, settings: RunSettings, draw: Draw, accesses: Mapping[Procedure, Access], tell: Tell
) -> RunResult:
    """Every procedure on the bone that one set of the unknowns makes.

    A solver that finds no solution ends its procedure there, with what came before kept; input that cannot be used is
    raised.

    Raises
    ------
    LabelError, OptionError : the level or the plan cannot be rehearsed.
    """
    tell("zone", 0.0, "")
    bone, notes = prepared(scene, settings.voxel_mm, draw)
    tell("zone", 1.0, "")
    model = bone_model(bone, settings.model)
    before = _as_it_is(model, settings, tell)
    done = {}
    for procedure in settings.procedures:
        run = _Run(scene=scene, settings=settings, draw=draw, tell=tell, bone=bone, model=model)
        done[procedure] = run.through(procedure, accesses[procedure])
    return RunResult(bone=bone, before=before, done=done, notes=notes)


def prepared(scene: Scene, voxel_mm: float, draw: Draw) -> tuple[Bone, tuple[str, ...]]:
    """The bone with its fracture zone softened, its density shifted; and what there is to say of the zone."""
    shift = draw.density_sd * scene.calibration.sd_mg_cm3
    calibration = replace(scene.calibration, offset_mg_cm3=scene.calibration.offset_mg_cm3 + shift)
    bone = repair_bone(scene.vertebra, scene.volume, calibration, voxel_mm)
    found = find_zone(scene.vertebra, scene.volume, bone, scene.fracture)
    return found.bone, (found.reason,) if found.reason else ()


def cement_of(settings: RunSettings, draw: Draw) -> Cement:
    """The chosen cement, thicker or thinner at its start."""
    cement = CEMENTS[settings.cement]
    return replace(cement, consistency_pa_s=cement.consistency_pa_s * draw.viscosity)


def _as_it_is(model: BoneModel, settings: RunSettings, tell: Tell) -> Rehearsed:
    """The level without a repair."""
    plain = Rehearsed(procedure="none", access=None, inflation=None, fill=None, strength=None, cured=None)
    tell("strength", 0.0, "no repair")
    try:
        strength = solve_strength(model, settings.strength, lambda part: tell("strength", part, "no repair"))
    except SolverError as error:
        return replace(plain, stopped=f"strength: {error}")
    return replace(plain, strength=strength)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """One procedure under one set of the unknowns."""

    scene: Scene
    settings: RunSettings
    draw: Draw
    tell: Tell
    bone: Bone
    model: BoneModel

    def through(self, procedure: Procedure, access: Access) -> Rehearsed:
        """The procedure as far as it goes."""
        done = Rehearsed(procedure=procedure, access=access, inflation=None, fill=None, strength=None, cured=None)
        if not access.paths:
            return replace(done, stopped=f"no needle path: {access.reason}")
        for step in (self._fill, self._load, self._neighbours):
            try:
                done = step(done)
            except SolverError as error:
                return replace(done, stopped=f"{step.__name__.strip('_')}: {error}")
        return done

    def _bone(self, done: Rehearsed) -> Bone:
        return done.inflation.bone if done.inflation is not None else self.bone

    def _fill(self, done: Rehearsed) -> Rehearsed:
        """Cement."""
        paths = done.access.paths if done.access is not None else ()
        plan = replace(
            self.settings.injection,
            permeability_factor=self.settings.injection.permeability_factor * self.draw.permeability,
        )
        fill = inject(
            self._bone(done),
            self.scene.vertebra,
            needle_tips(paths),
            cement_of(self.settings, self.draw),
            plan,
            lambda part: self.tell("cement", part, done.procedure),
        )
        return replace(done, fill=fill)

    def _cured(self, done: Rehearsed) -> BoneModel:
        if done.fill is None:
            return bone_model(self._bone(done), self.settings.model)
        return cured_model(
            self._bone(done), done.fill.saturation, done.fill.cement, self.draw.interface, self.settings.model
        )

    def _load(self, done: Rehearsed) -> Rehearsed:
        """Strength with the cement set."""

        def progress(part: float) -> None:
            self.tell("strength", part, done.procedure)

        progress(0.0)
        return replace(done, strength=solve_strength(self._cured(done), self.settings.strength, progress))

    def _neighbours(self, done: Rehearsed) -> Rehearsed:
        """Load on the neighbours, after over before."""
        self.tell("segment", 0.0, done.procedure)
        scene = self.scene
        around = beside(scene.spine, scene.vertebra.level, scene.volume, scene.calibration)
        change = segment_change(self.model, self._cured(done), around)
        self.tell("segment", 1.0, done.procedure)
        return replace(done, neighbours=change.neighbours)

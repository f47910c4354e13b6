"""One run: the bone under one set of the unknowns, as it is and after each procedure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.model import BoneModel
from endplate.biomechanics.strength import solve_strength
from endplate.errors import EndplateError
from endplate.progress import Gauge, Progress, silent
from endplate.repair.access.access_result import Access, Procedure
from endplate.repair.access.needle_tip import needle_tips
from endplate.repair.augmented.augmented_bone import BeforeAfter, Solved, augmented_model, cement_share, compare
from endplate.repair.augmented.bone_model import bone_model
from endplate.repair.augmented.motion_segment import find_neighbours, segment_change
from endplate.repair.cement.injection import inject
from endplate.repair.device.cement import Cement, choose_cement
from endplate.repair.kyphoplasty.height_gain import TrackedPlates
from endplate.repair.kyphoplasty.inflation import inflate
from endplate.repair.kyphoplasty.until_cured import cured
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.rehearsal.planned_inflation import planned_inflation, planned_sites
from endplate.repair.rehearsal.rehearsal_input import PreparedBone, RehearsalInput
from endplate.repair.rehearsal.result import ProcedureResult
from endplate.repair.rehearsal.run_settings import RunSettings
from endplate.repair.site.bone import Bone, inside_body
from endplate.short_repr import short_repr

BEHIND = "the cavity reaches the posterior quarter of the body: cement that fills it was not stopped there"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """What one run gave: the level as it is, each procedure, and strength before and after with the band of its ratio.

    `changes` holds the procedures that were loaded to their end while strains were kept.
    """

    before: ProcedureResult
    done: dict[Procedure, ProcedureResult]
    changes: dict[Procedure, BeforeAfter]

    __repr__ = short_repr


def run_once(
    scene: RehearsalInput,
    settings: RunSettings,
    draw: ParameterSet,
    prepared: PreparedBone,
    accesses: Mapping[Procedure, Access],
    tell: Progress | None = None,
) -> RunResult:
    """The level as it is and every procedure on its bone.

    What cannot be solved, measured or done ends its procedure there with the reason, and what came before is kept:
    volumes that were asked for and cannot be are told by `planned.check_volumes` before.
    """
    tell = tell or silent
    run = _SingleRun(
        scene=scene,
        settings=settings,
        draw=draw,
        tell=tell,
        prepared=prepared,
        model=bone_model(prepared.bone, settings.model),
    )
    before = run.as_it_is()
    done = {procedure: run.through(procedure, accesses[procedure]) for procedure in settings.procedures}
    changes = {procedure: run.change(before, item) for procedure, item in done.items()}
    return RunResult(
        before=before, done=done, changes={name: item for name, item in changes.items() if item is not None}
    )


def cavity_reaches_back(bone: Bone, vertebra: Vertebra) -> bool:
    """Whether the cavity of a balloon lies in the posterior quarter of the body, where cement would be stopped."""
    grid = bone.field.grid
    hollow, body = np.argwhere(bone.cavity >= 0.5), np.argwhere(inside_body(bone.field) > 0)
    if not len(hollow):
        return False
    depth = vertebra.to_local_mm(grid.to_mm(body))[:, 1]
    limit = depth.min() + (depth.max() - depth.min()) / 4
    return bool(vertebra.to_local_mm(grid.to_mm(hollow))[:, 1].min() <= limit)


def cement_of(settings: RunSettings, draw: ParameterSet) -> Cement:
    """The chosen cement, thicker or thinner at its start."""
    cement = choose_cement(settings.cement)
    return replace(cement, consistency_pa_s=cement.consistency_pa_s * draw.viscosity)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _SingleRun:
    """Everything on one bone."""

    scene: RehearsalInput
    settings: RunSettings
    draw: ParameterSet
    tell: Progress
    prepared: PreparedBone
    model: BoneModel

    def as_it_is(self) -> ProcedureResult:
        """The level without a repair."""
        plain = ProcedureResult(
            procedure="none", access=None, inflation=None, fill=None, strength=None, after_cement=None
        )
        try:
            return self._load(plain)
        except EndplateError as error:
            return replace(plain, stopped=f"strength: {error}")

    def through(self, procedure: Procedure, access: Access) -> ProcedureResult:
        """A procedure as far as it goes."""
        done = ProcedureResult(
            procedure=procedure, access=access, inflation=None, fill=None, strength=None, after_cement=None
        )
        if not access.paths:
            return replace(done, stopped=f"no needle path: {access.reason}")
        steps = {"cement": self._fill, "strength": self._load, "neighbours": self._neighbours}
        if procedure == "kyphoplasty":
            steps = {"balloon": self._inflate} | steps
        for name, step in steps.items():
            try:
                done = step(done)
            except EndplateError as error:
                return replace(done, stopped=f"{name}: {error}")
        return done

    def change(self, before: ProcedureResult, done: ProcedureResult) -> BeforeAfter | None:
        """Strength before and after with the band of the ratio; None where strains were not kept."""
        first, second, fill = before.strength, done.strength, done.fill
        if first is None or second is None or fill is None or first.strain is None or second.strain is None:
            return None
        cured = self._cured(done)
        share = cement_share(cured, fill.saturation, fill.cement, self.draw.interface)
        none = np.zeros(self.model.material.shape, np.float32)
        return compare(
            Solved(model=self.model, strength=first, cement=none),
            Solved(model=cured, strength=second, cement=share),
        )

    def _bone(self, done: ProcedureResult) -> Bone:
        return done.inflation.bone if done.inflation is not None else self.prepared.bone

    def _inflate(self, done: ProcedureResult) -> ProcedureResult:
        """Balloons in and out; the cement then keeps the height that they left, less creep until it has cured."""
        if done.access is None:
            return done
        sites, standing_n = planned_sites(self.settings, done.access), self.scene.loads_n.get("standing")
        plan = planned_inflation(self.settings, self.draw, self.prepared.bone, len(sites), standing_n)
        self.tell("balloon", 0.0, done.procedure)
        inflation = inflate(
            self.prepared.bone,
            self.scene.vertebra,
            sites,
            plan,
            intact=self.prepared.intact,
            progress=Gauge(self.tell, "balloon", done.procedure),
        )
        # The discs are taken to keep their angles, so the segment straightens by what the body does.
        heights = TrackedPlates(self.scene.vertebra).now().heights_mm
        load_n = self.draw.preload_n if inflation.volume_ml[-1] > 0 else 0.0  # what was not raised has nothing to lose
        return replace(done, inflation=inflation, after_cement=cured(inflation.deflated, heights, load_n))

    def _fill(self, done: ProcedureResult) -> ProcedureResult:
        """Cement."""
        paths = done.access.paths if done.access is not None else ()
        plan, bone, vertebra = self.settings.injection, self._bone(done), self.scene.vertebra
        behind = plan.stop_at_posterior_quarter and cavity_reaches_back(bone, vertebra)
        fill = inject(
            bone,
            vertebra,
            needle_tips(paths),
            cement_of(self.settings, self.draw),
            replace(
                plan,
                permeability_factor=plan.permeability_factor * self.draw.permeability,
                stop_at_posterior_quarter=plan.stop_at_posterior_quarter and not behind,
            ),
            Gauge(self.tell, "cement", done.procedure),
        )
        return replace(done, fill=replace(fill, notes=(*fill.notes, BEHIND)) if behind else fill)

    def _cured(self, done: ProcedureResult) -> BoneModel:
        """The model with what the procedure put in."""
        bone, model = self._bone(done), self.settings.model
        if done.fill is None:
            return self.model if bone is self.prepared.bone else bone_model(bone, model)
        if not (done.fill.saturation > 0).any() and bone is self.prepared.bone:
            return self.model
        return augmented_model(bone, done.fill.saturation, done.fill.cement, self.draw.interface, model)

    def _load(self, done: ProcedureResult) -> ProcedureResult:
        """Strength."""
        words = "no repair" if done.procedure == "none" else done.procedure

        def progress(part: float) -> None:
            self.tell("strength", part, words)

        progress(0.0)
        return replace(done, strength=solve_strength(self._cured(done), self.settings.strength, progress))

    def _neighbours(self, done: ProcedureResult) -> ProcedureResult:
        """Load on the neighbours, after over before."""
        self.tell("neighbours", 0.0, done.procedure)
        scene = self.scene
        around = find_neighbours(scene.spine, scene.vertebra.level, scene.volume, self.prepared.calibration)
        change = segment_change(self.model, self._cured(done), around)
        self.tell("neighbours", 1.0, done.procedure)
        return replace(done, neighbours=change.neighbours, missing=change.missing)

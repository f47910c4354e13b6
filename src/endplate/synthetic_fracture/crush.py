"""Crush a body between its endplates with material points at large strain, let go, and press again until it holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.caps import add_cap
from endplate.biomechanics.model import MIN_FILL, SMOOTHING_MM
from endplate.biomechanics.model_grid import own_grid
from endplate.biomechanics.sampling import sample_bone
from endplate.bone.material import (
    KOPPERDAHL_E,
    KOPPERDAHL_E_POWER,
    KOPPERDAHL_Y,
    KOPPERDAHL_Y_POWER,
    TRANSVERSE_MODULUS,
)
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.errors import OptionError, SolverError
from endplate.fracture.normals import Triple
from endplate.image.volume import Grid, Volume
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.foam import ELASTIC, FOAM, FoamLaw
from endplate.numerics.mpm.particles import Particles, fill_cloud
from endplate.numerics.voxel.connected_components import largest_piece
from endplate.progress import Share
from endplate.synthetic_fracture.heights import SIDES, Body, Surfaces, heights_of, intact_body
from endplate.synthetic_fracture.plan import Collapse
from endplate.synthetic_fracture.plate_press import MIN_STEP, PlatePress
from endplate.synthetic_fracture.platen import build_platens, travel_of

CAP_MODULUS_MPA = cited(200.0, "MPa", "own trial: stiff enough to carry the endplate, soft enough to spread", "design")
MIN_DENSITY_G_CM3 = cited(0.02, "g/cm3", "own trial: fatty marrow reads below; keeps the foam law finite", "design")
RECOIL = cited(0.012, "1", "own trial on an L2: what a loss of 0.4 gives back when let go", "design")
MIN_GAIN = cited(0.25, "1", "a plate that wins less than a quarter of its travel as loss is not hurried", "design")
CLOSE_ENOUGH = cited(0.005, "1", "a sixth of the error of measuring a height ratio (0.03)", "design")
SHORT_ENOUGH = cited(0.015, "1", "half of the error of measuring a height ratio; pressing again ratchets on", "design")
MAX_PRESSES = cited(3, "1", "the second makes good the recoil of the first; a third what is missing", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrushSettings:
    """Edge of the cubes that carry the material points, mm; smoothing of HU before density."""

    voxel_mm: float = 1.5
    smoothing_mm: float = SMOOTHING_MM


@dataclass(slots=True, kw_only=True, eq=False)
class CrushedBody:
    """The body after the crush, unloaded.

    Attributes
    ----------
    carried : LPS displacements (n, 3) of the marked places by name.
    intact_mm, after_mm : (anterior, middle, posterior) heights between the endplates as material surfaces.
    loaded_loss : worst loss under load, before the recoil. peak_n : highest reaction of the upper plate.
    mass_before_mg, mass_after_mg : of all bone points. presses, steps, iterations : work done.
    loose_steps : those above the tolerance.
    points : of the bone, with all that they went through, mm from the outer corner of voxel 0 of `grid`.
    ratio : (least, 5th percentile, greatest) volume ratio of the bone points. notes : what went otherwise.
    """

    carried: dict[str, NDArray[np.float64]]
    intact_mm: Triple
    after_mm: Triple
    loaded_loss: float
    peak_n: float
    mass_before_mg: float
    mass_after_mg: float
    points: Particles
    grid: Grid
    ratio: tuple[float, float, float]
    presses: int
    steps: int
    iterations: int
    loose_steps: int
    notes: tuple[str, ...] = field(default=())

    @property
    def losses(self) -> Triple:
        """Fraction of each height lost."""
        front, middle, back = (1 - now / before for now, before in zip(self.after_mm, self.intact_mm, strict=True))
        return front, middle, back


def crush_body(
    vertebra: Vertebra,
    volume: Volume,
    calibration: Calibration,
    collapse: Collapse,
    marks_mm: dict[str, NDArray[np.float64]],
    settings: CrushSettings | None = None,
    done: Share | None = None,
) -> CrushedBody:
    """Crush the body of an intact vertebra to a loss of height that stays when it is let go.

    Parameters
    ----------
    marks_mm : places (n, 3), LPS mm, by name, whose displacement is wanted.
    done : called with the fraction of the work done.

    Raises
    ------
    LabelError : the body has no endplates. OptionError : it could not be crushed so far; the last good state is named.
    """
    settings = settings or CrushSettings()
    return _Crush(vertebra, volume, calibration, collapse, settings, done or (lambda fraction: None)).run(marks_mm)


class _Crush:
    """One crush under way."""

    def __init__(
        self,
        vertebra: Vertebra,
        volume: Volume,
        calibration: Calibration,
        collapse: Collapse,
        settings: CrushSettings,
        done: Share,
    ) -> None:
        self.collapse, self.settings, self.done = collapse, settings, done
        self.body: Body = intact_body(vertebra)
        self.grid: Grid = own_grid(vertebra, settings.voxel_mm)
        self.axes = (self.grid.affine[:3, :3] / settings.voxel_mm).T
        bone = sample_bone(vertebra, volume, calibration, self.grid, settings.smoothing_mm)
        filled, _ = largest_piece((bone.fill >= MIN_FILL) & (bone.body >= 0.5))
        arch = (bone.fill >= MIN_FILL) & ~filled
        self.engine = self._engine(filled, arch, bone.fill, bone.density_mg_cm3)
        self.intact = heights_of(self.body.surfaces, self.body.extent)
        travel = travel_of(self.body, collapse, self.intact)
        platens = build_platens(self.engine.node_mm, self.grid, filled, travel)
        self.press = PlatePress(self.engine, platens, settings.voxel_mm)
        for side in SIDES:
            self.engine.carry(side, self._own(vertebra.to_world_mm(getattr(self.body.surfaces, side))))
        self.loaded_loss = 0.0

    def _engine(
        self,
        body: NDArray[np.bool_],
        arch: NDArray[np.bool_],
        fill: NDArray[np.float32],
        density_mg_cm3: NDArray[np.float32],
    ) -> Engine:
        """Points of the body's foam and of an elastic cap on either endplate."""
        voxel_mm = self.settings.voxel_mm
        upper = add_cap(body, arch, voxel_mm)
        lower = add_cap(body[:, :, ::-1], arch[:, :, ::-1], voxel_mm)[:, :, ::-1]
        caps = upper | lower
        density = np.maximum(density_mg_cm3 / 1000, MIN_DENSITY_G_CM3)
        cloud = fill_cloud(
            np.where(body, density, 1.0),
            np.where(body, np.clip(fill, 0, 1), caps),
            voxel_mm,
            kind=np.where(body, FOAM, ELASTIC),
            modulus_mpa=np.where(caps, CAP_MODULUS_MPA, 0.0),
        )
        self.bone = cloud.kind == FOAM
        self.mass_before = float(cloud.mass[self.bone].sum())
        return Engine(cloud, intact_law(), body.shape, voxel_mm)

    def _own(self, world_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """LPS mm to the engine's coordinates."""
        return (self.grid.to_index(world_mm) + 0.5) * self.settings.voxel_mm

    def _world(self, own_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.grid.to_mm(own_mm / self.settings.voxel_mm - 0.5)

    def run(self, marks_mm: dict[str, NDArray[np.float64]]) -> CrushedBody:
        """Press, let go, measure, and press again by what is missing."""
        starts = {name: self._own(places) for name, places in marks_mm.items()}
        for name, start in starts.items():
            self.engine.carry(name, start)
        goal, at = self.collapse.loss + RECOIL, 0.0
        presses = 0
        while presses < int(MAX_PRESSES):
            presses += 1
            at = self._load(at, goal)
            self.press.let_go(at)
            short = self.collapse.loss - self._loss()
            if short <= SHORT_ENOUGH:
                break
            recoil = self.loaded_loss - self._loss()
            at = max(at - recoil / self.collapse.loss, 0.0)
            goal = self.collapse.loss + recoil
        self.done(1.0)
        return self._result(starts, presses)

    def _load(self, at: float, goal: float) -> float:
        """Move the plates on from a share of their travel until the loss under load is the goal; returns the share.

        Steps shrink where one fails, and the last one is as long as the loss so far per travel tells.
        """
        full = self.press.full_step
        step, loss, rate = full, self._loss(), 1 / self.collapse.loss
        while goal - loss > CLOSE_ENOUGH / 2:
            share = min(step, (goal - loss) * rate)
            try:
                self.press.press_by(at, share)
            except SolverError as error:
                step /= 2
                if step < MIN_STEP * full:
                    raise self._stopped(error) from error
                continue
            before, loss = loss, self._loss()
            rate = share / max(loss - before, MIN_GAIN * share * self.collapse.loss)
            at += share
            step = min(full, 2 * step)
            self.done(min(loss / goal, 1.0))
        self.loaded_loss = loss
        return at

    def _loss(self) -> float:
        """Mean loss of the heights that this shape is to lose."""
        now = self._heights()
        return float(np.mean([1 - now[kind] / self.intact[kind] for kind in self.collapse.kinds]))

    def _heights(self) -> Triple:
        vertebra = self.body.vertebra
        now = Surfaces(**{side: vertebra.to_local_mm(self._world(self.engine.carried[side])) for side in SIDES})
        return heights_of(now, self.body.extent)

    def _stopped(self, error: SolverError) -> OptionError:
        reached = self._loss()
        return OptionError(
            f"the crush of {self.collapse.level} to a loss of {self.collapse.loss:g} did not converge "
            f"({error.what.rstrip('.')})",
            f"the last good state is a loss of {reached:.2f} under load",
            f"ask for a loss below {reached:.2f}, or another --voxel-mm",
        )

    def _result(self, starts: dict[str, NDArray[np.float64]], presses: int) -> CrushedBody:
        cloud = self.engine.particles
        ratio = (cloud.volume / cloud.start_volume)[self.bone]
        moved = {name: (self.engine.carried[name] - start) @ self.axes for name, start in starts.items()}
        return CrushedBody(
            carried=moved,
            intact_mm=self.intact,
            after_mm=self._heights(),
            loaded_loss=self.loaded_loss,
            peak_n=self.press.peak_n,
            mass_before_mg=self.mass_before,
            mass_after_mg=float((cloud.density() * cloud.volume)[self.bone].sum()),
            points=cloud.keep(self.bone),
            grid=self.grid,
            ratio=(float(ratio.min()), float(np.percentile(ratio, 5)), float(ratio.max())),
            presses=presses,
            steps=self.engine.energy_balance.steps,
            iterations=self.engine.energy_balance.iterations,
            loose_steps=self.engine.energy_balance.loose_steps,
            notes=tuple(dict.fromkeys(self.press.notes)),
        )


def intact_law() -> FoamLaw:
    """The foam law of sound bone: modulus and strength by Kopperdahl 2002, cohesion lost by crushing."""
    return FoamLaw(
        modulus_mpa=KOPPERDAHL_E,
        modulus_power=KOPPERDAHL_E_POWER,
        strength_mpa=KOPPERDAHL_Y,
        strength_power=KOPPERDAHL_Y_POWER,
        weak_plane=True,
        across=math.sqrt(TRANSVERSE_MODULUS),
    )

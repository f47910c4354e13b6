"""One inflation and deflation: small steps of volume, what stops them, and the curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from endplate.cited import cited
from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Step
from endplate.numerics.mpm.load_stepping import deflate
from endplate.repair.kyphoplasty.body_model import BodyModel
from endplate.repair.kyphoplasty.height_gain import BodyHeights, TrackedPlates
from endplate.repair.kyphoplasty.inflation_result import NOT_MEASURED, WallDisplacement
from endplate.repair.kyphoplasty.placement import clearance_mm, to_lps_mm, to_model_mm
from endplate.repair.kyphoplasty.wall_displacement import back_wall, side_wall
from endplate.repair.site.bone import Bone
from endplate.repair.site.pedicle import SLIPS, arch_of, in_arch, wall_mm

STEP_VOXELS = cited(0.2, "voxel", "Own trial: a balloon wall moves this far in a step", "design")
STEP_MM = cited(0.4, "mm", "Own choice: on fine grids at least this far, to keep the number of steps down", "design")
MAX_STEP_VOXELS = cited(0.4, "voxel", "Own choice: and never farther than this", "design")
ON_THE_WAY = cited(
    2.0,
    "1",
    "Own measurement: of the tolerance, before the last step; the pressure on the way is 1 % less sure",
    "design",
)
MAX_SLIPPED = cited(0.02, "1", "Own choice: more bone in a balloon than this is told", "design")
MIN_STEP = cited(0.1, "1", "Own choice: a step that fails at a tenth of its size is given up", "design")
FIRST_STEP = cited(0.25, "1", "Own choice: of a usual step, while it is not known how much one lifts", "design")
CAUTION = cited(0.8, "1", "Own choice: of the room left below a height, as gains tend to quicken", "design")
MAX_QUICKENING = cited(
    4.0, "1", "Own choice: a gain is not expected to quicken more than this from step to step", "design"
)
CLEARANCE_MM = cited(2.0, "mm", "own choice: stop when the balloon comes this near to cortex or endplate", "design")
CLEAR_LOSS_MM = cited(
    0.7,
    "mm",
    "own target, docs/theory.md: error of reading a height; a smaller loss is no target, a larger rise no gain",
    "design",
)
MAX_BACK_MM = cited(
    1.0, "mm", "Own choice: a move of the back wall towards the canal that is seen in the lateral view", "design"
)
MAX_SIDE_MM = cited(
    2.0, "mm", "Own choice: front or side wall this far out: the balloon leaves the body and lifts no more", "design"
)
PLACES = ("at the front", "in the middle", "at the back")
"""Where the heights of a shape are read, in their order."""
WALLS = ("back wall pushed by {:.1f} mm towards the canal", "front or side wall pushed out by {:.1f} mm")
"""Why a wall ends an inflation; after the places in what a run limits."""
INFLATION_SHARE = cited(
    0.8, "1", "Own measurement: share of the run that inflation takes, for the progress bar", "design"
)

StepDone = Callable[[float], None]


@dataclass(slots=True, kw_only=True, eq=False)
class InflationCurve:
    """What a run went through: curve, shapes, why inflation stopped, and what found no equilibrium.

    Attributes
    ----------
    start, before : as the scan shows the body, and settled under the preload.
    wall_displacement_inflated_mm, wall_displacement_deflated_mm : how far the posterior, and the anterior
    or lateral walls, went out since then; None without one.
    """

    volume_ml: list[float] = field(default_factory=list)
    pressure_mpa: list[float] = field(default_factory=list)
    start: BodyHeights
    before: BodyHeights
    full: BodyHeights
    deflated: BodyHeights
    wall_displacement_inflated_mm: WallDisplacement = NOT_MEASURED
    wall_displacement_deflated_mm: WallDisplacement = NOT_MEASURED
    stop: str = ""
    unconverged: list[str] = field(default_factory=list)


class InflationRun:
    """A body with balloons on its way.

    Parameters
    ----------
    planned_ml : volume of each balloon to stop at. max_gain_mm : (anterior, middle, posterior) gain that reaches the
    intact heights, None where they are unknown. max_pushed_mm : of back wall, and of front and
    sides; None for any.
    """

    def __init__(
        self,
        model: BodyModel,
        bone: Bone,
        plates: TrackedPlates,
        planned_ml: Sequence[float],
        max_gain_mm: tuple[float, float, float] | None,
        max_pushed_mm: tuple[float, float] | None,
        done: StepDone,
    ) -> None:
        self.model, self.engine, self.plates, self.done = model, model.engine, plates, done
        self.grid = bone.field.grid
        self.edge_mm = float(self.grid.spacing_mm[0])
        step_mm = max(float(STEP_VOXELS) * self.edge_mm, float(STEP_MM))
        self.wall_mm = min(step_mm, float(MAX_STEP_VOXELS) * self.edge_mm)
        self.planned_mm3 = 1000 * np.asarray(planned_ml, float)
        self.target_mm3 = np.array([balloon.volume() for balloon in self.engine.balloons])
        self.empty_mm3 = self.target_mm3.copy()
        self.last_rise, self.last_rate = np.zeros(5), np.zeros(5)
        self.nearest = 0
        self.open = np.ones(self.target_mm3.size, bool)
        self.max_gain = None if max_gain_mm is None else np.asarray(max_gain_mm, float)
        gains = np.full(3, np.inf) if self.max_gain is None else np.maximum(self.max_gain, float(CLEAR_LOSS_MM))
        self.max_rise = np.append(gains, (np.inf, np.inf) if max_pushed_mm is None else max_pushed_mm)
        self.near = bool(np.isfinite(self.max_rise).any())
        self.reasons: list[str] = [""] * self.target_mm3.size
        self.engine.carry("upper", to_model_mm(self.grid, plates.upper_mm))
        self.engine.carry("lower", to_model_mm(self.grid, plates.lower_mm))
        self.engine.carry("wall", wall_mm(bone))
        self.walls = {"back": back_wall(bone), "side": side_wall(bone)}
        for name, wall in self.walls.items():
            self.engine.carry(name, wall.points_mm)
        self.arch = arch_of(bone)
        self.behind = self._in_arch()

    def go(self) -> InflationCurve:
        """Settle under the preload, inflate, deflate."""
        start = self.shape()
        course = InflationCurve(start=start, before=start, full=start, deflated=start)
        self._settle(course)
        course.before = course.full = course.deflated = self.shape()
        self.settled_mm = {name: self.engine.carried[name].copy() for name in self.walls}
        self._record(course)
        self._inflate(course)
        course.wall_displacement_inflated_mm = self._pushed_mm()
        self._look_inside(course)
        self._deflate(course)
        course.wall_displacement_deflated_mm = self._pushed_mm()
        return course

    def shape(self) -> BodyHeights:
        """Heights now."""
        upper, lower = (to_lps_mm(self.grid, self.engine.carried[name]) for name in ("upper", "lower"))
        return self.plates.shape(upper, lower)

    def _pushed_mm(self) -> WallDisplacement:
        """How far the walls have gone out since the body settled."""
        went = {
            name: wall.pushed_mm(self.settled_mm[name], self.engine.carried[name], self.edge_mm)
            for name, wall in self.walls.items()
        }
        return WallDisplacement(**went)

    def _settle(self, course: InflationCurve) -> None:
        """Bring the preload on while the balloons keep their volume."""
        try:
            self._step()
        except SolverError as error:
            course.stop = f"the body does not carry the preload: {error}"
            course.unconverged.append(course.stop)

    def _step(self) -> Step:
        return self.engine.step(replace(self.model.load, volume_mm3=tuple(self.target_mm3)))

    def _step_on_the_way(self) -> Step:
        """A step solved less tightly: each finds the equilibrium of its own, so nothing adds up."""
        usual = self.engine.settings
        self.engine.settings = replace(usual, tolerance=float(ON_THE_WAY) * usual.tolerance)
        try:
            return self._step()
        finally:
            self.engine.settings = usual

    def _look_inside(self, course: InflationCurve) -> None:
        """Say so where bone slipped through the surface of a full balloon: it then lifts less than it should."""
        cloud = self.engine.particles
        slipped = sum(float(cloud.volume[cloud.inside(item.surface)].sum()) for item in self.engine.balloons)
        share = slipped / float(self.target_mm3.sum())
        if share > MAX_SLIPPED:
            course.unconverged.append(f"bone slipped into {share:.0%} of the balloons: gains are too small")

    def _record(self, course: InflationCurve) -> None:
        course.volume_ml.append(float(self.target_mm3.sum() - self.empty_mm3.sum()) / 1000)
        course.pressure_mpa.append(max(balloon.pressure_mpa for balloon in self.engine.balloons))

    def _inflate(self, course: InflationCurve) -> None:
        """Steps until every balloon has a reason to stop."""
        share = float(FIRST_STEP) if self.near else 1.0
        while not course.stop:
            course.stop = self._why_stop(share)
            if course.stop:
                return
            before = self.target_mm3.copy()
            area = np.array([balloon.surface.area() for balloon in self.engine.balloons])
            by = share * self.wall_mm * area
            full = self.planned_mm3 + self.empty_mm3
            self.target_mm3 = np.where(self.open, np.minimum(before + by, full), before)
            last = self.near or bool((self.target_mm3 >= full)[self.open].all())
            try:
                step = self._step() if last else self._step_on_the_way()
            except SolverError as error:
                self.target_mm3 = before
                share /= 2
                if share < MIN_STEP:
                    course.stop = f"no equilibrium beyond this volume, last good state kept ({error.args[0]})"
                    course.unconverged.append(course.stop)
                continue
            self._record(course)
            course.full = self.shape()
            room, reach = CAUTION * self._room(course, share), CAUTION * self._reach(step)
            self.near = room < 1
            free = max(share * min(max(reach, 0.5), 2.0, 1.0 / share), float(MIN_STEP))
            share = min(free, share * room)
            self.done(float(INFLATION_SHARE) * self._share_done())

    def _reach(self, step: Step) -> float:
        """How many steps like the last one make a step that moves bone as far as one step may."""
        return self.engine.settings.max_move * self.edge_mm / max(step.largest_move_mm, 1e-6)

    def _share_done(self) -> float:
        return float(((self.target_mm3 - self.empty_mm3) / np.maximum(self.planned_mm3, 1e-9)).min())

    def _why_stop(self, share: float) -> str:
        """Close the balloons that reached a limit; the reason once none is left."""
        if share < MIN_STEP:
            return self._risen()
        for place, balloon in enumerate(self.engine.balloons):
            if self.open[place]:
                self.reasons[place] = self._limit(place, balloon.pressure_mpa >= balloon.max_mpa)
                self.open[place] = not self.reasons[place]
        return "" if self.open.any() else "; ".join(dict.fromkeys(self.reasons))

    def _risen(self) -> str:
        """What went as far as it may; a height that had lost nothing may rise by no more than its error."""
        if self.nearest >= len(PLACES):
            return WALLS[self.nearest - len(PLACES)].format(self.last_rise[self.nearest])
        where = PLACES[self.nearest]
        if self.max_gain is not None and self.max_gain[self.nearest] < CLEAR_LOSS_MM:
            return f"raised by {float(CLEAR_LOSS_MM):g} mm {where}, which had lost no height"
        return f"target height reached {where}"

    def _limit(self, place: int, pressed: bool) -> str:
        balloon = self.engine.balloons[place]
        if self.target_mm3[place] >= balloon.max_mm3:
            return "largest volume of the balloon reached"
        if self.target_mm3[place] - self.empty_mm3[place] >= self.planned_mm3[place] - 1e-6:
            return "planned volume reached"
        if pressed:
            return "largest pressure of the balloon reached"
        if self._in_arch()[place] > self.behind[place]:
            return SLIPS
        near = clearance_mm(balloon.surface, self.engine.carried["wall"]) + self.edge_mm / 2
        return f"balloon within {float(CLEARANCE_MM):g} mm of cortex or endplate" if near <= CLEARANCE_MM else ""

    def _in_arch(self) -> list[int]:
        """Vertices of each balloon that lie in the arch."""
        balloons = self.engine.balloons
        return [int(in_arch(self.arch, item.surface.vertices, self.edge_mm).sum()) for item in balloons]

    def _room(self, course: InflationCurve, share: float) -> float:
        """How many steps like the last one heights and walls have left, if they quicken as they just did."""
        gain = np.array(course.full.heights_mm) - course.before.heights_mm
        rise = np.append(gain, [pushed or 0.0 for pushed in self._pushed_mm()])
        by, self.last_rise = rise - self.last_rise, rise
        rate, before = by / share, self.last_rate
        self.last_rate = rate
        quicker = np.clip(np.divide(rate, before, out=np.ones(5), where=before > 1e-6), 1, float(MAX_QUICKENING))
        free = np.maximum(self.max_rise - rise, 0)
        left = np.divide(free, by * quicker, out=np.full(5, np.inf), where=by > 1e-6)
        self.nearest = int(left.argmin())
        return float(left.min())

    def _deflate(self, course: InflationCurve) -> None:
        """Let the pressure out in steps; where that finds no equilibrium the last good state is kept."""
        first = float(INFLATION_SHARE)
        went = deflate(self.engine, self.model.load, progress=lambda part: self.done(first + (1 - first) * part))
        if not went.converged:
            course.unconverged.append(f"deflation ended early, last good state kept: {went.stop}")
        course.deflated = self.shape()

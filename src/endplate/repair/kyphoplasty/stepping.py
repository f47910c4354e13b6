"""One inflation and deflation: small steps of volume, what stops them, and the curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from endplate.cited import cited
from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Step
from endplate.numerics.mpm.particles_to_voxels import cavity_share
from endplate.progress import Share, Sight, offer_look, read_gauge
from endplate.repair.kyphoplasty.body_model import BodyModel
from endplate.repair.kyphoplasty.course import InflationCourse, InflationCurve
from endplate.repair.kyphoplasty.height_gain import BodyHeights, TrackedPlates
from endplate.repair.kyphoplasty.inflation_result import WallDisplacement
from endplate.repair.kyphoplasty.letting_down import let_down
from endplate.repair.kyphoplasty.on_the_way import on_the_way
from endplate.repair.kyphoplasty.placement import clearance_mm, to_lps_mm, to_model_mm
from endplate.repair.kyphoplasty.posture import raise_front
from endplate.repair.kyphoplasty.standing_up import stood_up
from endplate.repair.kyphoplasty.stop_rules import CAUTION, CONTACT_MM, NO_LIFT, Rises, lifts_no_more
from endplate.repair.kyphoplasty.wall_displacement import back_wall, side_wall
from endplate.repair.site.bone import Bone
from endplate.repair.site.pedicle import SLIPS, arch_of, cortex_mm, in_arch

STEP_MM = cited(0.4, "mm", "Own measurement: steps of 0.2 mm give the same gains; row R26.2 shows it", "design")
MAX_STEP_VOXELS = cited(0.4, "voxel", "Own choice: and never farther than this", "design")
MAX_SLIPPED = cited(0.02, "1", "Own choice: more bone in a balloon than this is reported", "design")
MIN_STEP = cited(0.1, "1", "Own choice: a step that fails at a tenth of its size is given up", "design")
FIRST_STEP = cited(0.25, "1", "Own choice: of a usual step, while it is not known how much one lifts", "design")
STAYS = "stents and jacks stay as wide as they were made: taken as rigid, so that nothing is lost again"
INFLATION_SHARE = cited(
    0.8, "1", "Own measurement: share of the run that inflation takes, for the progress bar", "design"
)


class InflationRun:
    """A body with balloons on its way.

    Parameters
    ----------
    planned_ml : volume of each balloon to stop at. max_gain_mm : (anterior, middle, posterior) height that the body
    lost, None where it is unknown. max_pushed_mm : of back wall, and of front and sides; None for any.
    extension_deg : by which the neighbours are extended on the table before the balloons. follow : go on beyond a wall
    that moves, to show what would follow. step_share : of the usual step. stays : stents keep their volume.
    loads_n : of the table and of standing, to look at what standing takes; None not to.
    """

    def __init__(  # noqa: PLR0913
        self,
        model: BodyModel,
        bone: Bone,
        plates: TrackedPlates,
        planned_ml: Sequence[float],
        max_gain_mm: tuple[float, float, float] | None,
        max_pushed_mm: tuple[float, float] | None,
        done: Share,
        *,
        extension_deg: float = 0.0,
        follow: bool = False,
        step_share: float = 1.0,
        stays: bool = False,
        loads_n: tuple[float, float] | None = None,
    ) -> None:
        self.model, self.engine, self.plates, self.done = model, model.engine, plates, done
        self.grid = bone.field.grid
        self.edge_mm = float(self.grid.spacing_mm[0])
        self.extension_deg, self.follow, self.stays = extension_deg, follow, stays
        self.loads_n = loads_n
        self.wall_mm = step_share * min(float(STEP_MM), float(MAX_STEP_VOXELS) * self.edge_mm)
        self.planned_mm3 = 1000 * np.asarray(planned_ml, float)
        self.target_mm3 = np.array([balloon.volume() for balloon in self.engine.balloons])
        self.start_mm3 = self.target_mm3.copy()
        self.empty_mm3 = self.target_mm3.copy()
        self.filling = False
        self.open = np.ones(self.target_mm3.size, bool)
        self.rises = Rises(max_gain_mm, max_pushed_mm)
        self.near = self.rises.watched
        self.reasons: list[str] = [""] * self.target_mm3.size
        self.engine.carry("upper", to_model_mm(self.grid, plates.upper_mm))
        self.engine.carry("lower", to_model_mm(self.grid, plates.lower_mm))
        self.engine.carry("cortex", cortex_mm(bone))
        self.walls = {"back": back_wall(bone), "side": side_wall(bone)}
        for name, wall in self.walls.items():
            self.engine.carry(name, wall.points_mm)
        self.arch = arch_of(bone)
        self.behind = self._in_arch()

    def go(self) -> InflationCourse:
        """Settle under the preload, place on the table, inflate, deflate."""
        start = self.shape()
        course = InflationCourse(start=start, settled=start, before=start, full=start, deflated=start)
        self._settle(course)
        course.settled = self.shape()
        if self.loads_n is not None and not course.stop:
            course.upright, course.fell = stood_up(self, *self.loads_n)
        self._extend(course)
        self._fill_channels()
        course.before = course.full = course.deflated = self.shape()
        self.settled_mm = {name: self.engine.carried[name].copy() for name in self.walls}
        self._record(course, course.curve)
        self._inflate(course, course.curve)
        course.full = self.shape()
        course.wall_displacement_inflated_mm = self._pushed_mm()
        self._look_inside(course)
        self._look_beyond(course)
        self._deflate(course)
        course.wall_displacement_deflated_mm = self._pushed_mm()
        return course

    def shape(self) -> BodyHeights:
        """Heights now."""
        upper, lower = (to_lps_mm(self.grid, self.engine.carried[name]) for name in ("upper", "lower"))
        return self.plates.shape(upper, lower)

    def _pushed_mm(self) -> WallDisplacement:
        """How far the walls have gone out since the balloons began."""
        went = {
            name: wall.pushed_mm(self.settled_mm[name], self.engine.carried[name]) for name, wall in self.walls.items()
        }
        return WallDisplacement(**went)

    def _settle(self, course: InflationCourse) -> None:
        """Bring the preload on while the balloons are empty."""
        try:
            self._step()
        except SolverError as error:
            course.curve.stop = f"the body does not carry the preload: {error}"
            course.unconverged.append(course.curve.stop)

    def _extend(self, course: InflationCourse) -> None:
        """Extend the neighbours; the supports then stay where the table holds them."""
        if course.stop or self.extension_deg <= 0:
            return
        went = raise_front(self, self.extension_deg, course.start)
        if went:
            course.unconverged.append(went)

    def settle(self, *, loosely: bool = False) -> Step:
        """One step under the present load, less tightly where it is one on the way."""
        if not loosely:
            return self._step()
        with on_the_way(self.engine, shown=True):
            return self._step()

    def _fill_channels(self) -> None:
        """From here on the balloons have a volume: that of their channels as load and table have left them."""
        self.target_mm3 = np.array([balloon.volume() for balloon in self.engine.balloons])
        self.empty_mm3, self.filling = self.target_mm3.copy(), True

    def _step(self) -> Step:
        if not self.filling:
            # an empty balloon neither props its channel open nor pulls it shut
            return self.engine.step(replace(self.model.load, pressure_mpa=(0.0,) * self.target_mm3.size))
        return self.engine.step(replace(self.model.load, volume_mm3=tuple(self.target_mm3)))

    def _look_inside(self, course: InflationCourse) -> None:
        """Say so where bone slipped through the surface of a full balloon: it then lifts less than it should."""
        cloud = self.engine.particles
        slipped = sum(float(cloud.volume[cloud.inside(item.surface)].sum()) for item in self.engine.balloons)
        share = slipped / float(self.target_mm3.sum())
        if share > MAX_SLIPPED:
            course.unconverged.append(f"bone slipped into {share:.0%} of the balloons: gains are too small")

    def _look_beyond(self, course: InflationCourse) -> None:
        """Where a wall ended the inflation, what would follow if one inflated on; the state is then put back."""
        if not self.follow or not course.stop or not self.rises.by_wall or self.open.sum() == 0:
            return
        saved, target, domain = self.engine.save(), self.target_mm3.copy(), self.engine.domain
        # what is looked at leaves no trace: its mesh, too, is its own
        self.engine.take_domain(domain.anew())
        self.rises.without_walls()
        self.near = self.rises.watched
        course.beyond = InflationCurve()
        self._record(course, course.beyond)
        self._inflate(course, course.beyond)
        self.engine.restore(saved)
        self.engine.take_domain(domain)
        self.target_mm3 = target

    def _record(self, course: InflationCourse, curve: InflationCurve) -> None:
        gain = np.array(self.shape().heights_mm) - course.before.heights_mm
        curve.volume_ml.append(float(self.target_mm3.sum() - self.empty_mm3.sum()) / 1000)
        curve.pressure_mpa.append(max(balloon.pressure_mpa for balloon in self.engine.balloons))
        if curve is course.curve:
            read_gauge(self.done, curve.volume_ml[-1], curve.pressure_mpa[-1])
            offer_look(self.done, self._sight)
        curve.gain_mm.append((float(gain[0]), float(gain[1]), float(gain[2])))
        curve.pushed_mm.append(self._pushed_mm())

    def _sight(self) -> Sight:
        """What the balloons fill now."""
        return Sight(kind="cavity", share=np.asarray(cavity_share(self.engine), np.float32), affine=self.grid.affine)

    def _inflate(self, course: InflationCourse, curve: InflationCurve) -> None:
        """Steps until every balloon has a reason to stop."""
        share = float(FIRST_STEP) if self.near else 1.0
        risen = np.array(course.before.heights_mm) - course.start.heights_mm
        while not curve.stop:
            curve.stop = self._why_stop(curve, share)
            if curve.stop:
                return
            before = self.target_mm3.copy()
            area = np.array([balloon.surface.area() for balloon in self.engine.balloons])
            by = share * self.wall_mm * area
            full = self.planned_mm3 + self.empty_mm3
            self.target_mm3 = np.where(self.open, np.minimum(before + by, full), before)
            near = self.near and len(curve.volume_ml) > 1
            last = near or bool((self.target_mm3 >= full)[self.open].all())
            saved = self.engine.save()
            try:
                step = self.settle(loosely=not last)
            except SolverError as error:
                self.target_mm3 = before
                share /= 2
                if share < MIN_STEP:
                    curve.stop = f"no equilibrium beyond this volume, last good state kept ({error.args[0]})"
                    course.unconverged.append(curve.stop)
                continue
            if self.rises.passed(np.array(self.shape().heights_mm) - course.start.heights_mm):
                self.engine.restore(saved)
                self.target_mm3, self.near = before, True
                share /= 2
                continue
            self._record(course, curve)
            gain = np.array(curve.gain_mm[-1]) + risen
            room = CAUTION * self.rises.room(gain, curve.pushed_mm[-1], share)
            reach = CAUTION * self._reach(step)
            self.near = room < 1
            free = max(share * min(max(reach, 0.5), 2.0, 1.0 / share), MIN_STEP)
            share = min(free, share * room)
            self.done(INFLATION_SHARE * self._share_done())

    def _reach(self, step: Step) -> float:
        """How many steps like the last one make a step that moves bone as far as one step may."""
        return self.engine.settings.max_move * self.edge_mm / max(step.largest_move_mm, 1e-6)

    def _share_done(self) -> float:
        return float(((self.target_mm3 - self.empty_mm3) / np.maximum(self.planned_mm3, 1e-9)).min())

    def _why_stop(self, curve: InflationCurve, share: float) -> str:
        """Close the balloons that reached a limit; the reason once none is left."""
        if share < MIN_STEP:
            return self.rises.reached()
        for place, balloon in enumerate(self.engine.balloons):
            if self.open[place]:
                self.reasons[place] = self._limit(place, balloon.pressure_mpa >= balloon.max_mpa)
                self.open[place] = not self.reasons[place]
        if not self.open.any():
            return "; ".join(dict.fromkeys(self.reasons))
        return NO_LIFT if lifts_no_more(curve) else ""

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
        near = clearance_mm(balloon.surface, self.engine.carried["cortex"])
        return "balloon in contact with the cortex" if near <= CONTACT_MM else ""

    def _in_arch(self) -> list[int]:
        """Vertices of each balloon that lie in the arch."""
        balloons = self.engine.balloons
        return [int(in_arch(self.arch, item.surface.vertices, self.edge_mm).sum()) for item in balloons]

    def _deflate(self, course: InflationCourse) -> None:
        """Let the pressure out in steps; where that finds no equilibrium the last good state is kept."""
        if self.stays:
            course.deflated, course.down = self.shape(), STAYS
            return
        first = INFLATION_SHARE
        held = replace(self.model.load, volume_mm3=tuple(balloon.volume() for balloon in self.engine.balloons))
        failed, course.down = let_down(
            self.engine, self.model.load, held, lambda part: self.done(first + (1 - first) * part)
        )
        if failed:
            course.unconverged.append(f"deflation ended early, last good state kept: {failed}")
        course.deflated = self.shape()

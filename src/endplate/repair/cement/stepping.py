"""The course of an injection: step after step, and what ends it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import SolverError
from endplate.image.volume import Grid
from endplate.numerics.porous_flow.body import Field
from endplate.numerics.porous_flow.front import Flow, FrontSolver, Source
from endplate.numerics.porous_flow.needle_source import tip_pressure_mpa
from endplate.numerics.porous_flow.rheology import pipe_drop_mpa
from endplate.progress import Share, Sight, offer_look, read_gauge
from endplate.repair.cement.injection_plan import InjectionPlan, Portion
from endplate.repair.cement.porous_site import Site
from endplate.repair.device.cement import BODY_WARMTH, END_POINT_PA_S, Cement

STEPS = cited(
    40, "1", "Steps of the planned volume: the curve's resolution; the front itself bears longer ones", "design"
)
MIN_STEP_ML = cited(0.02, "mL", "An opening is met to within a drop", "design")
SECONDS_PER_MIN = cited(60.0, "s/min", "Definition of the minute", "verified", cite="bipm_si")
MPA_PER_PA = cited(1e-6, "MPa/Pa", "Definition of the prefix", "verified", cite="bipm_si")
FILLED = cited(0.5, "1", "Cement counts as arrived where it has taken half of a voxel's pores", "design")
MIN_LEAK_MM3 = cited(1e-3, "mm3", "Less than a thousandth of a drop outside is none", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """When an opening was reached."""

    time_s: float
    injected_ml: float


class InjectionRun:
    """The state of an injection and its history.

    Attributes
    ----------
    curve : rows of time s, injected mL, bone pressure MPa, cannula pressure MPa. events : by number of the opening.
    """

    def __init__(
        self,
        site: Site,
        cement: Cement,
        plan: InjectionPlan,
        posterior: NDArray[np.bool_],
        planned_ml: float,
        grid: Grid | None = None,
    ) -> None:
        self.grid = grid
        self.site, self.cement, self.plan, self.planned_ml = site, cement, plan, planned_ml
        self.flow, self.stepper = Flow.empty(site.body), FrontSolver(site.body)
        self.time_s, self.injected_ml, self.stop, self.converged = 0.0, 0.0, "planned volume", True
        self.curve: list[tuple[float, float, float, float]] = [(0.0, 0.0, 0.0, 0.0)]
        self.events: dict[int, Event] = {}
        self._posterior = site.body.flat(posterior)
        self._step_ml = planned_ml / int(STEPS)

    def push(self, portion: Portion, tell: Share) -> bool:
        """Inject a portion; False when something ended the injection."""
        self.time_s += portion.rest_s
        left = portion.volume_ml
        while left > 1e-9:
            step = min(self._step_ml, left)
            taken, reason = self._step(portion.needles, step)
            left -= taken
            read_gauge(tell, self.injected_ml, self.curve[-1][2])
            tell(min(self.injected_ml / self.planned_ml, 1.0))
            if self.grid is not None:
                offer_look(tell, self._sight)
            if reason:
                self.stop = reason
                return False
        return True

    def _sight(self) -> Sight:
        """Where the cement is now."""
        affine = np.eye(4) if self.grid is None else self.grid.affine
        share = np.asarray(self.site.body.unflat(self.flow.saturation), np.float32)
        return Sight(kind="cement", share=share, affine=affine)

    def _step(self, needles: tuple[int, ...], volume_ml: float) -> tuple[float, str]:
        """One step, shortened until what ends the injection is met closely; the volume taken, and why it ends.

        A step that finds no solution ends the injection too, with the state before it kept.
        """
        while True:
            duration = volume_ml / self.plan.flow_ml_s
            source, end = self._source(needles, duration), self.time_s + duration
            shortest = volume_ml <= MIN_STEP_ML
            try:
                after = self.stepper.step(self.flow, source, self._consistency(end - duration / 2))
            except SolverError as error:
                if shortest:
                    self.converged = False
                    return 0.0, f"no solution beyond {self.injected_ml:.2f} mL: {error.what}"
                volume_ml /= 2
                continue
            pressure = self._pressures(needles, after, end)
            reason = self._reason(after, end, sum(pressure))
            if not reason or shortest:
                break
            volume_ml /= 2
        self.flow, self.time_s = after, end
        self.injected_ml += volume_ml
        self.curve.append((self.time_s, self.injected_ml, *pressure))
        self._note_openings()
        return volume_ml, reason

    def _source(self, needles: tuple[int, ...], duration_s: float) -> Source:
        tips = [self.site.tips[number] for number in needles]
        each = self._flow_mm3_s(needles)
        return Source(
            cells=np.concatenate([tip.cells for tip in tips]),
            flow_mm3_s=np.concatenate([each * tip.share for tip in tips]),
            time_s=self.time_s,
            duration_s=duration_s,
        )

    def _flow_mm3_s(self, needles: tuple[int, ...]) -> float:
        """Flow through each of the needles at work."""
        return 1000 * self.plan.flow_ml_s / len(needles)

    def _consistency(self, time_s: float) -> Field:
        """K of every voxel, MPa s^n: cement in the body is warm and thickens faster than in the syringe."""
        warm = (time_s - self.flow.entered_s) * (1 / BODY_WARMTH - 1)
        age = np.where(self.flow.saturation > 0, time_s + np.maximum(warm, 0), time_s)
        return self._thickened(1.0) * np.exp(np.minimum(age / self._growth_s, math.log(_max_growth(self.cement))))

    @property
    def _growth_s(self) -> float:
        return SECONDS_PER_MIN * self.cement.growth_min

    def _thickened(self, factor: float) -> float:
        """K at the start times a factor, MPa s^n."""
        return float(self.cement.consistency_pa_s) * MPA_PER_PA * factor

    def _pressures(self, needles: tuple[int, ...], after: Flow, time_s: float) -> tuple[float, float]:
        """Pressure at the tips, the highest, and along the cannula, MPa; cement in the cannula is at room warmth."""
        fresh = self._thickened(math.exp(time_s / self._growth_s))
        each, full = self._flow_mm3_s(needles), after.full
        tips = [(self.site.tips[n], self.site.needles[n].needle) for n in needles]
        bone = max(tip_pressure_mpa(self.site.body, tip, after.pressure, full, each, fresh) for tip, _ in tips)
        pipe = max(
            pipe_drop_mpa(fresh, self.cement.shear_exponent, each, needle.length_mm, needle.inner_mm)
            for _, needle in tips
        )
        return bone, pipe

    def _reason(self, after: Flow, time_s: float, pressure_mpa: float) -> str:
        """Why the injection ends with this state; empty when it goes on."""
        if self.plan.stop_at_opening:
            for opening, cells in zip(self.site.openings, self.site.opening_cells, strict=True):
                if opening.route != "cleft" and after.leaked_mm3[cells].sum() > MIN_LEAK_MM3:
                    return f"opening reached: {opening.name}"
        if self.plan.stop_at_posterior_quarter and (after.saturation[self._posterior] >= FILLED).any():
            return "posterior quarter reached"
        if pressure_mpa > self.plan.max_mpa:
            return "pressure limit"
        if self.plan.max_s is not None and time_s >= self.plan.max_s:
            return "time limit"
        if math.exp(min(time_s / self._growth_s, 100)) >= _max_growth(self.cement):
            return "end of handling"
        return ""

    def _note_openings(self) -> None:
        """Record the openings that cement has now reached for the first time."""
        for number, (opening, cells) in enumerate(zip(self.site.openings, self.site.opening_cells, strict=True)):
            if number in self.events:
                continue
            if opening.route == "cleft":
                there = bool((self.flow.saturation[cells] >= FILLED).any())
            else:
                there = float(self.flow.leaked_mm3[cells].sum()) > MIN_LEAK_MM3
            if there:
                self.events[number] = Event(time_s=self.time_s, injected_ml=self.injected_ml)


def _max_growth(cement: Cement) -> float:
    """Growth of K to the end point of handling."""
    return END_POINT_PA_S / float(cement.consistency_pa_s)

"""What is to be injected: how much, how fast, in which portions, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from endplate.cited import cited
from endplate.errors import OptionError

FILL = cited(0.20, "1", "own choice: plan 20 % of the body's volume, range 15-30 %", "design")
MAX_ML = cited(
    7.0,
    "mL",
    "embolism 0.9 % above 7 mL against 0.11 % below, n 3175 (abstract)",
    "verified",
    cite="cement_embolism_2019",
)
FLOW_ML_S = cited(0.1, "mL/s", "own choice: a slow hand injection", "design")
PAUSE_S = cited(30.0, "s", "A look at the fluoroscope and the next syringe", "design")
MAX_MPA = cited(5.0, "MPa", "A hand on a 1 mL syringe: 100 N over 17 mm2 is 6 MPa; rounded down", "design")
FASTEST_ML_S = cited(1.0, "mL/s", "A whole syringe in a second: beyond any injection by hand", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionPlan:
    """How to inject.

    Attributes
    ----------
    volume_ml : planned; None takes 20 % of the body, and no less than fills a balloon's cavity, at most 7 mL.
    flow_ml_s : through all needles together.
    portions : shares of the volume; between them the needle rests for `pause_s`.
    order : two needles "together", each with its part of the flow, or "in turn", one after the other.
    stop_at_opening : stop when cement leaves the body; False goes on and counts the leak.
    stop_at_posterior_quarter : stop when cement fills voxels in the posterior quarter of the body.
    max_mpa : pressure in the syringe at which the hand gives up. max_s : time limit beside the end of handling.
    permeability_factor : on the bone's permeability, uncertain by a factor of 3 either way.
    """

    volume_ml: float | None = None
    flow_ml_s: float = FLOW_ML_S
    portions: tuple[float, ...] = (1.0,)
    pause_s: float = PAUSE_S
    order: Literal["together", "in turn"] = "together"
    stop_at_opening: bool = True
    stop_at_posterior_quarter: bool = True
    max_mpa: float = MAX_MPA
    max_s: float | None = None
    permeability_factor: float = 1.0

    def __post_init__(self) -> None:
        if self.volume_ml is not None and not self.volume_ml >= 0:
            raise OptionError(f"cement volume {self.volume_ml} mL", "less than nothing", "choose 0 mL or more")
        if not 0 < self.flow_ml_s <= FASTEST_ML_S:
            raise OptionError(
                f"flow {self.flow_ml_s} mL/s", "no hand injects so", f"choose up to {FASTEST_ML_S:g} mL/s"
            )
        if not self.portions or min(self.portions) <= 0 or abs(sum(self.portions) - 1) > 1e-6:
            raise OptionError(f"portions {self.portions}", "they are shares of the volume", "let them add up to 1")
        if self.order not in ("together", "in turn"):
            raise OptionError(f"order {self.order!r}", "two needles work in one way", "choose 'together' or 'in turn'")
        limits = (self.max_mpa, self.permeability_factor, 1.0 if self.max_s is None else self.max_s)
        if self.pause_s < 0 or not all(limit > 0 for limit in limits):
            raise OptionError("a limit of the injection", "pressure, time, permeability are above 0", "correct it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """One push of the plunger: which needles, how much, and the rest before it."""

    needles: tuple[int, ...]
    volume_ml: float
    rest_s: float


def planned_volume_ml(plan: InjectionPlan, body_ml: float, cavity_ml: float = 0.0) -> float:
    """Volume to inject into a body with a cavity."""
    if plan.volume_ml is not None:
        return plan.volume_ml
    return min(max(FILL * body_ml, cavity_ml), MAX_ML)


def portions_of(plan: InjectionPlan, volume_ml: float, needles: int) -> tuple[Portion, ...]:
    """Every push in order; with needles in turn each gets all its portions before the next begins."""
    groups = [tuple(range(needles))] if plan.order == "together" else [(needle,) for needle in range(needles)]
    pushes = [(group, share * volume_ml / len(groups)) for group in groups for share in plan.portions]
    return tuple(
        Portion(needles=group, volume_ml=volume, rest_s=plan.pause_s if number else 0.0)
        for number, (group, volume) in enumerate(pushes)
    )

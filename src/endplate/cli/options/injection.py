"""From the options of the injection to its plan, with a clear line for what has no meaning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from endplate.errors import OptionError

if TYPE_CHECKING:
    from endplate.cli.options.rehearse import RepairOptions
    from endplate.repair.cement.injection_plan import InjectionPlan

MAX_PORTIONS = 20
"""A syringe of 1 mL filled this often is more cement than any body takes."""
RANGES = {
    "pause_s": (0.0, 1800.0, "s"),
    "flow_ml_s": (0.005, 1.0, "mL/s"),
    "max_pressure_mpa": (0.01, 50.0, "MPa"),
    "max_time_s": (1.0, 3600.0, "s"),
}
"""Ends beyond which a value is a slip of the keyboard, by the name of the option."""
PLAN_NAMES = {"max_pressure_mpa": "max_mpa", "max_time_s": "max_s"}
"""Options whose part of the plan has another name."""


def injection_plan(repair: RepairOptions) -> InjectionPlan:
    """How the cement is injected, without its volume; what was not asked keeps its cited default.

    Raises
    ------
    OptionError : a value out of range, portions that do not add up, or a pause and an order that nothing needs.
    """
    from endplate.repair.cement.injection_plan import InjectionPlan

    plan = InjectionPlan(stop_at_opening=not repair.continue_on_leak)
    if repair.portions is not None:
        plan = replace(plan, portions=parse_portions(repair.portions))
    if repair.needle_order is not None:
        if repair.sides in ("left", "right"):
            text = f"--needle-order with --sides {repair.sides}"
            raise OptionError(text, "a single needle has no order", "leave one of them out")
        plan = replace(plan, order="in turn" if repair.needle_order == "in-turn" else "together")
    if repair.pause_s is not None and len(plan.portions) == 1 and plan.order == "together":
        raise OptionError("--pause-s with one portion", "there is nothing to rest between", "add --portions")
    given = {name: getattr(repair, name) for name in RANGES if getattr(repair, name) is not None}
    for name, value in given.items():
        low, high, unit = RANGES[name]
        if not low <= value <= high:
            option = f"--{name.replace('_', '-')} {value:g}"
            raise OptionError(option, "out of range", f"choose {low:g} to {high:g} {unit}")
    return replace(plan, **{PLAN_NAMES.get(name, name): value for name, value in given.items()})


def parse_portions(text: str) -> tuple[float, ...]:
    """Shares of the volume from a count ("3") or from shares ("0.5,0.3,0.2").

    Raises
    ------
    OptionError : neither, or shares that do not add up to 1.
    """
    wanted = f"give 1 to {MAX_PORTIONS} even portions, such as 3, or shares that add up to 1, such as 0.5,0.3,0.2"
    refused = OptionError(f"--portions {text!r}", "they share out the volume", wanted)
    parts = text.split(",")
    try:
        shares = tuple(float(part) for part in parts)
    except ValueError:
        raise refused from None
    if len(parts) == 1 and shares[0].is_integer() and 1 <= shares[0] <= MAX_PORTIONS:
        return (1 / shares[0],) * int(shares[0])
    if len(shares) > MAX_PORTIONS or not all(share > 0 for share in shares) or not abs(sum(shares) - 1) <= 1e-6:
        raise refused
    return shares

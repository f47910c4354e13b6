"""Keyword arguments of the verbs, and the settings they stand for: a volume of cement needs no nested imports."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, Literal, TypedDict, TypeVar

from endplate.api.errors import ArgumentTypeError, UnknownNameError
from endplate.bone.settings import RodSettings
from endplate.case.assess import AssessSettings
from endplate.errors import OptionError
from endplate.numerics.interface import Device
from endplate.repair.access.access_result import Procedure
from endplate.repair.access.settings import Route, Sides
from endplate.repair.device.balloon import DEFAULT, Balloon, choose_balloon
from endplate.repair.device.cement import Cement
from endplate.repair.device.needle import Needle
from endplate.repair.rehearsal.design import TWO_POINT, Mobility
from endplate.repair.rehearsal.rehearse import RehearsalSettings

MAX_CEMENT_ML = 15.0
"""More than any vertebral body holds: a slip of the keyboard."""
MEMBERS = {"kyphoplasty": TWO_POINT, "vertebroplasty": 0}
"""Runs of the ensemble where one procedure is rehearsed alone; both together have the usual design."""
Settings = TypeVar("Settings", AssessSettings, RehearsalSettings)


class MeasuringChoices(TypedDict, total=False):
    """How a case is measured; what is left out keeps its cited default."""

    voxel_mm: float
    law: str
    criterion: Literal["tresca", "von_mises"]
    load_case: Literal["axial", "flexed"]
    layer: Literal["pmma", "disc"]
    cortex: Literal["sampled", "kept"]
    mechanics: bool
    nonlinear: bool
    kvp: float
    calibration: tuple[float, float]
    rods: RodSettings
    device: Device


class RepairChoices(TypedDict, total=False):
    """What is rehearsed and with what; what is left out keeps its cited default."""

    procedure: Literal["vertebroplasty", "kyphoplasty", "both"]
    cement: str | Cement
    cement_ml: float
    flow_ml_s: float
    portions: tuple[float, ...]
    stop_at_opening: bool
    balloon: str | Balloon
    balloon_ml: float
    needle: str | Needle
    sides: Sides
    route: Route
    voxel_mm: float
    mobility: Mobility
    preload_n: float
    members: int
    member_voxel_mm: float
    seed: int


def measuring_settings(base: AssessSettings | None, choices: Mapping[str, Any]) -> AssessSettings:
    """Settings of every stage with some of them chosen by keyword.

    Raises
    ------
    ArgumentTypeError, UnknownNameError, OptionError
        What was given, why it has no meaning, what to give.
    """
    settings = checked(base, AssessSettings)
    refuse_unknown(choices, MeasuringChoices.__annotations__)
    line = choices.get("calibration")
    if line is not None and not (isinstance(line, tuple | list) and len(line) == 2):
        raise OptionError(f"calibration={line!r}", "a line has a slope and an offset", "give (0.8, -2.5), in mg/cm3")
    named = {"slope_mg_cm3_per_hu": line[0], "offset_mg_cm3": line[1]} if line is not None else {}
    return replace(
        settings,
        calibration=replace(settings.calibration, **named, **only(choices, "kvp", "rods")),
        model=replace(settings.model, **only(choices, "voxel_mm", "law", "layer", "cortex")),
        strength=replace(settings.strength, **only(choices, "criterion", "load_case", "nonlinear", "device")),
        **only(choices, "mechanics"),
    )


def rehearsal_settings(base: RehearsalSettings | None, choices: Mapping[str, Any]) -> RehearsalSettings:
    """Settings of a rehearsal with some of them chosen by keyword.

    Raises
    ------
    ArgumentTypeError, UnknownNameError, OptionError
        What was given, why it has no meaning, what to give.
    """
    settings = checked(base, RehearsalSettings)
    refuse_unknown(choices, RepairChoices.__annotations__)
    procedures = _procedures(choices["procedure"]) if "procedure" in choices else settings.run.procedures
    _refuse_idle(procedures, choices)
    members = settings.members if base is not None or len(procedures) > 1 else MEMBERS[procedures[0]]
    injection = replace(settings.run.injection, **only(choices, "flow_ml_s", "portions", "stop_at_opening"))
    if "cement_ml" in choices:
        injection = replace(injection, volume_ml=_volume("cement_ml", choices["cement_ml"], MAX_CEMENT_ML))
    path = replace(settings.run.path, **only(choices, "balloon", "needle", "sides", "route"))
    if "balloon_ml" in choices:
        each = float(choose_balloon(path.balloon or DEFAULT[0]).max_ml)
        _volume("balloon_ml", choices["balloon_ml"], each * (1 if path.sides in ("left", "right") else 2))
    model = replace(settings.run.model, **only(choices, "voxel_mm"))
    run = replace(
        settings.run,
        procedures=procedures,
        path=path,
        injection=injection,
        model=model,
        **only(choices, "cement", "balloon_ml", "voxel_mm"),
    )
    nominal = replace(settings.nominal, **only(choices, "mobility", "preload_n"))
    chosen = {"members": members} | only(choices, "members", "member_voxel_mm", "seed")
    return replace(settings, run=run, nominal=nominal, **chosen)


def checked(given: Any, kind: type[Settings]) -> Settings:
    """Settings as they were given, the usual ones for None.

    Raises
    ------
    ArgumentTypeError
        They are of another kind.
    """
    if given is None:
        return kind()
    if isinstance(given, kind):
        return given
    names = ", ".join(field.name for field in fields(kind))
    raise ArgumentTypeError(
        f"settings={type(given).__name__}", "", f"give endplate.{kind.__name__}({names}), or single keywords"
    )


def refuse_unknown(choices: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse a keyword that nothing reads.

    Raises
    ------
    UnknownNameError
        With the names that are near it.
    """
    for name in choices:
        if name not in known:
            near = get_close_matches(name, known, n=2, cutoff=0.5)
            fix = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"
            raise UnknownNameError(f"no choice is named {name!r}", "", fix)


def only(choices: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Those of the choices that have one of these names."""
    return {name: choices[name] for name in names if name in choices}


def _procedures(name: str) -> tuple[Procedure, ...]:
    both: tuple[Procedure, ...] = ("vertebroplasty", "kyphoplasty")
    if name == "both":
        return both
    if name not in both:
        raise OptionError(f"procedure={name!r}", "", "choose 'vertebroplasty', 'kyphoplasty' or 'both'")
    return tuple(item for item in both if item == name)


def _refuse_idle(procedures: tuple[Procedure, ...], choices: Mapping[str, Any]) -> None:
    """A balloon in a procedure that has none."""
    if "kyphoplasty" in procedures:
        return
    for name in ("balloon", "balloon_ml", "preload_n"):
        if name in choices:
            raise OptionError(f"{name}= with vertebroplasty", "no balloon is used in it", "leave it out")


def _volume(name: str, value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentTypeError(f"{name}={value!r}", "a volume is a number of mL", f"give 0 to {most:g}")
    if not 0 <= value <= most:
        raise OptionError(f"{name}={value:g}", "out of range", f"choose 0 to {most:g} mL")
    return float(value)

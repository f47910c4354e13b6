"""How much balloon and cement is planned for a body, and whether it can hold that: told before minutes of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from endplate.cited import cited
from endplate.errors import OptionError
from endplate.repair.access.access_result import Access, Procedure
from endplate.repair.access.needle_choice import balloon_through
from endplate.repair.cement.injection_plan import planned_volume_ml
from endplate.repair.cement.permeability import pores
from endplate.repair.device.balloon import BALLOONS, Balloon
from endplate.repair.kyphoplasty.inflation import PLANNED_ML, check_balloons
from endplate.repair.rehearsal.result import ProcedureResult
from endplate.repair.site.bone import Bone, body_ml

if TYPE_CHECKING:
    from endplate.repair.rehearsal.run_settings import RunSettings

DEFAULT_SHARE = cited(
    0.25,
    "1",
    "Own choice: 2 x 2 mL in a body of 16 mL and more, less in smaller ones, where 1-2.5 mL of cement are usual",
    "design",
)


def balloons_of(settings: RunSettings, access: Access) -> tuple[Balloon, ...]:
    """The balloon of each path."""
    return tuple(
        BALLOONS[path.balloon]
        if path.balloon and not settings.path.balloon
        else balloon_through(path.needle, settings.path)
        for path in access.paths
    )


def each_balloon_ml(total_ml: float | None, bone: Bone, count: int) -> float:
    """Planned volume of each balloon: what was asked for, or what is usual in a body of this size."""
    if total_ml is not None:
        return total_ml / count
    return min(PLANNED_ML, DEFAULT_SHARE * body_ml(bone) / count)


def check_volumes(settings: RunSettings, bone: Bone, accesses: Mapping[Procedure, Access]) -> None:
    """Refuse volumes that were asked for and that balloons or body cannot hold.

    Raises
    ------
    OptionError : what, why, what to do.
    """
    for procedure, access in accesses.items():
        if not access.paths:
            continue
        hollow = 0.0
        if procedure == "kyphoplasty":
            balloons = balloons_of(settings, access)
            _check_balloons(settings.balloon_ml, balloons)
            each = each_balloon_ml(settings.balloon_ml, bone, len(balloons))
            check_balloons(bone, len(balloons), each)
            hollow = each * len(balloons)
        _check_cement(settings, bone, hollow)


def _check_balloons(total_ml: float | None, balloons: tuple[Balloon, ...]) -> None:
    most = sum(float(balloon.max_ml) for balloon in balloons)
    if total_ml is not None and total_ml > most + 1e-9:
        held = "one balloon holds" if len(balloons) == 1 else f"{len(balloons)} balloons hold"
        raise OptionError(f"{total_ml:g} mL of balloon", f"{held} {most:g} mL at most here", "plan less")


def _check_cement(settings: RunSettings, bone: Bone, hollow_ml: float) -> None:
    volume = settings.injection.volume_ml
    if volume is None:
        return
    most = pores(bone, np.zeros(bone.field.grid.shape, bool)).volume_ml(bone.field.grid.voxel_mm3) + hollow_ml
    if volume > most:
        raise OptionError(
            f"{volume:g} mL of cement in a body of {body_ml(bone):.1f} mL", f"its pores take {most:.1f} mL", "plan less"
        )


def planned_limits(settings: RunSettings, done: ProcedureResult, bone: Bone) -> dict[str, float]:
    """The most that there can be of each result: what was planned, and what the balloons hold and bear.

    Parameters
    ----------
    done : the procedure at the usual values. bone : as it met it.
    """
    most: dict[str, float] = {}
    if done.inflation is not None:
        balloons = done.inflation.balloons
        each = each_balloon_ml(settings.balloon_ml, bone, len(balloons))
        most["balloon_volume_ml"] = sum(min(each, float(balloon.max_ml)) for balloon in balloons)
        most["cavity_ml"] = sum(float(balloon.max_ml) for balloon in balloons)
        most["balloon_pressure_mpa"] = max(balloon.max_mpa for balloon in balloons)
        bone = done.inflation.bone
    if done.fill is not None:
        cavity_ml = float(bone.cavity.sum(dtype=np.float64)) * bone.field.grid.voxel_mm3 / 1000
        planned = planned_volume_ml(settings.injection, body_ml(bone), cavity_ml)
        most |= {"cement_ml": planned, "leaked_ml": planned, "fill_fraction": planned / body_ml(bone)}
    return most

"""What the balloons of a simulated kyphoplasty did: height gain, wall displacement, cavity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from endplate.level import Level
from endplate.repair.device.balloon import Balloon
from endplate.repair.site.bone import Bone
from endplate.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Height gained, mm, against an earlier state, and the wedge angle of the body (negative: less wedged)."""

    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    wedge_deg: float
    kyphosis_deg: float | None = None


class WallDisplacement(NamedTuple):
    """Moves of the back wall towards the canal, and of front or sides outwards, mm; None for a wall that is not."""

    back: float | None = None
    side: float | None = None


NOT_MEASURED = WallDisplacement()
"""No wall was followed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beyond:
    """What would follow if one inflated on after a wall gave way.

    Attributes
    ----------
    volume_ml, pressure_mpa : (n,), from the stop on. gain_mm : (n, 3) front, middle, back.
    pushed_mm : of the walls in the end. stop : why even this ended.
    """

    volume_ml: NDArray[np.float64]
    pressure_mpa: NDArray[np.float64]
    gain_mm: NDArray[np.float64]
    pushed_mm: WallDisplacement
    stop: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inflation:
    """What the balloons did.

    Attributes
    ----------
    volume_ml, pressure_mpa : (n,) curve of the inflation (all balloons together; pressure the highest).
    settled : what the preload did before the balloons, against the scan; None where nothing was pressed.
    upright : what the load of standing takes from the settled body, before anything is done; None where it was not
    asked for, or where the body does not carry it.
    posture : what extension on the table gained after that; None where it was not rehearsed.
    full, deflated : gain at full inflation and after deflation under the preload, against the body so placed.
    gain_curve_mm : (n, 3) front, middle and back along the curve. beyond : the course after a wall gave way.
    bone : the bone afterwards, with its cavity, on the same grid. compaction : (I, J, K) density over density before.
    cavity_ml, mass_error, volume_error, energy_error : relative errors of the balances.
    wall_displacement_inflated_mm, wall_displacement_deflated_mm : how far the posterior wall went towards the canal,
    and the anterior or lateral walls outwards, against the settled body, at full inflation and after deflation;
    None where it was not read.
    mobility : "rigid" or "mobile" fracture. preload_n : held throughout. stop : why it ended.
    unconverged : where a step found no equilibrium, so that the last good state was kept; empty where none failed.
    """

    level: Level
    balloons: tuple[Balloon, ...]
    volume_ml: NDArray[np.float64]
    pressure_mpa: NDArray[np.float64]
    full: Gain
    deflated: Gain
    bone: Bone
    compaction: NDArray[np.float32]
    cavity_ml: float
    mass_error: float
    volume_error: float
    energy_error: float
    mobility: Literal["rigid", "mobile"]
    preload_n: float
    stop: str
    steps: int
    seconds: float
    settled: Gain | None = None
    upright: Gain | None = None
    posture: Gain | None = None
    gain_curve_mm: NDArray[np.float64] | None = None
    beyond: Beyond | None = None
    wall_displacement_inflated_mm: WallDisplacement = NOT_MEASURED
    wall_displacement_deflated_mm: WallDisplacement = NOT_MEASURED
    unconverged: str = ""
    notes: tuple[str, ...] = ()

    __repr__ = short_repr

    @property
    def converged(self) -> bool:
        """Whether every step found its equilibrium."""
        return not self.unconverged

"""Where the cement of a simulated injection went, and which leakage routes it reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.image.volume import Grid
from endplate.level import Level
from endplate.repair.device.cement import Cement
from endplate.repair.site.leak_route import LeakRoute
from endplate.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeakEvent:
    """Cement reached an opening: when, after how much was injected, and how much went out."""

    opening: LeakRoute
    time_s: float
    injected_ml: float
    leaked_ml: float

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CementFill:
    """Where the cement went.

    Attributes
    ----------
    saturation : (I, J, K) 0..1 of the pore space (cavity included) on `grid`. age_s : time since the cement
    there left the needle, NaN without.
    volume_ml : in the body. leaked_ml : outside. injected_ml : their sum. fill_fraction : of the body's volume.
    time_s, injected_curve_ml, bone_pressure_mpa, cannula_pressure_mpa : (n,) the course of the injection.
    right_share : of the cement in the right half. endplate_contact : fraction of each endplate that cement touches.
    sphere : (I, J, K) the same volume as plain spheres about the tips, the baseline. stop : why it ended.
    balance : relative error of injected against pores and leaks. converged : False where a step found no solution and
    the state before it was kept; `stop` then says so.
    """

    level: Level
    grid: Grid
    cement: Cement
    saturation: NDArray[np.float32]
    age_s: NDArray[np.float32]
    volume_ml: float
    leaked_ml: float
    injected_ml: float
    fill_fraction: float
    time_s: NDArray[np.float64]
    injected_curve_ml: NDArray[np.float64]
    bone_pressure_mpa: NDArray[np.float64]
    cannula_pressure_mpa: NDArray[np.float64]
    reached: tuple[LeakEvent, ...]
    right_share: float
    endplate_contact: dict[str, float]
    sphere: NDArray[np.float32]
    stop: str
    balance: float
    converged: bool = True
    notes: tuple[str, ...] = ()

    __repr__ = short_repr

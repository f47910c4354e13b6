"""What the mechanics stage hands downstream: stiffness, strength, curves and strain of each level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.image.volume import Grid
from endplate.level import Level
from endplate.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverSummary:
    """How the solve went: unknowns, CG iterations, increments, final relative residual, seconds, bytes, converged."""

    unknowns: int
    elements: int
    iterations: int
    increments: int
    residual: float
    seconds: float
    memory_bytes: int
    converged: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strength:
    """Stiffness and strength of one body under one load case.

    Attributes
    ----------
    height_mm : cap-to-cap height of bone that the strain of the curve refers to.
    displacement_mm, force_n : (n,) the load-displacement curve from zero; empty when only linear was asked.
    failure_load_n : 0.2 % offset load; None with `reason` where the curve never meets the line.
    plateau_load_n : force at 1.9 % strain. failure_load_linear_n : 0.0068 * stiffness * height.
    relative_sd : fraction, from density calibration, method and mesh; the band of every force here.
    shell_mg_cm3_mm : mineral that was added to the shell, median over its surface; None where it counts as sampled.
    strain : (I, J, K) float32 effective strain on `grid` at the last elastic point; None when not kept.
    """

    level: Level
    load_case: str
    law: str
    voxel_mm: float
    height_mm: float
    stiffness_n_per_mm: float
    displacement_mm: NDArray[np.float64]
    force_n: NDArray[np.float64]
    failure_load_n: float | None
    plateau_load_n: float | None
    failure_load_linear_n: float
    relative_sd: float
    grid: Grid
    strain: NDArray[np.float32] | None
    plastic_strain: NDArray[np.float32] | None
    solver: SolverSummary
    notes: tuple[str, ...] = ()
    reason: str = ""
    shell_mg_cm3_mm: float | None = None

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadToStrength:
    """Estimated load of an activity on a level divided by its failure load, with a band."""

    level: Level
    activity: str
    load_n: float
    ratio: float
    low: float
    high: float

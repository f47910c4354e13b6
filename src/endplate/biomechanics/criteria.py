"""From a load-displacement curve to a failure load."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from endplate.cited import cited

OFFSET_STRAIN = cited(
    0.002, "1", "0.2 % offset of cap-to-cap height; reproduces Walle 2025 to 0.3 %", "recomputed", cite="walle_2025"
)
PLATEAU_STRAIN = cited(
    0.019, "1", "force at 1.9 % of height, as published by the Keaveny group", "knowledge", cite="kopperdahl_2014"
)
CRAWFORD_STRAIN = cited(
    0.0068,
    "1",
    "F = 0.0068 K H; exactly the linear failure load of Walle 2025",
    "recomputed",
    cite=("crawford_2003", "walle_2025"),
)
END_STRAIN = cited(0.02, "1", "Curves run to 2 % apparent strain, just past the plateau point", "design")
ELASTIC_SHARE = cited(0.02, "1", "A point is elastic while its force is within 2 % of stiffness x travel", "design")


def offset_load(
    travel_mm: NDArray[np.float64], force_n: NDArray[np.float64], stiffness_n_per_mm: float, height_mm: float
) -> float | None:
    """Force where the line of that stiffness through 0.2 % strain meets the curve; None if it never does."""
    if len(travel_mm) < 3:
        return None
    line = stiffness_n_per_mm * (travel_mm - OFFSET_STRAIN * height_mm)
    below = np.flatnonzero(force_n < line)
    if not len(below):
        return None
    curve = PchipInterpolator(travel_mm, force_n)
    last = int(below[0])
    travel = brentq(
        lambda t: float(curve(t)) - stiffness_n_per_mm * (t - OFFSET_STRAIN * height_mm),
        travel_mm[last - 1],
        travel_mm[last],
    )
    return float(curve(travel))


def plateau_load(travel_mm: NDArray[np.float64], force_n: NDArray[np.float64], height_mm: float) -> float | None:
    """Force at 1.9 % strain; None if the curve ends before."""
    travel = PLATEAU_STRAIN * height_mm
    if len(travel_mm) < 3 or travel_mm[-1] < travel:
        return None
    return float(PchipInterpolator(travel_mm, force_n)(travel))


def crawford_load(stiffness_n_per_mm: float, height_mm: float) -> float:
    """0.0068 x stiffness x height, N."""
    return CRAWFORD_STRAIN * stiffness_n_per_mm * height_mm


def last_elastic_travel(
    travel_mm: NDArray[np.float64], force_n: NDArray[np.float64], stiffness_n_per_mm: float, height_mm: float
) -> float:
    """Largest travel on the curve still within 2 % of the elastic line; 0.2 % strain where there is no curve."""
    if len(travel_mm) < 3:
        return OFFSET_STRAIN * height_mm
    elastic = np.abs(force_n - stiffness_n_per_mm * travel_mm) <= ELASTIC_SHARE * stiffness_n_per_mm * travel_mm
    return float(travel_mm[np.flatnonzero(elastic)[-1]]) or float(travel_mm[1])

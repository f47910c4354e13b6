"""An endplate's surface without the steps that voxels leave on it.

A mask on thick, tilted slices shows a smooth endplate as a staircase. A polynomial across the middle of the plate
averages many steps; what departs from it by more than a quarter of a voxel is real and is kept.
"""

from __future__ import annotations

from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.robust_fit import MAD_TO_SD, solved, tukey_fit
from endplate.anatomy.vertebra import Endplate
from endplate.cited import cited

SIDE_MM = cited(10, "mm", "Own choice: the band of +-5 mm and as much on either side to steady the fit", "design")
STEP_SHARE = cited(0.25, "1", "Own choice: half the height of the steps, +-0.5 voxel, that a plane shows", "design")
UNIT_MM = cited(16, "mm", "Own choice: half of a body's depth, so that the powers stay near one", "design")
KEPT_GRIDS = cited(16, "1", "Own choice: terms of the few bodies in work, a third of a megabyte each", "design")
REWEIGHTINGS = 4
ALONG, ACROSS = 4, 2

__all__ = [
    "MAD_TO_SD",
    "SIDE_MM",
    "plate_without_steps",
    "smooth_plate",
    "smooth_surface",
    "weighted_fit",
    "without_steps",
]


def smooth_plate(plate: Endplate, edge_mm: float) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """`smooth_surface` of an endplate as it is, kept for all who ask again.

    Parameters
    ----------
    edge_mm : voxel edge along the surface's normal.
    """
    known = _SMOOTH.setdefault(plate, {})
    if edge_mm not in known:
        known[edge_mm] = smooth_surface(plate.right_mm, plate.anterior_mm, plate.superior_mm, edge_mm)
    return known[edge_mm]


_SMOOTH: WeakKeyDictionary[Endplate, dict[float, tuple[NDArray[np.bool_], NDArray[np.float64]]]] = WeakKeyDictionary()
"""Heights, leans, bands and discs ask for the same fit; an endplate never changes."""


def plate_without_steps(plate: Endplate, edge_mm: float, dent: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """`without_steps` of an endplate; the fit of one without a dent is made once."""
    if dent is not None:
        return without_steps(plate.right_mm, plate.anterior_mm, plate.superior_mm, edge_mm, dent)
    return _stepless(plate.superior_mm, *smooth_plate(plate, edge_mm), edge_mm, None)


def without_steps(
    right_mm: NDArray[np.float64],
    anterior_mm: NDArray[np.float64],
    height_mm: NDArray[np.float64],
    edge_mm: float,
    dent: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """An endplate's heights near the mid-sagittal plane with the voxel steps taken out, mm.

    Parameters
    ----------
    right_mm, anterior_mm : (nx,), (ny,) axes. height_mm : (nx, ny) surface, NaN where there is none.
    edge_mm : voxel edge along the surface's normal.
    dent : (nx, ny) cells to be bridged by the smooth surface about them; None leaves all as they are.

    Returns
    -------
    (nx, ny); NaN beyond 10 mm from the mid-plane and where there is no surface.
    """
    return _stepless(height_mm, *smooth_surface(right_mm, anterior_mm, height_mm, edge_mm, dent), edge_mm, dent)


def _stepless(
    height_mm: NDArray[np.float64],
    seen: NDArray[np.bool_],
    smooth: NDArray[np.float64],
    edge_mm: float,
    dent: NDArray[np.bool_] | None,
) -> NDArray[np.float64]:
    """The heights less up to a quarter of a voxel of what departs from the smooth surface."""
    result = np.full(height_mm.shape, np.nan)
    rest = height_mm[seen] - smooth
    kept = np.sign(rest) * np.maximum(np.abs(rest) - float(STEP_SHARE) * edge_mm, 0)
    result[seen] = smooth + (kept if dent is None else np.where(dent[seen], 0.0, kept))
    return result


def smooth_surface(
    right_mm: NDArray[np.float64],
    anterior_mm: NDArray[np.float64],
    height_mm: NDArray[np.float64],
    edge_mm: float,
    dent: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Where an endplate is seen within 10 mm of the mid-plane (nx, ny), and its smooth surface there (n,), mm."""
    near = np.abs(right_mm) <= float(SIDE_MM)
    seen = np.isfinite(height_mm) & near[:, None]
    values = height_mm[seen]
    everywhere = _terms(right_mm[near].tobytes(), anterior_mm.tobytes())
    terms = np.take(everywhere, np.flatnonzero(seen[near]), axis=1)
    if dent is None:
        used, known = terms, values
    else:
        used, known = np.ascontiguousarray(terms[:, ~dent[seen]]), values[~dent[seen]]
    if used.shape[1] <= 2 * len(used):
        return seen, values
    return seen, tukey_fit(used, known, REWEIGHTINGS, float(STEP_SHARE) * edge_mm) @ terms


# Powers of each term: to the fourth along and the second across, products to the second along.
_POWERS = np.array([(i, j) for i in range(ACROSS + 1) for j in range(ALONG + 1) if i == 0 or j <= ACROSS])


@lru_cache(maxsize=int(KEPT_GRIDS))
def _terms(right_mm: bytes, anterior_mm: bytes) -> NDArray[np.float64]:
    """Every term (m, nx * ny) on a grid; top, bottom and repeats of a body ask for the same axes, given as bytes."""
    across, along = _across(np.frombuffer(right_mm)), _along(np.frombuffer(anterior_mm))
    terms = (across[:, :, None] * along[:, None, :]).reshape(len(_POWERS), -1)
    terms.flags.writeable = False
    return terms


def _across(right_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((right_mm / UNIT_MM) ** _POWERS[:, :1])


def _along(anterior_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((anterior_mm / UNIT_MM) ** _POWERS[:, 1:])


def weighted_fit(
    terms: NDArray[np.float64], values: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted least squares (n, m), (n,), (n,) -> (m,) by the normal equations; the terms scaled to about one."""
    return np.asarray(solved(np.ascontiguousarray(terms.T), np.ascontiguousarray(values), weight, len(values)))

"""Heights of the mid-sagittal band from a map of body thickness: slices, patches, medians."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.anatomy.robust_fit import solved
from endplate.cited import cited, cited_table
from endplate.fracture.height.extent import Extent

_ALGORITHM = "docs/theory.md, morphometry step 5: heights in 5 sagittal slices over +-5 mm, 2 mm patches"
BAND_HALF_MM = cited(5, "mm", _ALGORITHM, "design")
BAND_SLICES = cited(5, "1", _ALGORITHM, "design")
PATCH_MM = cited(2, "mm", _ALGORITHM, "design")
PLACES = cited_table(
    "height_place",
    "1",
    "own algorithm, docs/theory.md, morphometry step 5: 10-15 %, 50 % and 85-90 % of the depth, middle of each band",
    "design",
    {"anterior": 0.125, "middle": 0.5, "posterior": 0.875},
)
REACH_MM = cited(3, "mm", "Own choice: the local fit spans three voxels of a 1 mm scan", "design")
MAX_INWARD_MM = cited(
    3, "mm", "Own choice: where the rim that endplates leave out is wide, the place moves in by at most 3 mm", "design"
)
SEEN_SHARE = cited(0.5, "1", "Own choice: a height needs half of its neighbourhood on both endplates", "design")


def patch_centres(extent: Extent) -> NDArray[np.float64]:
    """(kinds, slices, 2) right and anterior coordinates of the height patches, mm."""
    slices = extent.middle_mm + np.linspace(-BAND_HALF_MM, BAND_HALF_MM, int(BAND_SLICES))
    places = extent.front_mm - np.array([float(place) for place in PLACES.values()]) * extent.depth_mm
    return np.stack(np.meshgrid(places, slices, indexing="ij")[::-1], axis=-1)


def band_heights(
    right_mm: NDArray[np.float64],
    anterior_mm: NDArray[np.float64],
    thickness_mm: NDArray[np.float64],
    extent: Extent,
) -> NDArray[np.float64]:
    """Anterior, middle and posterior height (3,), mm: the median over slices of the patch means.

    Parameters
    ----------
    right_mm, anterior_mm : (nx,), (ny,) axes of the map. thickness_mm : (nx, ny) height of the body, NaN where unseen.
    extent : reach of the body at mid-height.

    Returns
    -------
    NaN for a height where fewer than half of the slices could be read, even 1, 2 or 3 mm further in.
    """
    cell_mm2 = float((right_mm[1] - right_mm[0]) * (anterior_mm[1] - anterior_mm[0]))
    i, j = np.nonzero(np.isfinite(thickness_mm))
    x, y, thick = right_mm[i], anterior_mm[j], thickness_mm[i, j]
    needed = max(float(SEEN_SHARE) * np.pi * REACH_MM**2 / cell_mm2, 10)
    centres = patch_centres(extent)
    second_moment = float((PATCH_MM / REACH_MM) ** 2 / 12)
    heights = np.full(len(centres), np.nan)
    for place, inward in enumerate((-1.0, 0.0, 1.0)):
        for step in range(int(MAX_INWARD_MM) + 1):
            shifted = centres[place] + np.array([0.0, step * inward])
            means = patch_means(x, y, thick, shifted, float(REACH_MM), needed, second_moment)
            heights[place] = _median(means)
            if np.isfinite(heights[place]) or not inward:
                break
    return heights


def _median(row: NDArray[np.float64]) -> float:
    known = row[np.isfinite(row)]
    return float(np.median(known)) if 2 * len(known) >= len(row) else float("nan")


@njit(cache=True, nogil=True, error_model="numpy")
def patch_means(
    x: Any, y: Any, values: Any, centres: Any, reach: float, needed: float, second_moment: float
) -> Any:  # pragma: no cover - compiled
    """Means (n,) over patches of quadratics fitted about centres (n, 2), near points weighing more; NaN if too few."""
    means = np.empty(centres.shape[0])
    terms, near, weight = np.empty((6, x.size)), np.empty(x.size), np.empty(x.size)
    for c in range(centres.shape[0]):
        count, means[c] = int(np.intp(0)), np.nan  # a plain 0 would have the solution compiled for it alone
        for n in range(x.size):
            u, v = (x[n] - centres[c, 0]) / reach, (y[n] - centres[c, 1]) / reach
            share = 1 - u * u - v * v
            if share > 0:
                terms[0, count], terms[1, count], terms[2, count] = 1, u, v
                terms[3, count], terms[4, count], terms[5, count] = u * u, u * v, v * v
                near[count], weight[count] = values[n], share
                count += 1
        if count >= needed:
            fit = solved(terms, near, weight, count)
            means[c] = fit[0] + (fit[3] + fit[5]) * second_moment
    return means

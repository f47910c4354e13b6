"""How far labels lie beside the bone: the step in HU across the labels' border is followed as the labels are moved.

A label too large or too small keeps its place: the step is looked for some millimetres inside and outside of the
border as well, so that only a shift, which no such offset makes good, is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.image.volume import LabelMap, Volume

SURFACE_STEP_MM = 1.5  # voxels on which the labels' border is found: normals need no finer ones
POINTS = 5000  # of the border: their mean is steady to a few HU
SMOOTH_MM = 1.5  # evens the steps of voxels before normals are taken
DEEP_MM, HIGH_MM, WIDTH_MM = 6, 7, 3  # depths inside and outside that are sampled; mean over this on either side
OFFSETS_MM = range(-3, 5)  # of the step from the border, outward positive: labels too large or too small
SOFT_HU, BONE_HU = -100, 400  # clipped to these, neither air nor metal decides
SEEN_SHARE = 0.5  # of the border must stay within the scan when moved
ACROSS_MM = (1.5, 3.0, 4.5, 6.0, 7.5, 9.0, 12.0)
ALONG_MM = (*ACROSS_MM, 15.0, 18.0, 21.0, 24.0)  # head-foot: a level is 25-45 mm high
AS_GOOD = 0.95  # of the best score; the nearest such place is told, since the next level fits as well
CLEAR_HU = cited(
    40.0, "[hnsf'U]", "step across the border that is bone; measured 90-260 on verse014, tptbox-l3, phantoms", "design"
)
GAIN_RATIO = cited(
    1.3,
    "1",
    "measured: at most 0.8 for a move of 3 mm of labels in place, eroded, dilated or of weak bone; 1.5 from 3 mm off",
    "design",
)
GAIN_HU = cited(15.0, "[hnsf'U]", "gains below this are noise of the border's mean", "design")
MIN_MM = cited(3.0, "mm", "two voxels of a usual scan: rough labels err by less", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """Labels fit better `move_mm` along `axis` (positive to left, back, head): step in HU there and here."""

    axis: int
    move_mm: float
    there_hu: float
    here_hu: float

    def sentence(self) -> str:
        """The misfit in words."""
        side = (("right", "left"), ("front", "back"), ("foot", "head"))[self.axis][self.move_mm > 0]
        return (
            f"the labels fit the bone better when moved {abs(self.move_mm):g} mm to the {side} "
            f"(step at their border {self.there_hu:.0f} HU instead of {self.here_hu:.0f})"
        )


def find_misfit(volume: Volume, labels: LabelMap) -> Misfit | None:
    """Where the labels would fit the bone clearly better; None where they are in place or nothing can be said.

    Parameters
    ----------
    volume, labels : on the same grid.
    """
    points, normals = _border(labels)
    if not len(points):
        return None
    spacing = volume.grid.spacing_mm
    here = _step(volume.hu, points, normals, spacing)
    moves = {}
    for axis, distances in enumerate((ACROSS_MM, ACROSS_MM, ALONG_MM)):
        for move in (sign * distance for distance in distances for sign in (1, -1)):
            moves[axis, move] = _step(volume.hu, points + move * np.eye(3)[axis], normals, spacing)
    best = max(moves.values())
    if best < max(CLEAR_HU, here * GAIN_RATIO, here + GAIN_HU):
        return None
    axis, move = min((place for place, hu in moves.items() if hu >= AS_GOOD * best), key=lambda place: abs(place[1]))
    if abs(move) < MIN_MM:
        return None
    return Misfit(axis=axis, move_mm=move, there_hu=moves[axis, move], here_hu=here)


def _border(labels: LabelMap) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (n, 3) on the labels' border and their outward normals, in mm along the grid's axes."""
    spacing = labels.grid.spacing_mm
    stride = np.maximum(1, np.rint(SURFACE_STEP_MM / spacing).astype(int))
    step = spacing * stride
    mask = labels.labels[tuple(slice(None, None, int(n)) for n in stride)] > 0
    if not mask.any():
        return np.zeros((0, 3)), np.zeros((0, 3))
    (box,) = ndimage.find_objects(mask.astype(np.uint8))
    margin = np.ceil(2 * SMOOTH_MM / step).astype(int) + 1
    padded = np.pad(mask[box], [(int(m), int(m)) for m in margin])
    depth = ndimage.distance_transform_edt(padded, sampling=step)
    signed = depth - ndimage.distance_transform_edt(~padded, sampling=step)
    index = np.argwhere(padded & (depth <= step.max() * 1.01))
    if len(index) > POINTS:
        index = index[np.linspace(0, len(index) - 1, POINTS).astype(int)]
    slopes = np.gradient(ndimage.gaussian_filter(signed, SMOOTH_MM / step), *step)
    inward = np.stack([slope[tuple(index.T)] for slope in slopes], axis=-1)
    start = np.array([edge.start for edge in box]) - margin
    length = np.linalg.norm(inward, axis=1, keepdims=True)
    return (index + start) * step, -inward / np.maximum(length, 1e-9)


def _step(
    hu: NDArray[Any], points: NDArray[np.float64], normals: NDArray[np.float64], spacing: NDArray[np.float64]
) -> float:
    """HU inside less HU outside the border, at the offset where it is greatest; -inf where too little is in view."""
    depths = np.arange(-DEEP_MM, HIGH_MM + 1)
    sums, seen = np.zeros(len(depths)), np.zeros(len(depths), np.int64)
    _sum_clipped(hu, points / spacing, normals / spacing, depths, (float(SOFT_HU), float(BONE_HU)), sums, seen)
    profile = np.where(seen < SEEN_SHARE * len(points), np.nan, sums / np.maximum(seen, 1))
    steps = []
    for offset in OFFSETS_MM:
        middle = offset + DEEP_MM
        inside, outside = profile[middle - WIDTH_MM : middle], profile[middle + 1 : middle + 1 + WIDTH_MM]
        steps.append(float(np.mean(inside) - np.mean(outside)))
    best = max(steps)
    return best if np.isfinite(best) else float("-inf")


@njit(cache=True, nogil=True)
def _sum_clipped(
    hu: Any, places: Any, slopes: Any, depths: Any, limits: Any, sums: Any, seen: Any
) -> None:  # pragma: no cover - compiled
    """Sum of the clipped HU at each depth along the normals, nearest voxel, and how many lie within the scan."""
    for n in range(places.shape[0]):
        for d in range(depths.size):
            i = int(np.rint(places[n, 0] + depths[d] * slopes[n, 0]))
            j = int(np.rint(places[n, 1] + depths[d] * slopes[n, 1]))
            k = int(np.rint(places[n, 2] + depths[d] * slopes[n, 2]))
            if 0 <= i < hu.shape[0] and 0 <= j < hu.shape[1] and 0 <= k < hu.shape[2]:
                sums[d] += min(max(float(hu[i, j, k]), limits[0]), limits[1])
                seen[d] += 1

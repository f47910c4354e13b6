"""Where the scan ends: at the border of the image, or before it where padding was added; and what that cuts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.surface import around, corners, holds_box, mask_points_mm
from endplate.cited import cited
from endplate.image.volume import Grid, Volume

PADDING_HU = cited(-900.0, "[hnsf'U]", "padding is air or below; whole slabs of one such value hold no scan", "design")
MIDDLE_MM = cited(
    8.0,
    "mm",
    "heights are read within 5 mm of the mid-sagittal plane, found to 3 mm: nearer cuts spoil them",
    "design",
)


def scanned_grid(grid: Grid, volume: Volume | None) -> Grid:
    """The part of a grid that was scanned: without slabs at the border that hold one padding value only.

    Parameters
    ----------
    grid : of the labels. volume : the CT on the same grid; None takes the whole grid.
    """
    if volume is None or not grid.matches(volume.grid):
        return grid
    padding = volume.hu.min()
    if padding > PADDING_HU:
        return grid
    start, stop = [0, 0, 0], list(grid.shape)
    for axis in range(3):
        while start[axis] < stop[axis] - 1 and bool((volume.hu.take(start[axis], axis) == padding).all()):
            start[axis] += 1
        while stop[axis] > start[axis] + 1 and bool((volume.hu.take(stop[axis] - 1, axis) == padding).all()):
            stop[axis] -= 1
    return grid.crop(start, stop)


def border_points_mm(mask: NDArray[np.bool_], grid: Grid, scan: Grid) -> NDArray[np.float64]:
    """World points (n, 3) of the voxels of a mask on a crop that lie on a face of the scan, or beyond it."""
    box = around(mask)
    if holds_box(scan, grid.to_mm(corners((side.start, side.stop - 1) for side in box)), 0.5):
        return np.zeros((0, 3))
    points = mask_points_mm(mask, grid)
    index = np.rint(scan.to_index(points)).astype(int)
    return points[((index <= 0) | (index >= np.array(scan.shape) - 1)).any(axis=1)]


def cuts_middle(local_mm: NDArray[np.float64]) -> bool:
    """Whether a cut at points (n, 3) of a vertebra's frame reaches the middle, where heights are read."""
    return bool((np.abs(local_mm[:, 0]) <= MIDDLE_MM).any())

"""The half-level surface of a voxel mask, and sampling in a vertebra's own frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.field_kernels import fill_shares, inside_box, last_places, sample_box, smooth
from endplate.cited import cited
from endplate.image.volume import Grid

ANTIALIAS_VOXELS = cited(
    0.6,
    "voxel",
    "Own choice: leaves a flat face in place, rounds an edge < 0.3 voxel",
    "design",
)
REACH_SIGMAS = cited(4, "1", "Own choice: what a Gauss curve holds beyond is below 1e-4", "design")
HALF_LEVEL = cited(0.5, "1", "A smoothed indicator crosses one half at a flat face", "design")
FILL_SUBDIVISION = cited(3, "1", "Own choice: 27 points a voxel resolve the fill to 4 %", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocalBox:
    """Sample coordinates (mm) along the right, anterior and superior axes of a frame."""

    right_mm: NDArray[np.float64]
    anterior_mm: NDArray[np.float64]
    superior_mm: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of samples along right, anterior, superior."""
        return len(self.right_mm), len(self.anterior_mm), len(self.superior_mm)

    @property
    def step_mm(self) -> float:
        """Sample distance, the same along all axes."""
        longest = max((self.right_mm, self.anterior_mm, self.superior_mm), key=len)
        return float(longest[1] - longest[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """Origin (3,) LPS mm and axes (3, 3), rows right, anterior, superior."""

    origin_mm: NDArray[np.float64]
    axes: NDArray[np.float64]

    def to_local(self, xyz_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """World LPS mm (..., 3) to (right, anterior, superior) mm."""
        return (np.asarray(xyz_mm, float) - self.origin_mm) @ self.axes.T

    def to_world(self, local_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """(right, anterior, superior) mm (..., 3) to world LPS mm."""
        return np.asarray(local_mm, float) @ self.axes + self.origin_mm


def half_level(mask: NDArray[np.bool_], voxels: tuple[float, ...] | None = None) -> NDArray[np.float32]:
    """A mask (I, J, K) as a smooth field in 0..1 whose half level is the sub-voxel surface.

    Parameters
    ----------
    voxels : voxels of the grid in one voxel of the label's own, along each axis; None for a label as fine as its grid.
    """
    sigma = ANTIALIAS_VOXELS * np.array(voxels or (1.0, 1.0, 1.0))
    reach = smoothing_reach(voxels)
    place = np.arange(-reach.max(), reach.max() + 1)
    weights = np.where(np.abs(place) <= reach[:, None], np.exp(-0.5 * (place / sigma[:, None]) ** 2), 0)
    weights /= weights.sum(axis=1, keepdims=True)
    across, out = np.zeros(mask.shape, np.float32), np.zeros(mask.shape, np.float32)
    padded = np.empty(mask.shape[2] + weights.shape[1], np.float32)
    smooth(np.ascontiguousarray(mask, np.float32), weights.astype(np.float32), across, out, padded)
    return out


def smoothing_reach(voxels: tuple[float, ...] | None = None) -> NDArray[np.intp]:
    """(3,) Voxels over which `half_level` smooths to either side."""
    return (REACH_SIGMAS * ANTIALIAS_VOXELS * np.array(voxels or (1.0, 1.0, 1.0)) + 0.5).astype(int)


def fill_fraction(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fraction (I, J, K) of each voxel inside the half-level surface of the mask."""
    field = half_level(mask)
    over = np.pad((field > HALF_LEVEL).view(np.uint8), 1, mode="edge")
    for axis in range(3):
        along = np.moveaxis(over, axis, 0)
        over = np.moveaxis(along[:-2] + along[1:-1] + along[2:], 0, axis)
    away = (np.arange(int(FILL_SUBDIVISION)) + 0.5) / FILL_SUBDIVISION - 0.5
    weights = np.stack([np.maximum(-away, 0), 1 - np.abs(away), np.maximum(away, 0)], axis=-1)
    fill = np.zeros(mask.shape, np.float32)
    fill_shares(field, np.ascontiguousarray(over), float(HALF_LEVEL), weights, fill)
    return fill


def mask_points_mm(mask: NDArray[np.bool_], grid: Grid) -> NDArray[np.float64]:
    """World points (n, 3) of the voxel centres of a mask."""
    box = around(mask)
    return grid.to_mm(np.argwhere(mask[box]) + [side.start for side in box])


def around(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """The smallest box of slices that holds a mask (I, J, K); empty for none."""
    shadow: NDArray[np.bool_] = np.asarray(mask.any(axis=2))
    sides = (np.flatnonzero(along) for along in (shadow.any(axis=1), shadow.any(axis=0), mask.any(axis=(0, 1))))
    i, j, k = (slice(int(s[0]), int(s[-1]) + 1) if len(s) else slice(0, 0) for s in sides)
    return i, j, k


def holds_box(grid: Grid, corners_mm: NDArray[np.float64], inset: float) -> bool:
    """Whether a grid holds the box between world points (n, 3), that many voxels inside its outermost centres.

    Parameters
    ----------
    inset : negative to reach beyond the centres. A hair more is asked for, against rounding.
    """
    index, hair = grid.to_index(corners_mm), 1e-6
    return bool(((index >= inset + hair) & (index <= np.array(grid.shape) - 1 - inset - hair)).all())


def corners(sides: Iterable[tuple[float, float]]) -> NDArray[np.float64]:
    """Corners (8, 3) of a box from its two ends along each axis."""
    return np.array(list(product(*sides)), float)


def close_crop(
    mask: NDArray[np.bool_], grid: Grid, margin: NDArray[np.intp], *, padded: bool
) -> tuple[NDArray[np.bool_], Grid]:
    """A mask (I, J, K) and its grid cut to what it holds and a margin (3,); beyond the array air if padded."""
    box, shape = around(mask), np.array(mask.shape)
    start = np.array([side.start for side in box]) - margin
    stop = np.array([side.stop for side in box]) + margin
    low, high = np.maximum(start, 0), np.minimum(stop, shape)
    part = mask[tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))]
    if not padded:
        return part, grid.crop(low, high)
    air = [(int(a), int(b)) for a, b in zip(low - start, stop - high, strict=True)]
    return np.pad(part, air), grid.crop(start, stop)


def ends(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Indices (n, 3) of the first and last voxel of each row along the third axis: the farthest in any direction."""
    i, j = np.nonzero(mask.any(axis=2))
    rows = mask[i, j]
    first, last = rows.argmax(axis=1), mask.shape[2] - 1 - rows[:, ::-1].argmax(axis=1)
    return np.concatenate([np.stack([i, j, k], axis=-1) for k in (first, last)])


def box_around(local_mm: NDArray[np.float64], step_mm: float, margin_mm: float) -> LocalBox:
    """The sample box that holds points (n, 3) given in a frame, with a margin; samples lie on whole steps."""
    low = np.floor((local_mm.min(axis=0) - margin_mm) / step_mm).astype(int)
    high = np.ceil((local_mm.max(axis=0) + margin_mm) / step_mm).astype(int)
    right, anterior, superior = (np.arange(a, b + 1) * step_mm for a, b in zip(low, high, strict=True))
    return LocalBox(right_mm=right, anterior_mm=anterior, superior_mm=superior)


def sample(field: NDArray[np.floating], grid: Grid, frame: Frame, box: LocalBox) -> NDArray[np.float32]:
    """A field (I, J, K) on a grid sampled trilinearly at the points of a box in a frame; shape `box.shape`."""
    start, steps = _index_steps(grid, frame, box)
    out = np.empty(box.shape, np.float32)
    sample_box(np.ascontiguousarray(field, np.float32), start, steps, out)
    return out


def corner_sides(field: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Whether the eight corners of each cell lie below the half level (0), on both sides (1) or at or above it (2).

    Parameters
    ----------
    field : (I, J, K). The cell (i, j, k) lies between that voxel's centre and the next along each axis.
    """
    some = every = field >= HALF_LEVEL
    for axis in range(3):
        following = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        before = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        some, every = some.copy(), every.copy()
        some[before] |= some[following]
        every[before] &= every[following]
    return some.astype(np.uint8) + every


def inside(
    field: NDArray[np.float32], sides: NDArray[np.uint8], grid: Grid, frame: Frame, box: LocalBox
) -> NDArray[np.bool_]:
    """Whether the points of a box lie at or above a field's half level, shape `box.shape`; `sides` of its cells."""
    start, steps = _index_steps(grid, frame, box)
    nx, ny, nz = box.shape
    out = np.empty((nz, nx, ny), bool)
    inside_box(field, sides, start, steps, float(HALF_LEVEL), out)
    return out.transpose(1, 2, 0)


def last_crossings(
    field: NDArray[np.float32],
    start: NDArray[np.float64],
    step: NDArray[np.float64],
    count: int,
    *,
    closed: bool = True,
) -> NDArray[np.float64]:
    """Where lines leave the half level for the last time, in steps from their starts.

    Parameters
    ----------
    field : (I, J, K). start : (..., 3) first points of the lines, in voxels. step : (3,) from point to point.
    count : points of a line. closed : air lies beyond the field, not its outermost voxels.

    Returns
    -------
    (...), linear between points; NaN where a line meets nothing, infinity where its last point lies inside.
    """
    flat = np.ascontiguousarray(start, float).reshape(-1, 3)
    places = last_places(field, flat, np.ascontiguousarray(step, float), count, float(HALF_LEVEL), closed)
    return np.asarray(places.reshape(start.shape[:-1]))


def column_starts(
    grid: Grid, frame: Frame, box: LocalBox, superior_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Indices (nx, ny, 3) in a grid of the first points of a box's columns, and the step (3,) from point to point.

    Parameters
    ----------
    superior_mm : the points' coordinates along the columns, upwards or downwards, evenly apart.
    """
    matrix = np.linalg.inv(grid.affine[:3, :3])
    along = matrix @ frame.axes.T
    corner = matrix @ (frame.origin_mm - grid.affine[:3, 3]) + along[:, 2] * superior_mm[0]
    right = box.right_mm[:, None, None] * along[:, 0]
    return corner + right + box.anterior_mm[:, None] * along[:, 1], along[:, 2] * (superior_mm[1] - superior_mm[0])


def _index_steps(grid: Grid, frame: Frame, box: LocalBox) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Grid index (3,) of a box's first point and index steps (3, 3) along its axes."""
    matrix = np.linalg.inv(grid.affine[:3, :3])
    steps = matrix @ frame.axes.T
    corner = np.array([box.right_mm[0], box.anterior_mm[0], box.superior_mm[0]])
    start = matrix @ (frame.origin_mm - grid.affine[:3, 3]) + steps @ corner
    return start, np.ascontiguousarray(steps * box.step_mm)

"""Compiled loops over a smooth field on voxels: smoothing, sampling along lines and boxes, share of voxels inside.

Loops over numbers only: a whole-array assignment takes seconds to compile, for the text of an error it may raise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

OUTSIDE, ACROSS, INSIDE = 0, 1, 2
"""What the eight corners of a cell say: all below the level, both sides, all at or above it."""


@njit(cache=True, nogil=True, error_model="numpy")
def smooth(field: Any, weights: Any, across: Any, out: Any, padded: Any) -> None:  # pragma: no cover - compiled
    """A field (I, J, K) convolved along each axis with symmetric weights (3, 2 R + 1); the border's voxels go on.

    `across` and `out` are zeros of its shape, `padded` is room for a row and 2 R more.
    """
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            _add_rows(field, i, j, weights[0], True, across[i, j])
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            _add_rows(across, i, j, weights[1], False, out[i, j])
            _smooth_row(out[i, j], weights[2], padded)


@njit(cache=True, nogil=True, error_model="numpy")
def _add_rows(field: Any, i: int, j: int, weights: Any, first: bool, row: Any) -> None:  # pragma: no cover - compiled
    """Add the weighted rows about (i, j) along the first or second axis."""
    radius = weights.size // 2
    for t in range(-radius, radius + 1):
        a = min(max(i + t, 0), field.shape[0] - 1) if first else i
        b = j if first else min(max(j + t, 0), field.shape[1] - 1)
        for k in range(row.size):
            row[k] += weights[t + radius] * field[a, b, k]


@njit(cache=True, nogil=True, error_model="numpy")
def _smooth_row(row: Any, weights: Any, padded: Any) -> None:  # pragma: no cover - compiled
    """Smooth a row in place; `padded` has room for it and for what lies beyond its ends."""
    radius, size = weights.size // 2, row.size
    for k in range(size + 2 * radius):
        padded[k] = row[min(max(k - radius, 0), size - 1)]
    for k in range(size):
        row[k] = 0
    for t in range(weights.size):
        for k in range(size):
            row[k] += weights[t] * padded[k + t]


@njit(cache=True, nogil=True, error_model="numpy")
def trilinear(field: Any, i: float, j: float, k: float) -> float:  # pragma: no cover - compiled
    """Value between voxel centres; beyond the array the nearest voxel holds."""
    i = min(max(i, 0.0), field.shape[0] - 1.0)
    j = min(max(j, 0.0), field.shape[1] - 1.0)
    k = min(max(k, 0.0), field.shape[2] - 1.0)
    low_i, low_j, low_k = int(i), int(j), int(k)
    a, b, c = i - low_i, j - low_j, k - low_k
    # Unsigned, so that no index is checked for counting from the end.
    i0, i1 = np.uint64(low_i), np.uint64(min(low_i + 1, field.shape[0] - 1))
    j0, j1 = np.uint64(low_j), np.uint64(min(low_j + 1, field.shape[1] - 1))
    k0, k1 = np.uint64(low_k), np.uint64(min(low_k + 1, field.shape[2] - 1))
    front = (field[i0, j0, k0] * (1 - c) + field[i0, j0, k1] * c) * (1 - b) + (
        field[i0, j1, k0] * (1 - c) + field[i0, j1, k1] * c
    ) * b
    back = (field[i1, j0, k0] * (1 - c) + field[i1, j0, k1] * c) * (1 - b) + (
        field[i1, j1, k0] * (1 - c) + field[i1, j1, k1] * c
    ) * b
    return float(front * (1 - a) + back * a)


@njit(cache=True, nogil=True, error_model="numpy")
def sample_box(field: Any, start: Any, steps: Any, out: Any) -> None:  # pragma: no cover - compiled
    """Values at the points of a box, start (3,) and steps (3, 3) in voxels."""
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            for z in range(out.shape[2]):
                i = start[0] + steps[0, 0] * x + steps[0, 1] * y + steps[0, 2] * z
                j = start[1] + steps[1, 0] * x + steps[1, 1] * y + steps[1, 2] * z
                k = start[2] + steps[2, 0] * x + steps[2, 1] * y + steps[2, 2] * z
                out[x, y, z] = trilinear(field, i, j, k)


@njit(cache=True, nogil=True, error_model="numpy")
def inside_box(
    field: Any, cells: Any, start: Any, steps: Any, level: float, out: Any
) -> None:  # pragma: no cover - compiled
    """Whether the points of a box lie at or above a level; out (nz, nx, ny), so that whole slabs lie together."""
    flat, cell = cells.ravel(), np.empty(out.shape[2], np.int32)
    for z in range(out.shape[0]):
        for x in range(out.shape[1]):
            i = start[0] + steps[0, 0] * x + steps[0, 2] * z
            j = start[1] + steps[1, 0] * x + steps[1, 2] * z
            k = start[2] + steps[2, 0] * x + steps[2, 2] * z
            _cells_of_row(cells.shape, (i, j, k), steps, cell)
            row = out[z, x]
            for y in range(row.size):
                side = flat[np.uint64(cell[y])]
                row[y] = side == INSIDE
                if side == ACROSS:
                    value = trilinear(field, i + steps[0, 1] * y, j + steps[1, 1] * y, k + steps[2, 1] * y)
                    row[y] = np.float32(value) >= level


@njit(cache=True, nogil=True, error_model="numpy")
def _cells_of_row(shape: Any, start: Any, steps: Any, cell: Any) -> None:  # pragma: no cover - compiled
    """The cells, laid flat, of a row's points; single precision, so that they are found in vectors."""
    i0, j0, k0 = np.float32(start[0]), np.float32(start[1]), np.float32(start[2])
    di, dj, dk = np.float32(steps[0, 1]), np.float32(steps[1, 1]), np.float32(steps[2, 1])
    far_i, far_j, far_k = np.float32(shape[0] - 1), np.float32(shape[1] - 1), np.float32(shape[2] - 1)
    across_i, across_j, zero = np.int32(shape[1] * shape[2]), np.int32(shape[2]), np.float32(0)
    for y in range(cell.size):
        along = np.float32(y)
        i, j, k = i0 + di * along, j0 + dj * along, k0 + dk * along
        i, j, k = max(i, zero), max(j, zero), max(k, zero)
        i, j, k = min(i, far_i), min(j, far_j), min(k, far_k)
        cell[y] = np.int32(i) * across_i + np.int32(j) * across_j + np.int32(k)


@njit(cache=True, nogil=True, error_model="numpy")
def _last_within(start: float, step: float, size: float, count: int) -> int:  # pragma: no cover - compiled
    """The last point of a line that lies within an array along one axis, -1 for none; a hair's breadth within."""
    if abs(step) < 1e-12:
        return count - 1 if 0 <= start <= size else -1
    place = ((size if step > 0 else 0.0) - start) / step
    return int(min(max(np.floor(place - 1e-9), -1.0), count - 1.0))


@njit(cache=True, nogil=True, error_model="numpy")
def last_places(
    field: Any, starts: Any, step: Any, count: int, level: float, closed: bool
) -> Any:  # pragma: no cover - compiled
    """Where lines of `count` points leave a body for the last time, in steps from each start (n, 3), in voxels.

    NaN where a line meets no body, infinity where it ends inside; `closed` has air beyond the array.
    """
    places = np.empty(starts.shape[0])
    size_i, size_j, size_k = field.shape[0] - 1.0, field.shape[1] - 1.0, field.shape[2] - 1.0
    for n in range(starts.shape[0]):
        places[n], beyond = np.nan, 0.0
        last = count - 1
        if closed:
            for axis in range(3):
                last = min(last, _last_within(starts[n, axis], step[axis], field.shape[axis] - 1.0, count))
        for z in range(last, -1, -1):
            i, j, k = starts[n, 0] + step[0] * z, starts[n, 1] + step[1] * z, starts[n, 2] + step[2] * z
            if closed and (i < 0 or j < 0 or k < 0 or i > size_i or j > size_j or k > size_k):
                continue
            value = trilinear(field, i, j, k)
            if value >= level:
                places[n] = np.inf if z == count - 1 else z + (value - level) / max(value - beyond, 1e-6)
                break
            beyond = value
    return places


@njit(cache=True, nogil=True, error_model="numpy")
def fill_shares(field: Any, over: Any, level: float, weights: Any, fill: Any) -> None:  # pragma: no cover - compiled
    """Share of the sub-points of each voxel above a level, added to `fill`, which holds zeros.

    `weights` (parts, 3) of the voxel before, itself and the one behind at the sub-points along an axis.
    `over` (I, J, K) counts how many of a voxel and its 26 neighbours lie above: where all agree no point is looked at.
    """
    near, plane = np.empty((3, 3, 3)), np.empty((3, 3))
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            for k in range(field.shape[2]):
                count = over[i, j, k]
                if count == near.size:
                    fill[i, j, k] = 1
                elif count > 0:
                    _neighbours(field, i, j, k, near)
                    fill[i, j, k] = _share(near, weights, level, plane)


@njit(cache=True, nogil=True, error_model="numpy")
def _neighbours(field: Any, i: int, j: int, k: int, near: Any) -> None:  # pragma: no cover - compiled
    """The 27 values about a voxel; beyond the array the nearest voxel holds."""
    for a in range(3):
        row = min(max(i + a - 1, 0), field.shape[0] - 1)
        for b in range(3):
            line = min(max(j + b - 1, 0), field.shape[1] - 1)
            for c in range(3):
                near[a, b, c] = field[row, line, min(max(k + c - 1, 0), field.shape[2] - 1)]


@njit(cache=True, nogil=True, error_model="numpy")
def _share(near: Any, weights: Any, level: float, plane: Any) -> float:  # pragma: no cover - compiled
    """Share of sub-points above a level, between 27 values axis by axis; `plane` (3, 3) is working room."""
    parts, count = weights.shape[0], 0
    for p in range(parts):
        for b in range(3):
            for c in range(3):
                plane[b, c] = (
                    weights[p, 0] * near[0, b, c] + weights[p, 1] * near[1, b, c] + weights[p, 2] * near[2, b, c]
                )
        for q in range(parts):
            low = weights[q, 0] * plane[0, 0] + weights[q, 1] * plane[1, 0] + weights[q, 2] * plane[2, 0]
            mid = weights[q, 0] * plane[0, 1] + weights[q, 1] * plane[1, 1] + weights[q, 2] * plane[2, 1]
            high = weights[q, 0] * plane[0, 2] + weights[q, 1] * plane[1, 2] + weights[q, 2] * plane[2, 2]
            for r in range(parts):
                count += weights[r, 0] * low + weights[r, 1] * mid + weights[r, 2] * high > level
    return count / parts**3

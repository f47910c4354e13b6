"""Quadratic B-splines on voxel corners: values of nodal fields at points, and sums of point values at nodes. Compiled.

A box of nodes is flat, C order of (i, j, k). Positions are in units of the grid, counted from node 0 of the box.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array


@njit(cache=True, inline="always")
def base_and_offset(x):  # type: ignore[no-untyped-def]
    """First of the three nodes that a coordinate touches, and the distance from it (0.5 to 1.5)."""
    base = int(np.floor(x - 0.5))
    return base, x - base


@njit(cache=True, inline="always")
def fill_weights(offset, w):  # type: ignore[no-untyped-def]
    """Values of the three splines."""
    w[0] = 0.5 * (1.5 - offset) ** 2
    w[1] = 0.75 - (offset - 1) ** 2
    w[2] = 0.5 * (offset - 0.5) ** 2


@njit(cache=True, inline="always")
def fill_slopes(offset, inverse_spacing, d):  # type: ignore[no-untyped-def]
    """Slopes of the three splines per mm."""
    d[0] = (offset - 1.5) * inverse_spacing
    d[1] = (2 - 2 * offset) * inverse_spacing
    d[2] = (offset - 0.5) * inverse_spacing


@njit(cache=True, inline="always")
def place(point, dims, inverse_spacing, first, base, w):  # type: ignore[no-untyped-def]
    """First node along each axis that a point touches, kept within the box, and the splines' values there."""
    for d in range(3):
        base[d], offset = base_and_offset(point[d] * inverse_spacing - first)
        base[d] = min(max(base[d], 0), dims[d] - 3)
        fill_weights(offset, w[d])


@njit(cache=True, nogil=True)
def _gather(points, dims, inverse_spacing, first, field, out):  # type: ignore[no-untyped-def]
    w = np.empty((3, 3))
    base = np.empty(3, dtype=np.int64)
    for p in range(points.shape[0]):
        place(points[p], dims, inverse_spacing, first, base, w)
        for c in range(field.shape[1]):
            total = 0.0
            for a in range(3):
                for b in range(3):
                    row = ((base[0] + a) * dims[1] + base[1] + b) * dims[2] + base[2]
                    ab = w[0, a] * w[1, b]
                    for e in range(3):
                        total += ab * w[2, e] * field[row + e, c]
            out[p, c] = total


@njit(cache=True, nogil=True)
def _spread(points, dims, inverse_spacing, first, values, out):  # type: ignore[no-untyped-def]
    w = np.empty((3, 3))
    base = np.empty(3, dtype=np.int64)
    for p in range(points.shape[0]):
        place(points[p], dims, inverse_spacing, first, base, w)
        for a in range(3):
            for b in range(3):
                row = ((base[0] + a) * dims[1] + base[1] + b) * dims[2] + base[2]
                ab = w[0, a] * w[1, b]
                for e in range(3):
                    for c in range(values.shape[1]):
                        out[row + e, c] += ab * w[2, e] * values[p, c]


@njit(cache=True)
def _touched(points, dims, inverse_spacing, first, column, value):  # type: ignore[no-untyped-def]
    w = np.empty((3, 3))
    base = np.empty(3, dtype=np.int64)
    for p in range(points.shape[0]):
        place(points[p], dims, inverse_spacing, first, base, w)
        for a in range(3):
            for b in range(3):
                for e in range(3):
                    at = (a * 3 + b) * 3 + e
                    column[p, at] = ((base[0] + a) * dims[1] + base[1] + b) * dims[2] + base[2] + e
                    value[p, at] = w[0, a] * w[1, b] * w[2, e]


class Touched:
    """The few nodes that some points touch, while these stay where they are.

    Attributes
    ----------
    nodes : (k,) their numbers in the mesh. weights : (m, k) splines at the points.
    """

    def __init__(self, weights: csr_array, nodes: NDArray[np.int64]) -> None:
        self.nodes, self.weights = nodes, weights
        self._turned = csr_array(weights.T)

    def at(self, field: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (m, c) at the points of a field (N, c) on the mesh."""
        return np.asarray(self.weights @ field[self.nodes])

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums (k, c) at `nodes` of values (m, c) at the points."""
        return np.asarray(self._turned @ values)


class SplineGrid:
    """A box of nodes `dims` with `spacing_mm`; node 0 lies at `first_mm` along each axis."""

    def __init__(self, dims: tuple[int, int, int], spacing_mm: float, first_mm: float) -> None:
        self.dims, self.spacing_mm, self.first_mm = dims, spacing_mm, first_mm
        self.count = dims[0] * dims[1] * dims[2]
        self._fixed = (np.array(dims, dtype=np.int64), 1 / spacing_mm, first_mm / spacing_mm)

    def at(self, points_mm: NDArray[np.float64], field: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (m, c) at points (m, 3) mm of a nodal field (count, c)."""
        out = np.empty((points_mm.shape[0], field.shape[1]))
        _gather(np.ascontiguousarray(points_mm), *self._fixed, np.ascontiguousarray(field), out)
        return out

    def sum(
        self, points_mm: NDArray[np.float64], values: NDArray[np.float64], out: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Nodal sums (count, c) of values (m, c) at points (m, 3) mm, added to `out` where given."""
        total = np.zeros((self.count, values.shape[1])) if out is None else out
        _spread(np.ascontiguousarray(points_mm), *self._fixed, np.ascontiguousarray(values), total)
        return total

    def touched(self, points_mm: NDArray[np.float64], nodes: NDArray[np.int64]) -> Touched:
        """The nodes that points (m, 3) mm touch, numbered in a mesh whose nodes (N,) are increasing flat numbers."""
        count = points_mm.shape[0]
        column, value = np.empty((count, 27), dtype=np.int64), np.empty((count, 27))
        _touched(np.ascontiguousarray(points_mm), *self._fixed, column, value)
        unique, place = np.unique(column, return_inverse=True)
        start = np.arange(count + 1) * 27
        weights = csr_array((value.ravel(), place.ravel(), start), shape=(count, unique.size))
        return Touched(weights, np.searchsorted(nodes, unique))

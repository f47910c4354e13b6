"""Means of fields over the cells of another grid, from trilinear values at regular points inside each cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray


def cell_means(
    fields: Sequence[NDArray[np.float32]], to_source: NDArray[np.float64], shape: tuple[int, ...], per_edge: int
) -> list[NDArray[np.float32]]:
    """Means over cells; a point outside the centres of a field's outermost voxels counts as zero.

    Parameters
    ----------
    fields : sequence of ndarray of float32, shape (I, J, K)
        Values at voxel centres, all on one grid.
    to_source : ndarray of float64, shape (4, 4)
        Affine map from indices of the target grid to indices of the fields' grid.
    shape : tuple of int
        Shape of the target grid.
    per_edge : int
        Points along each edge of a cell.

    Returns
    -------
    list of ndarray of float32
        One field of `shape` each.
    """
    stacked = np.ascontiguousarray(np.stack(fields, axis=-1), dtype=np.float32)
    out = np.zeros((*shape, len(fields)), dtype=np.float32)
    places = (np.arange(per_edge) + 0.5) / per_edge - 0.5
    offsets = np.stack(np.meshgrid(places, places, places, indexing="ij"), axis=-1).reshape(-1, 3) @ to_source[:3, :3].T
    _means(stacked, np.ascontiguousarray(to_source[:3]), offsets, out)
    return [np.ascontiguousarray(out[..., c]) for c in range(len(fields))]


@njit(cache=True, nogil=True, error_model="numpy")
def _means(fields, affine, offsets, out):  # type: ignore[no-untyped-def]
    """Fill `out` (I, J, K, C) cell by cell."""
    total = np.zeros(out.shape[3])
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                total[:] = 0.0
                for n in range(offsets.shape[0]):
                    x = affine[0, 0] * i + affine[0, 1] * j + affine[0, 2] * k + affine[0, 3] + offsets[n, 0]
                    y = affine[1, 0] * i + affine[1, 1] * j + affine[1, 2] * k + affine[1, 3] + offsets[n, 1]
                    z = affine[2, 0] * i + affine[2, 1] * j + affine[2, 2] * k + affine[2, 3] + offsets[n, 2]
                    _add_value(fields, x, y, z, total)
                for c in range(total.size):
                    out[i, j, k, c] = total[c] / offsets.shape[0]


@njit(cache=True, inline="always", error_model="numpy")
def _add_value(fields, x, y, z, total):  # type: ignore[no-untyped-def]
    """Add the trilinear values of all fields at one point."""
    last0, last1, last2 = fields.shape[0] - 1, fields.shape[1] - 1, fields.shape[2] - 1
    if x >= 0.0 and y >= 0.0 and z >= 0.0 and x <= last0 and y <= last1 and z <= last2:
        a, b, d = min(int(x), max(last0 - 1, 0)), min(int(y), max(last1 - 1, 0)), min(int(z), max(last2 - 1, 0))
        u, v, w = x - a, y - b, z - d
        a1, b1, d1 = min(a + 1, last0), min(b + 1, last1), min(d + 1, last2)
        for c in range(total.size):
            low = (1 - v) * ((1 - w) * fields[a, b, d, c] + w * fields[a, b, d1, c])
            low += v * ((1 - w) * fields[a, b1, d, c] + w * fields[a, b1, d1, c])
            high = (1 - v) * ((1 - w) * fields[a1, b, d, c] + w * fields[a1, b, d1, c])
            high += v * ((1 - w) * fields[a1, b1, d, c] + w * fields[a1, b1, d1, c])
            total[c] += (1 - u) * low + u * high

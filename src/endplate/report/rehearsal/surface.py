"""A closed surface of a volume: naive surface nets.

One vertex a cell of eight voxels that the surface crosses, at the mean of its edge crossings; one square a crossed
edge between two voxels. Closed by construction once the volume is padded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.image.volume import Grid

EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
"""The 12 edges of a cell, by the numbers of its corners (bits i, j, k)."""


def surface(array: NDArray[np.floating], grid: Grid, level: float = 0.5) -> tuple[NDArray[Any], NDArray[Any]]:
    """Vertices (n, 3) LPS mm and triangles (m, 3) round everything above a level, seen from outside anticlockwise.

    References
    ----------
    Gibson 1998, constrained elastic surface nets (known, not read).
    """
    field = np.pad(np.asarray(array, float), 1)
    corners = _corners(field)
    inside = corners > level
    mixed = inside.any(axis=0) & ~inside.all(axis=0)
    cells = np.argwhere(mixed)
    if not len(cells):
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    number = np.full(mixed.shape, -1, np.int64)
    number[mixed] = np.arange(len(cells))
    vertices = cells + _mean_crossing(corners[:, mixed], level)
    triangles = np.concatenate([_squares(field > level, number, axis) for axis in range(3)])
    if np.linalg.det(grid.affine[:3, :3]) < 0:
        triangles = triangles[:, ::-1]
    return grid.to_mm(vertices - 1), triangles


def _corners(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """(8, I - 1, J - 1, K - 1) values at the corners of each cell; bit 0 of the number is +i, 1 is +j, 2 is +k."""
    ends = (slice(None, -1), slice(1, None))
    return np.stack([field[ends[c & 1], ends[c >> 1 & 1], ends[c >> 2 & 1]] for c in range(8)])


def _mean_crossing(corners: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """(n, 3) mean of the places where a cell's edges cross the level, in cell units."""
    place = np.array([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)], float)
    total, count = np.zeros((corners.shape[1], 3)), np.zeros(corners.shape[1])
    for a, b in EDGES:
        crosses = (corners[a] > level) != (corners[b] > level)
        rise = np.where(crosses, corners[b] - corners[a], 1.0)
        share = np.where(crosses, (level - corners[a]) / rise, 0.0)[:, None]
        total += np.where(crosses[:, None], place[a] + share * (place[b] - place[a]), 0.0)
        count += crosses
    return total / count[:, None]


def _squares(inside: NDArray[np.bool_], number: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """Two triangles for each edge along an axis that the surface crosses, from the four cells round that edge."""
    u, v = (axis + 1) % 3, (axis + 2) % 3
    first = np.moveaxis(inside, axis, 0)
    crossed = np.moveaxis(first[:-1] != first[1:], 0, axis)
    edges = np.argwhere(crossed)
    shift_u, shift_v = np.eye(3, dtype=int)[u], np.eye(3, dtype=int)[v]
    around = [edges - shift_u - shift_v, edges - shift_v, edges, edges - shift_u]
    square = np.stack([number[tuple(cell.T)] for cell in around], axis=1)
    outward = inside[tuple(edges.T)]
    square = np.where(outward[:, None], square, square[:, ::-1])
    return np.concatenate([square[:, [0, 1, 2]], square[:, [0, 2, 3]]])

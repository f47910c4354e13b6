"""Between two levels: trilinear interpolation from coarse nodes, and its transpose.

`place` is 27 * coarse element + position of the fine node in it (see `coarsen`). Vectors are (N, 3), except on the finest
level, whose vectors are (3, N).
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def stencils():  # type: ignore[no-untyped-def]
    """Corners (27, 8) that a position depends on, their count (27,) and their common weight (27,)."""
    corners = np.zeros((27, 8), dtype=np.int64)
    count = np.zeros(27, dtype=np.int64)
    weight = np.ones(27, dtype=np.float32)
    for position in range(27):
        digits = (position // 9, position // 3 % 3, position % 3)
        for corner in range(8):
            share = 1.0
            for axis in range(3):
                d = digits[axis]
                share *= (d if (corner >> (2 - axis)) & 1 else 2 - d) / 2
            if share > 0:
                corners[position, count[position]] = corner
                count[position] += 1
                weight[position] = np.float32(share)
    return corners, count, weight


@njit(cache=True)
def prolong(coarse, nodes, place, fine):  # type: ignore[no-untyped-def]
    """fine (N, 3) = P coarse."""
    corners, count, weight = stencils()
    for n in range(place.size):
        element, position = place[n] // 27, place[n] % 27
        a, b, c = np.float32(0), np.float32(0), np.float32(0)
        for s in range(count[position]):
            m = nodes[element, corners[position, s]]
            a += coarse[m, 0]
            b += coarse[m, 1]
            c += coarse[m, 2]
        w = weight[position]
        fine[n, 0] = w * a
        fine[n, 1] = w * b
        fine[n, 2] = w * c


@njit(cache=True)
def restrict(fine, nodes, place, coarse):  # type: ignore[no-untyped-def]
    """coarse += P^T fine, fine (N, 3)."""
    corners, count, weight = stencils()
    for n in range(place.size):
        element, position = place[n] // 27, place[n] % 27
        w = weight[position]
        a, b, c = w * fine[n, 0], w * fine[n, 1], w * fine[n, 2]
        for s in range(count[position]):
            m = nodes[element, corners[position, s]]
            coarse[m, 0] += a
            coarse[m, 1] += b
            coarse[m, 2] += c


@njit(cache=True)
def prolong_rows(coarse, nodes, place, free, fine):  # type: ignore[no-untyped-def]
    """fine (3, N) = P coarse where free, zero elsewhere."""
    corners, count, weight = stencils()
    for n in range(place.size):
        element, position = place[n] // 27, place[n] % 27
        a, b, c = np.float32(0), np.float32(0), np.float32(0)
        for s in range(count[position]):
            m = nodes[element, corners[position, s]]
            a += coarse[m, 0]
            b += coarse[m, 1]
            c += coarse[m, 2]
        w = weight[position]
        fine[0, n] = w * a * free[0, n]
        fine[1, n] = w * b * free[1, n]
        fine[2, n] = w * c * free[2, n]


@njit(cache=True)
def restrict_rows(fine, nodes, place, free, coarse):  # type: ignore[no-untyped-def]
    """coarse += P^T fine, fine (3, N) taken as zero where not free."""
    corners, count, weight = stencils()
    for n in range(place.size):
        element, position = place[n] // 27, place[n] % 27
        w = weight[position]
        a, b, c = w * fine[0, n] * free[0, n], w * fine[1, n] * free[1, n], w * fine[2, n] * free[2, n]
        for s in range(count[position]):
            m = nodes[element, corners[position, s]]
            coarse[m, 0] += a
            coarse[m, 1] += b
            coarse[m, 2] += c

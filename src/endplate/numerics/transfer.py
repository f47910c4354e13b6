"""Between two levels: trilinear interpolation from coarse nodes, and its transpose.

Each fine node takes its value from one coarse element, at one of 27 positions in it: low corner, middle or high corner
along each axis. Fine nodes are listed by coarse element, and each batch of coarse elements is expanded to its 27 positions
in vector lanes. Vectors are (3, N) in single precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.numerics.blocks import BLOCK, Blocks, gather, scatter


@dataclass(frozen=True, slots=True, eq=False)
class Transfer:
    """Fine nodes by coarse element.

    Attributes
    ----------
    node : (N,) fine nodes sorted by coarse element. position : (N,) uint8, 9 p + 3 q + r with digits 0, 1, 2.
    start : (E + 1,) first entry of each coarse element. free : (3, N) of the fine level; fixed values stay zero.
    """

    blocks: Blocks
    node: NDArray[np.int32]
    position: NDArray[np.uint8]
    start: NDArray[np.int32]
    free: NDArray[np.bool_]

    def restrict(self, fine: NDArray[np.float32], coarse: NDArray[np.float32]) -> None:
        """coarse = P^T fine."""
        coarse[:] = 0
        b = self.blocks
        _restrict(fine, coarse, self.node, self.position, self.start, self.free, b.nodes, b.first, b.count)

    def prolong(self, coarse: NDArray[np.float32], fine: NDArray[np.float32], total: NDArray[np.float32]) -> None:
        """fine = P coarse, and total += fine."""
        b = self.blocks
        _prolong(coarse, fine, total, self.node, self.position, self.start, self.free, b.nodes, b.first, b.count)

    @property
    def nbytes(self) -> int:
        """Bytes held beyond the batches and the mask."""
        return self.node.nbytes + self.position.nbytes + self.start.nbytes


def make_transfer(blocks: Blocks, place: NDArray[np.int32], free: NDArray[np.bool_]) -> Transfer:
    """From (N,) 27 * coarse element + position."""
    return Transfer(blocks, *_sort_places(place, blocks.nodes.shape[0]), free)


@njit(cache=True)
def _sort_places(place, elements):  # type: ignore[no-untyped-def]
    """Counting sort by coarse element: nodes, positions, starts."""
    start = np.zeros(elements + 1, dtype=np.int32)
    for n in range(place.size):
        start[place[n] // 27 + 1] += 1
    for e in range(elements):
        start[e + 1] += start[e]
    at = start[:-1].copy()
    node = np.empty(place.size, dtype=np.int32)
    position = np.empty(place.size, dtype=np.uint8)
    for n in range(place.size):
        e = place[n] // 27
        node[at[e]] = n
        position[at[e]] = place[n] % 27
        at[e] += 1
    return node, position, start


@njit(cache=True)
def _spread_axis(t, stride, first, every_first, second, every_second):  # type: ignore[no-untyped-def]
    """Middle values along one axis, from low and high, for positions that the two other axes run through."""
    half = np.float32(0.5)
    for a in range(0, 3, every_first):
        for b in range(0, 3, every_second):
            o = first * a + second * b
            for x in range(3):
                low, high = 3 * o + x, 3 * (o + 2 * stride) + x
                mid = (3 * (o + stride) + x) * BLOCK
                for w in range(BLOCK):
                    t[mid + w] = half * (t[low * BLOCK + w] + t[high * BLOCK + w])


@njit(cache=True)
def _fold_axis(t, stride, first, every_first, second, every_second):  # type: ignore[no-untyped-def]
    """Transpose of `_spread_axis`: half of the middle values to either end."""
    half = np.float32(0.5)
    for a in range(0, 3, every_first):
        for b in range(0, 3, every_second):
            o = first * a + second * b
            for x in range(3):
                low, high = (3 * o + x) * BLOCK, (3 * (o + 2 * stride) + x) * BLOCK
                mid = (3 * (o + stride) + x) * BLOCK
                for w in range(BLOCK):
                    value = half * t[mid + w]
                    t[low + w] += value
                    t[high + w] += value


@njit(cache=True)
def _move_corners(t, corners, inward):  # type: ignore[no-untyped-def]
    """Copy the 8 corners between their own rows and the rows of their positions."""
    for c in range(8):
        o = 2 * (9 * (c >> 2) + 3 * ((c >> 1) & 1) + (c & 1))
        for x in range(3):
            a, b = (3 * c + x) * BLOCK, (3 * o + x) * BLOCK
            if inward:
                for w in range(BLOCK):
                    t[b + w] = corners[a + w]
            else:
                for w in range(BLOCK):
                    corners[a + w] = t[b + w]


@njit(cache=True)
def _prolong(coarse, fine, total, node, position, start, free, nodes, first, count):  # type: ignore[no-untyped-def]
    corners = np.zeros(24 * BLOCK, dtype=np.float32)
    t = np.zeros(81 * BLOCK, dtype=np.float32)
    for b in range(first.size):
        gather(coarse, nodes, first[b], count[b], corners)
        _move_corners(t, corners, True)
        _spread_axis(t, 1, 9, 2, 3, 2)
        _spread_axis(t, 3, 9, 2, 1, 1)
        _spread_axis(t, 9, 3, 1, 1, 1)
        for w in range(count[b]):
            e = first[b] + w
            for s in range(start[e], start[e + 1]):
                n, row = node[s], 3 * np.int64(position[s]) * BLOCK + w
                for x in range(3):
                    value = t[row + x * BLOCK] * free[x, n]
                    fine[x, n] = value
                    total[x, n] += value


@njit(cache=True)
def _restrict(fine, coarse, node, position, start, free, nodes, first, count):  # type: ignore[no-untyped-def]
    corners = np.zeros(24 * BLOCK, dtype=np.float32)
    t = np.zeros(81 * BLOCK, dtype=np.float32)
    for b in range(first.size):
        t[:] = 0
        for w in range(count[b]):
            e = first[b] + w
            for s in range(start[e], start[e + 1]):
                n, row = node[s], 3 * np.int64(position[s]) * BLOCK + w
                for x in range(3):
                    t[row + x * BLOCK] = fine[x, n] * free[x, n]
        _fold_axis(t, 9, 3, 1, 1, 1)
        _fold_axis(t, 3, 9, 2, 1, 1)
        _fold_axis(t, 1, 9, 2, 3, 2)
        _move_corners(t, corners, False)
        scatter(coarse, np.float32(1), nodes, first[b], count[b], corners, 0)

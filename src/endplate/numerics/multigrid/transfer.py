"""Between two levels: trilinear interpolation from coarse nodes, and its transpose.

Each fine node takes its value from one coarse element, at one of 27 positions in it: low corner, middle or high corner
along each axis. Fine nodes are listed by coarse element, and each batch of coarse elements is expanded to its 27
positions in vector lanes. Vectors are (3, N) in single precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.numerics.multigrid.element_batches import BLOCK, Blocks, gather, scatter
from endplate.numerics.threads import run_chunks

CELL = 3 * BLOCK  # values of one position: three components of all lanes


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
        fixed = (fine, coarse, self.node, self.position, self.start, self.free, b.nodes, b.first, b.count)
        run_chunks(lambda first, last: _restrict(*fixed, first, last), b.chunk)

    def prolong(self, coarse: NDArray[np.float32], fine: NDArray[np.float32], total: NDArray[np.float32]) -> None:
        """fine = P coarse, and total += fine."""
        b = self.blocks
        fixed = (coarse, fine, total, self.node, self.position, self.start, self.free, b.nodes, b.first, b.count)
        run_chunks(lambda first, last: _prolong(*fixed, first, last), b.chunk)

    @property
    def nbytes(self) -> int:
        """Bytes held beyond the batches and the mask."""
        return self.node.nbytes + self.position.nbytes + self.start.nbytes


def make_transfer(blocks: Blocks, place: NDArray[np.int32], free: NDArray[np.bool_]) -> Transfer:
    """From (N,) 27 * coarse element + position."""
    node, position, start = _sort_places(place, blocks.nodes.shape[0])
    return Transfer(blocks, node, position, start, free)


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
def _spread(t):  # type: ignore[no-untyped-def]
    """Middle values from the ends, along k, then j, then i; a position and its three components are CELL values."""
    for corner in range(4):
        _average(t, (18 * (corner >> 1) + 6 * (corner & 1)) * CELL, CELL)
    for end in range(2):
        _average(t, 18 * end * CELL, 3 * CELL)
    _average(t, 0, 9 * CELL)


@njit(cache=True)
def _fold(t):  # type: ignore[no-untyped-def]
    """Transpose of `_spread`: half of the middle values to either end, along i, then j, then k."""
    _share(t, 0, 9 * CELL)
    for end in range(2):
        _share(t, 18 * end * CELL, 3 * CELL)
    for corner in range(4):
        _share(t, (18 * (corner >> 1) + 6 * (corner & 1)) * CELL, CELL)


@njit(cache=True)
def _average(t, start, size):  # type: ignore[no-untyped-def]
    """The second of three consecutive stretches becomes the mean of the first and third."""
    low, middle, high = t[start:][:size], t[start + size :][:size], t[start + 2 * size :][:size]
    half = np.float32(0.5)
    for w in range(size):
        middle[w] = half * (low[w] + high[w])


@njit(cache=True)
def _share(t, start, size):  # type: ignore[no-untyped-def]
    """Half of the second of three consecutive stretches goes to the first and third."""
    low, middle, high = t[start:][:size], t[start + size :][:size], t[start + 2 * size :][:size]
    half = np.float32(0.5)
    for w in range(size):
        value = half * middle[w]
        low[w] += value
        high[w] += value


@njit(cache=True)
def _corner_place(c):  # type: ignore[no-untyped-def]
    """First value of corner c among the 27 positions."""
    return 2 * (9 * (c >> 2) + 3 * ((c >> 1) & 1) + (c & 1)) * CELL


@njit(cache=True)
def _copy(source, at, target, to):  # type: ignore[no-untyped-def]
    """One cell of values; a loop, since assigning a slice compiles seconds of shape checking."""
    for w in range(CELL):
        target[to + w] = source[at + w]


@njit(cache=True, nogil=True)
def _prolong(coarse, fine, total, node, position, start, free, nodes, first, count, begin, end):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    corners = np.zeros(24 * BLOCK, dtype=np.float32)
    t = np.zeros(81 * BLOCK, dtype=np.float32)
    for b in range(begin, end):
        gather(coarse, nodes, first[b], count[b], corners)
        for c in range(8):
            _copy(corners, c * CELL, t, _corner_place(c))
        _spread(t)
        for w in range(count[b]):
            e = first[b] + w
            for s in range(start[e], start[e + 1]):
                n, row = node[s], 3 * np.int64(position[s]) * BLOCK + w
                for x in range(3):
                    value = t[row + x * BLOCK] * free[x, n]
                    fine[x, n] = value
                    total[x, n] += value


@njit(cache=True, nogil=True)
def _restrict(fine, coarse, node, position, start, free, nodes, first, count, begin, end):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    corners = np.zeros(24 * BLOCK, dtype=np.float32)
    t = np.zeros(81 * BLOCK, dtype=np.float32)
    for b in range(begin, end):
        t[:] = 0
        for w in range(count[b]):
            e = first[b] + w
            for s in range(start[e], start[e + 1]):
                n, row = node[s], 3 * np.int64(position[s]) * BLOCK + w
                for x in range(3):
                    t[row + x * BLOCK] = fine[x, n] * free[x, n]
        _fold(t)
        for c in range(8):
            _copy(t, _corner_place(c), corners, c * CELL)
        scatter(coarse, np.float32(1), nodes, first[b], count[b], corners, 0)

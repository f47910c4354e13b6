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

CELL = np.int64(3 * BLOCK)  # values of one position: three components of all lanes
START = np.int64(0)
"""Typed, as `CELL` is: a plain number is a constant to the compiler, and what takes it is compiled for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Transfer:
    """Fine nodes by coarse element; an unsigned index needs no check for counting from the end.

    Attributes
    ----------
    node : (N,) uint32 fine nodes sorted by coarse element. row : (N,) uint16 first row of a node's position, 9 p + 3 q
    + r with digits 0, 1, 2, in the scratch of a batch. start : (E + 1,) first entry of each coarse element.
    held : places in the flat (3, N) of the fine level where displacement is fixed.
    """

    blocks: Blocks
    node: NDArray[np.uint32]
    row: NDArray[np.uint16]
    start: NDArray[np.int32]
    held: NDArray[np.uint32]

    def restrict(self, fine: NDArray[np.float32], coarse: NDArray[np.float32]) -> None:
        """coarse = P^T fine; `fine` becomes zero where fixed."""
        coarse[:] = 0
        _hold(fine, self.held)
        b = self.blocks
        fixed = (fine, coarse, self.node, self.row, self.start, b.nodes, b.first, b.count)
        run_chunks(lambda first, last: _restrict(*fixed, first, last), b.chunk)

    def prolong(self, coarse: NDArray[np.float32], fine: NDArray[np.float32]) -> None:
        """fine = P coarse, zero where fixed."""
        b = self.blocks
        fixed = (coarse, fine, self.node, self.row, self.start, b.nodes, b.first, b.count)
        run_chunks(lambda first, last: _prolong(*fixed, first, last), b.chunk)
        _hold(fine, self.held)

    @property
    def nbytes(self) -> int:
        """Bytes held beyond the batches."""
        return self.node.nbytes + self.row.nbytes + self.start.nbytes + self.held.nbytes


def make_transfer(blocks: Blocks, place: NDArray[np.int32], free: NDArray[np.bool_]) -> Transfer:
    """From (N,) 27 * coarse element + position, and the free degrees of freedom (3, N) of the fine level."""
    node, row, start = _sort_places(place, blocks.nodes.shape[0])
    return Transfer(blocks, node, row, start, np.flatnonzero(~free).astype(np.uint32))


@njit(cache=True, nogil=True)
def _sort_places(place, elements):  # type: ignore[no-untyped-def]
    """Counting sort by coarse element: nodes, rows of the scratch, starts."""
    start = np.zeros(elements + 1, dtype=np.int32)
    for n in range(place.size):
        start[place[n] // 27 + 1] += 1
    for e in range(elements):
        start[e + 1] += start[e]
    at = start[:-1].copy()
    node = np.empty(place.size, dtype=np.uint32)
    row = np.empty(place.size, dtype=np.uint16)
    for n in range(place.size):
        e = place[n] // 27
        node[at[e]] = n
        row[at[e]] = CELL * (place[n] % 27)
        at[e] += 1
    return node, row, start


@njit(cache=True)
def _hold(vector, held):  # type: ignore[no-untyped-def]
    """Zero where fixed."""
    flat = vector.reshape(-1)
    for place in held:
        flat[place] = 0


@njit(cache=True, nogil=True)
def _spread(t):  # type: ignore[no-untyped-def]
    """Middle values from the ends, along k, then j, then i; a position and its three components are CELL values."""
    for corner in range(4):
        _average(t, (18 * (corner >> 1) + 6 * (corner & 1)) * CELL, CELL)
    for end in range(2):
        _average(t, 18 * end * CELL, 3 * CELL)
    _average(t, START, 9 * CELL)


@njit(cache=True, nogil=True)
def _fold(t):  # type: ignore[no-untyped-def]
    """Transpose of `_spread`: half of the middle values to either end, along i, then j, then k."""
    _share(t, START, 9 * CELL)
    for end in range(2):
        _share(t, 18 * end * CELL, 3 * CELL)
    for corner in range(4):
        _share(t, (18 * (corner >> 1) + 6 * (corner & 1)) * CELL, CELL)


@njit(cache=True, nogil=True)
def _average(t, start, size):  # type: ignore[no-untyped-def]
    """The second of three consecutive stretches becomes the mean of the first and third."""
    low, middle, high = t[start:][:size], t[start + size :][:size], t[start + 2 * size :][:size]
    half = np.float32(0.5)
    for w in range(size):
        middle[w] = half * (low[w] + high[w])


@njit(cache=True, nogil=True)
def _share(t, start, size):  # type: ignore[no-untyped-def]
    """Half of the second of three consecutive stretches goes to the first and third."""
    low, middle, high = t[start:][:size], t[start + size :][:size], t[start + 2 * size :][:size]
    half = np.float32(0.5)
    for w in range(size):
        value = half * middle[w]
        low[w] += value
        high[w] += value


@njit(cache=True, nogil=True)
def _corner_place(c):  # type: ignore[no-untyped-def]
    """First value of corner c among the 27 positions."""
    return 2 * (9 * (c >> 2) + 3 * ((c >> 1) & 1) + (c & 1)) * CELL


@njit(cache=True, nogil=True)
def _copy(source, at, target, to):  # type: ignore[no-untyped-def]
    """One cell of values; a loop, since assigning a slice compiles seconds of shape checking."""
    for w in range(CELL):
        target[to + w] = source[at + w]


@njit(cache=True, nogil=True)
def _prolong(coarse, fine, node, row, start, nodes, first, count, begin, end):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    corners = np.zeros(24 * BLOCK, dtype=np.float32)
    t = np.zeros(81 * BLOCK, dtype=np.float32)
    x, y, z = fine[0], fine[1], fine[2]
    for b in range(begin, end):
        gather(coarse, nodes, first[b], count[b], corners)
        for c in range(nodes.shape[1]):  # eight; a plain 8 would be unrolled, a second more to compile
            _copy(corners, c * CELL, t, _corner_place(c))
        _spread(t)
        for w in range(count[b]):
            e, lane = first[b] + w, t[w:]
            for s in range(start[e], start[e + 1]):
                n, at = node[s], row[s]
                x[n], y[n], z[n] = lane[at], lane[at + BLOCK], lane[at + 2 * BLOCK]


@njit(cache=True, nogil=True)
def _restrict(fine, coarse, node, row, start, nodes, first, count, begin, end):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    corners = np.zeros(24 * BLOCK, dtype=np.float32)
    t = np.zeros(81 * BLOCK, dtype=np.float32)
    x, y, z = fine[0], fine[1], fine[2]
    for b in range(begin, end):
        t[:] = 0
        for w in range(count[b]):
            e, lane = first[b] + w, t[w:]
            for s in range(start[e], start[e + 1]):
                n, at = node[s], row[s]
                lane[at], lane[at + BLOCK], lane[at + 2 * BLOCK] = x[n], y[n], z[n]
        _fold(t)
        for c in range(nodes.shape[1]):
            _copy(t, _corner_place(c), corners, c * CELL)
        scatter(coarse, np.float32(1), nodes, first[b], count[b], corners, START)

"""Tables for devices that gather: who meets at a node, coarse stiffness by node, interpolation read from below.

A thread that owns a node and reads what it needs never shares a place that it writes; that is how a graphics card adds
the same numbers in the same order every time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Int = NDArray[np.int32] | NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class BlockPattern:
    """Where the 3 x 3 blocks of a coarse stiffness stand.

    Attributes
    ----------
    count : (N,) blocks of each node. column : (W, N) node that each acts on. slot : (E, 8, 8) place, in 0 to W - 1, of
    the block of two corners in the list of the first one's node.
    """

    count: Int
    column: Int
    slot: Int


def block_pattern(element_nodes: Int, n_nodes: int) -> BlockPattern:
    """From elements (E, 8); nodes that share an element have a block."""
    start, element = elements_of_nodes(element_nodes, n_nodes)
    count = _count(element_nodes, start, element)
    column, slot = _columns(element_nodes, start, element, count, int(count.max(initial=1)))
    return BlockPattern(count, column, slot)


def fill_blocks(pattern: BlockPattern, element_nodes: Int, matrices: NDArray[np.float32]) -> NDArray[np.float32]:
    """(W, N, 3, 3) sums of the element matrices (E, 24, 24)."""
    out = np.zeros((*pattern.column.shape, 3, 3), dtype=np.float32)
    _add_blocks(out, element_nodes, pattern.slot, matrices)
    return out


@njit(cache=True, nogil=True)
def elements_of_nodes(element_nodes, n_nodes):  # type: ignore[no-untyped-def]
    """(N + 1,) starts and (8 E,) entries 8 * element + corner, by node."""
    start = np.zeros(n_nodes + 1, dtype=np.int32)
    for e in range(element_nodes.shape[0]):
        for c in range(8):
            start[element_nodes[e, c] + 1] += 1
    for n in range(n_nodes):
        start[n + 1] += start[n]
    at = start[:-1].copy()
    entry = np.empty(8 * element_nodes.shape[0], dtype=np.int32)
    for e in range(element_nodes.shape[0]):
        for c in range(8):
            n = element_nodes[e, c]
            entry[at[n]] = 8 * e + c
            at[n] += 1
    return start, entry


@njit(cache=True, nogil=True)
def _count(element_nodes, start, entry):  # type: ignore[no-untyped-def]
    seen = np.full(start.size - 1, -1, dtype=np.int32)
    out = np.zeros(start.size - 1, dtype=np.int32)
    for n in range(out.size):
        for s in range(start[n], start[n + 1]):
            for d in range(8):
                m = element_nodes[entry[s] >> 3, d]
                if seen[m] != n:
                    seen[m] = n
                    out[n] += 1
    return out


@njit(cache=True, nogil=True)
def _columns(element_nodes, start, entry, count, width):  # type: ignore[no-untyped-def]
    seen = np.full(count.size, -1, dtype=np.int32)
    place = np.zeros(count.size, dtype=np.int32)
    column = np.zeros((width, count.size), dtype=np.int32)
    slot = np.empty((element_nodes.shape[0], 8, 8), dtype=np.int32)
    for n in range(count.size):
        used = 0
        for s in range(start[n], start[n + 1]):
            e, c = entry[s] >> 3, entry[s] & 7
            for d in range(8):
                m = element_nodes[e, d]
                if seen[m] != n:
                    seen[m] = n
                    place[m] = used
                    column[used, n] = m
                    used += 1
                slot[e, c, d] = place[m]
    return column, slot


@njit(cache=True, nogil=True)
def _add_blocks(out, element_nodes, slot, matrices):  # type: ignore[no-untyped-def]
    for e in range(element_nodes.shape[0]):
        for c in range(8):
            n = element_nodes[e, c]
            for d in range(8):
                to = out[slot[e, c, d], n]
                for x in range(3):
                    for y in range(3):
                        to[x, y] += matrices[e, 3 * c + x, 3 * d + y]


@njit(cache=True, nogil=True)
def around_nodes(element_nodes, n_nodes):  # type: ignore[no-untyped-def]
    """Voxels only: (8, N) the element whose corner c the node is, (27, N) its neighbours; -1 where there is none."""
    elements = np.full((8, n_nodes), -1, dtype=np.int32)
    neighbours = np.full((27, n_nodes), -1, dtype=np.int32)
    for e in range(element_nodes.shape[0]):
        for c in range(8):
            n = element_nodes[e, c]
            elements[c, n] = e
            for d in range(8):
                i, j, k = (d >> 2) - (c >> 2) + 1, ((d >> 1) & 1) - ((c >> 1) & 1) + 1, (d & 1) - (c & 1) + 1
                neighbours[9 * i + 3 * j + k, n] = element_nodes[e, d]
    return elements, neighbours


@njit(cache=True, nogil=True)
def gathered_interpolation(place, coarse_nodes, n_coarse):  # type: ignore[no-untyped-def]
    """P by coarse node: (M + 1,) starts, fine nodes and weights, from (N,) 27 * coarse element + position."""
    start = np.zeros(n_coarse + 1, dtype=np.int32)
    at = np.zeros(n_coarse, dtype=np.int32)
    node, weight = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
    for filling in range(2):
        for n in range(place.size):
            e, position = place[n] // 27, place[n] % 27
            p, q, r = position // 9, position // 3 % 3, position % 3
            for c in range(8):
                a, b, d = abs(2 * (c >> 2) - p), abs(2 * ((c >> 1) & 1) - q), abs(2 * (c & 1) - r)
                if max(a, b, d) < 2:
                    m = coarse_nodes[e, c]
                    if filling:
                        node[at[m]] = n
                        weight[at[m]] = (1 - 0.5 * a) * (1 - 0.5 * b) * (1 - 0.5 * d)
                        at[m] += 1
                    else:
                        start[m + 1] += 1
        if not filling:
            for m in range(n_coarse):
                start[m + 1] += start[m]
            for m in range(n_coarse):
                at[m] = start[m]
            node, weight = np.empty(start[n_coarse], dtype=np.int32), np.empty(start[n_coarse], dtype=np.float32)
    return start, node, weight

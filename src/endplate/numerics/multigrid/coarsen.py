"""One step of coarsening that never glues bone which does not touch.

Eight cubes become one. A coarse grid point would be shared by everything around it, also by two sheets with a gap
between them. Here every coarse element starts with eight corners of its own, and corners at the same place become one
node only where a fine node, shared by both elements, takes its value from them. So the interpolation is single-valued,
pieces that share nothing stay apart, and coarse stiffness is exactly the sum over children (Galerkin).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Int = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """Elements and nodes of one level, on a grid shifted so that blocks of two begin at even positions.

    Attributes
    ----------
    element_nodes : (E, 8). element_ijk : (E, 3). node_ijk : (N, 3). fixed : (N, 3) no displacement allowed.
    """

    element_nodes: Int
    element_ijk: Int
    node_ijk: Int
    fixed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Coarsening:
    """A coarse level and its relation to the fine one.

    Attributes
    ----------
    coarse : topology of the coarse level. parent : (E,) coarse element of each fine element.
    child : (E,) which of its eight children it is. place : (N,) 27 * coarse element + position of each fine node in it,
    position 9 p + 3 q + r with p, q, r in 0 (low corner), 1 (middle), 2 (high corner).
    """

    coarse: Topology
    parent: Int
    child: Int
    place: Int


def best_shift(fixed: NDArray[np.bool_], node_ijk: Int) -> Int:
    """Shift 0 or 1 per axis that puts most supported nodes on even positions, where coarse nodes can hold them."""
    held = node_ijk[fixed[:, 0] | fixed[:, 1] | fixed[:, 2]]
    odd = (held & 1).sum(axis=0)
    return np.asarray((2 * odd > held.shape[0]).astype(np.int32))


STALLED = 0.6
"""Nodes kept by a step above which it is repeated with glue: a healthy step keeps an eighth to a third."""


def coarsen(fine: Topology, connected_blocks: bool) -> Coarsening:
    """Join elements two by two by two.

    `connected_blocks` says that all elements of a block are known to share its middle node (true on the finest level).
    Pieces that hang together by a single edge or corner can stay apart for ever; there one node per place ends it.
    """
    step = _coarsen(fine, connected_blocks, glue=False)
    if step.coarse.node_ijk.shape[0] > STALLED * fine.node_ijk.shape[0]:
        return _coarsen(fine, connected_blocks, glue=True)
    return step


def _coarsen(fine: Topology, connected_blocks: bool, glue: bool) -> Coarsening:
    """One step, with corners at one place united by shared fine nodes only or, with `glue`, all of them."""
    shift = best_shift(fine.fixed, fine.node_ijk)
    elements, nodes = fine.element_ijk + shift, fine.node_ijk + shift
    order, block, block_ijk = _blocks(elements)
    candidate = block if connected_blocks else np.arange(elements.shape[0], dtype=np.int32)
    candidate_ijk = block_ijk if connected_blocks else elements >> 1
    slots, owner = _unite(fine.element_nodes, nodes, candidate, candidate_ijk)
    if glue:
        slots = _one_per_place(candidate_ijk)
    if connected_blocks:
        parent, first = block, np.arange(block_ijk.shape[0], dtype=np.int32)
    else:
        parent, first = _merge_equal(order, block, slots)
    coarse_nodes, n_nodes = _number(slots, first)
    coarse_ijk = np.ascontiguousarray(candidate_ijk[first])
    place = _places(nodes, parent[owner] if not connected_blocks else owner, coarse_ijk)
    fixed = _spread_fixed(fine.fixed, place, coarse_nodes, n_nodes)
    node_ijk = np.empty((n_nodes, 3), dtype=np.int32)
    corners = np.array([(c >> 2, (c >> 1) & 1, c & 1) for c in range(8)], dtype=np.int32)
    node_ijk[coarse_nodes] = coarse_ijk[:, None, :] + corners
    child = ((elements[:, 0] & 1) << 2 | (elements[:, 1] & 1) << 1 | (elements[:, 2] & 1)).astype(np.int32)
    return Coarsening(Topology(coarse_nodes, coarse_ijk, node_ijk, fixed), parent, child, place)


def _blocks(elements: Int) -> tuple[NDArray[np.int64], Int, Int]:
    """Order of elements by block, block number of each, positions of the blocks in C order."""
    cell = (elements >> 1).astype(np.int64)
    size = cell.max(axis=0) + 1
    key = (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2]
    order = np.argsort(key, kind="stable")
    new = np.ones(key.size, dtype=np.bool_)
    new[1:] = np.diff(key[order]) > 0
    block = np.empty(key.size, dtype=np.int32)
    block[order] = np.cumsum(new) - 1
    return order, block, np.ascontiguousarray((elements >> 1)[order[new]])


def _one_per_place(candidate_ijk: Int) -> Int:
    """(C, 8) representatives when all corners at one grid point are one node."""
    corners = np.array([(c >> 2, (c >> 1) & 1, c & 1) for c in range(8)], dtype=np.int64)
    place = (candidate_ijk[:, None, :] + corners).reshape(-1, 3)
    size = place.max(axis=0) + 1
    key = (place[:, 0] * size[1] + place[:, 1]) * size[2] + place[:, 2]
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    return first[which].astype(np.int32).reshape(-1, 8)


@njit(cache=True, nogil=True)
def _root(up, s):  # type: ignore[no-untyped-def]
    """Representative of slot s, halving the path on the way."""
    while up[s] != s:
        up[s] = up[up[s]]
        s = up[s]
    return s


@njit(cache=True, nogil=True)
def _unite(element_nodes, node_ijk, candidate, candidate_ijk):  # type: ignore[no-untyped-def]
    """Unite corners wherever a shared fine node is interpolated from both.

    Returns (C, 8) representatives of the corners and (N,) the candidate that each node takes its value from.
    """
    up = np.arange(8 * candidate_ijk.shape[0], dtype=np.int32)
    owner = np.full(node_ijk.shape[0], -1, dtype=np.int32)
    latest = owner.copy()  # the candidate that met the node last: most repeats need no work
    for e in range(element_nodes.shape[0]):
        mine = candidate[e]
        for c in range(8):
            n = element_nodes[e, c]
            if owner[n] < 0:
                owner[n] = mine
            elif latest[n] != mine and owner[n] != mine:
                other = owner[n]
                _unite_stencil(up, node_ijk[n], mine, candidate_ijk[mine], other, candidate_ijk[other])
            latest[n] = mine
    slots = np.empty((candidate_ijk.shape[0], 8), dtype=np.int32)
    for s in range(up.size):
        slots[s >> 3, s & 7] = _root(up, s)
    return slots, owner


@njit(cache=True, nogil=True)
def _unite_stencil(up, node, mine, mine_ijk, other, other_ijk):  # type: ignore[no-untyped-def]
    """Unite the corners of two candidates that the node depends on: both ends of an axis where it is in the middle."""
    middle, a, b = 0, 8 * mine, 8 * other
    for axis in range(3):
        bit = 4 >> axis
        p = node[axis] - 2 * mine_ijk[axis]
        if p == 1:
            middle |= bit
        else:
            a |= bit * (p >> 1)
            b |= bit * ((node[axis] - 2 * other_ijk[axis]) >> 1)
    ends = middle
    while True:
        r, s = _root(up, a | ends), _root(up, b | ends)
        if r < s:
            up[s] = r
        else:
            up[r] = s
        if ends == 0:
            break
        ends = (ends - 1) & middle


@njit(cache=True, nogil=True)
def _merge_equal(order, block, slots):  # type: ignore[no-untyped-def]
    """Candidates of one block with the same eight nodes are one coarse element: (E,) its number, (C,) its first."""
    parent = np.empty(block.size, dtype=np.int32)
    first = np.empty(block.size, dtype=np.int32)
    count, start = 0, 0
    for position in range(order.size):
        e = order[position]
        if position == 0 or block[e] != block[order[position - 1]]:
            start = count
        found = -1
        for c in range(start, count):
            same = True
            for corner in range(8):
                same = same and slots[first[c], corner] == slots[e, corner]
            if same:
                found = c
                break
        if found < 0:
            first[count] = e
            found = count
            count += 1
        parent[e] = found
    return parent, first[:count].copy()


@njit(cache=True, nogil=True)
def _number(slots, first):  # type: ignore[no-untyped-def]
    """Number the representatives in order of appearance: (C, 8) nodes and their count."""
    number = np.full(slots.size, -1, dtype=np.int32)
    out = np.empty((first.size, 8), dtype=np.int32)
    count = 0
    for c in range(first.size):
        for corner in range(8):
            s = slots[first[c], corner]
            if number[s] < 0:
                number[s] = count
                count += 1
            out[c, corner] = number[s]
    return out, count


@njit(cache=True, nogil=True)
def _places(node_ijk, owner, coarse_ijk):  # type: ignore[no-untyped-def]
    """27 * coarse element + position of each node in it."""
    out = np.empty(owner.size, dtype=np.int32)
    for n in range(owner.size):
        c = owner[n]
        position = 0
        for axis in range(3):
            position = 3 * position + node_ijk[n, axis] - 2 * coarse_ijk[c, axis]
        out[n] = 27 * c + position
    return out


@njit(cache=True, nogil=True)
def _spread_fixed(fixed, place, coarse_nodes, n_nodes):  # type: ignore[no-untyped-def]
    """A coarse degree of freedom is fixed when every fine one that takes a share of it is."""
    out = np.ones((n_nodes, 3), dtype=np.bool_)
    for n in range(place.size):
        c, position = place[n] // 27, place[n] % 27
        i, j, k = position // 9, position // 3 % 3, position % 3
        middle = 4 * (i == 1) + 2 * (j == 1) + (k == 1)
        low = 4 * (i == 2) + 2 * (j == 2) + (k == 2)
        ends = middle
        while True:
            m = coarse_nodes[c, low | ends]
            for x in range(3):
                out[m, x] &= fixed[n, x]
            if ends == 0:
                break
            ends = (ends - 1) & middle
    return out

"""Coarse elements in batches of lanes: what the kernels of all coarse levels and of the transfers share.

Vectors are (3, N), one row per component. A batch is BLOCK elements whose corner values are copied into rows of lanes,
so that the arithmetic between gathering and scattering runs in vector registers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.numerics.voxel.simd_batches import PARALLEL_FROM, chunk_planes

BLOCK = 32
"""Elements of a batch: a multiple of every vector width, small enough for the first-level cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Batches of the elements of a coarse level, in order.

    Attributes
    ----------
    nodes : (E, 8) uint32; an unsigned index needs no check for counting from the end.
    first, count : (B,) first element of each batch and how many it has.
    chunk : (C + 1,) first batch of each chunk; chunks of the same parity share no node.
    """

    nodes: NDArray[np.uint32]
    first: NDArray[np.int32]
    count: NDArray[np.int32]
    chunk: NDArray[np.int32]

    def lane(self) -> NDArray[np.int64]:
        """(E,) batch * BLOCK + lane of each element."""
        batch = np.repeat(np.arange(self.first.size), self.count)
        return batch * BLOCK + np.arange(self.nodes.shape[0]) - self.first[batch]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.nodes.nbytes + self.first.nbytes + self.count.nbytes + self.chunk.nbytes


def make_blocks(nodes: NDArray[np.int32], plane: NDArray[np.int32], n_nodes: int) -> Blocks:
    """Batches of elements (E, 8) sorted by their plane i (E,)."""
    weight = np.bincount(plane) if plane.size else np.zeros(1, dtype=np.int64)
    borders = np.searchsorted(plane, chunk_planes(weight, n_nodes * 8 >= PARALLEL_FROM))
    return Blocks(nodes.view(np.uint32), *_batches(borders))


@njit(cache=True, nogil=True)
def _batches(borders):  # type: ignore[no-untyped-def]
    """Cut elements into batches that do not cross the borders of chunks: first, count, first batch of each chunk."""
    room = borders[-1] // BLOCK + borders.size + 1
    first = np.empty(room, dtype=np.int32)
    count = np.empty(room, dtype=np.int32)
    chunk = np.zeros(borders.size, dtype=np.int32)
    b = 0
    for c in range(borders.size - 1):
        for e in range(borders[c], borders[c + 1], BLOCK):
            first[b] = e
            count[b] = min(BLOCK, borders[c + 1] - e)
            b += 1
        chunk[c + 1] = b
    return first[:b].copy(), count[:b].copy(), chunk


@njit(cache=True, nogil=True)
def gather(u, nodes, first, count, t):  # type: ignore[no-untyped-def]
    """Corner values of a batch into rows 3 * corner + component; lanes beyond `count` repeat the last element."""
    u0, u1, u2 = u[0], u[1], u[2]
    for w in range(BLOCK):
        corner, lane = nodes[first + min(w, count - 1)], t[w:]
        for c in range(8):
            n = corner[c]
            lane[3 * c * BLOCK], lane[(3 * c + 1) * BLOCK], lane[(3 * c + 2) * BLOCK] = u0[n], u1[n], u2[n]


@njit(cache=True, nogil=True)
def scatter(out, sign, nodes, first, count, t, start):  # type: ignore[no-untyped-def]
    """Add sign times rows start + 3 * corner + component to the nodes of a batch."""
    out0, out1, out2 = out[0], out[1], out[2]
    for w in range(count):
        corner, lane = nodes[first + w], t[start * BLOCK + w :]
        for c in range(8):
            n = corner[c]
            out0[n] += sign * lane[3 * c * BLOCK]
            out1[n] += sign * lane[(3 * c + 1) * BLOCK]
            out2[n] += sign * lane[(3 * c + 2) * BLOCK]

"""Runs packed into fixed batches of lanes, and batches into chunks that threads may take at the same time.

A piece of L elements takes L + 1 lanes, one per node plane along k; the last lane carries modulus zero. A batch is
WIDTH lanes that a kernel transforms with vector instructions of constant trip count. Chunks are ranges of planes i: an
even chunk many planes, an odd chunk a single plane, so that two chunks of the same parity share no node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.numerics.threads import thread_count
from endplate.numerics.voxel.mesh import VoxelMesh

WIDTH = 64
"""Lanes of a batch: its rows stay in the first-level cache, and few lanes are lost at the ends of runs."""

PARALLEL_FROM = 20_000
"""Nodes from which a second thread pays: below it the fork costs more than it saves, and stalls on a busy machine."""


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """Batches of lanes in the order of the runs.

    Attributes
    ----------
    node : (P, 4) int32 first node of the four edge lines of each piece.
    element : (P,) int32 first element. length : (P,) int32 elements. lane : (P,) int32 first lane within the batch.
    batch : (B + 1,) int32 first piece of each batch. chunk : (C + 1,) int32 first batch of each chunk.
    """

    node: NDArray[np.int32]
    element: NDArray[np.int32]
    length: NDArray[np.int32]
    lane: NDArray[np.int32]
    batch: NDArray[np.int32]
    chunk: NDArray[np.int32]

    @property
    def n_batches(self) -> int:
        """Number of batches."""
        return int(self.batch.size - 1)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(getattr(self, name).nbytes for name in self.__slots__)


def chunk_planes(weight: NDArray[np.integer], parallel: bool) -> NDArray[np.int64]:
    """Borders (C + 1,) of chunks of planes with equal shares of `weight` per plane; odd chunks are single planes.

    Borders of even chunks are even, so that the same plan serves the transfer between levels.
    """
    parts = thread_count() if parallel else 1
    planes = weight.size
    share = np.cumsum(weight) / max(int(weight.sum()), 1)
    borders = [0]
    for part in range(1, parts):
        cut = int(np.searchsorted(share, part / parts)) // 2 * 2
        if borders[-1] + 2 <= cut <= planes - 2:
            borders += [cut - 1, cut]
    return np.array([*borders, planes], dtype=np.int64)


def pack(mesh: VoxelMesh) -> Lanes:
    """Batches of the mesh, in as many chunks as there are threads when the mesh is large."""
    runs = mesh.runs
    weight = np.bincount(mesh.element_ijk[:, 0], minlength=mesh.shape[0])
    borders = runs.plane_runs[chunk_planes(weight, mesh.n_nodes >= PARALLEL_FROM)]
    return Lanes(*_pack(runs.length, runs.first_element, runs.start_nodes, borders))


def pack_planes(mesh: VoxelMesh) -> Lanes:
    """Batches of the mesh with each plane i a chunk of its own: sums that do not depend on the number of threads."""
    runs = mesh.runs
    return Lanes(*_pack(runs.length, runs.first_element, runs.start_nodes, runs.plane_runs))


@njit(cache=True, nogil=True)
def _pack(length, first, nodes, borders):  # type: ignore[no-untyped-def]
    """Fill batches one after the other, cutting runs where a batch is full; each chunk starts a new batch."""
    room = length.size + (length.sum() + length.size) // (WIDTH - 1) + 2 * borders.size + 2
    node = np.empty((room, 4), dtype=np.int32)
    element = np.empty(room, dtype=np.int32)
    count = np.empty(room, dtype=np.int32)
    lane = np.empty(room, dtype=np.int32)
    batch = np.zeros(room, dtype=np.int32)
    chunk = np.zeros(borders.size, dtype=np.int32)
    p, b = 0, 0
    for c in range(borders.size - 1):
        used = WIDTH
        for r in range(borders[c], borders[c + 1]):
            done = 0
            while done < length[r]:
                if used > WIDTH - 2:
                    batch[b] = p
                    b += 1
                    used = 0
                take = min(length[r] - done, WIDTH - 1 - used)
                for line in range(4):
                    node[p, line] = nodes[r, line] + done
                element[p] = first[r] + done
                count[p] = take
                lane[p] = used
                used += take + 1
                done += take
                p += 1
        chunk[c + 1] = b
    batch[b] = p
    return node[:p].copy(), element[:p].copy(), count[:p].copy(), lane[:p].copy(), batch[: b + 1].copy(), chunk


@njit(cache=True, nogil=True)
def lane_modulus(modulus, element, length, lane, batch, out):  # type: ignore[no-untyped-def]
    """Spread moduli (E,) over (B, WIDTH) lanes; lanes without an element become zero."""
    for b in range(batch.size - 1):
        for w in range(WIDTH):
            out[b, w] = 0
        for p in range(batch[b], batch[b + 1]):
            for step in range(length[p]):
                out[b, lane[p] + step] = modulus[element[p] + step]


@njit(cache=True, nogil=True)
def element_values(lanes, element, length, lane, batch, out):  # type: ignore[no-untyped-def]
    """The transpose of `lane_modulus`: (B, WIDTH) lanes back to (E,)."""
    for b in range(batch.size - 1):
        for p in range(batch[b], batch[b + 1]):
            for step in range(length[p]):
                out[element[p] + step] = lanes[b, lane[p] + step]

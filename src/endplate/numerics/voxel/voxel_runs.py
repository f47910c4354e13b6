"""Elements as contiguous lines along k.

Within a run the nodes of its four edge lines have consecutive numbers, since nodes are numbered in C order and every
corner of an active voxel exists. So a kernel reads and writes memory in order, and the compiler can use vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Lines of elements along k.

    Attributes
    ----------
    length : (R,) int32 elements of each run.
    first_element : (R,) int32 number of its first element.
    start_nodes : (R, 4) int32 first node of edge lines (0, 0), (0, 1), (1, 0), (1, 1) in (i, j).
    plane_runs : (I + 1,) int32 first run of each plane i.
    """

    length: NDArray[np.int32]
    first_element: NDArray[np.int32]
    start_nodes: NDArray[np.int32]
    plane_runs: NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.length.nbytes + self.first_element.nbytes + self.start_nodes.nbytes + self.plane_runs.nbytes


def find_runs(mask: NDArray[np.bool_], number: NDArray[np.int32], n_elements: int) -> Runs:
    """Runs of the mask whose corner nodes are numbered by `number` (I + 1, J + 1, K + 1)."""
    plane_runs = _count_runs(mask)
    length, first, nodes = _fill_runs(mask, number, int(plane_runs[-1]))
    if int(length.sum()) != n_elements:
        raise ValueError("runs do not cover the mask")
    return Runs(length, first, nodes, plane_runs)


@njit(cache=True, nogil=True)
def _count_runs(mask):  # type: ignore[no-untyped-def]
    out = np.zeros(mask.shape[0] + 1, dtype=np.int32)
    for i in range(mask.shape[0]):
        count = 0
        for j in range(mask.shape[1]):
            before = False
            for k in range(mask.shape[2]):
                if mask[i, j, k] and not before:
                    count += 1
                before = mask[i, j, k]
        out[i + 1] = out[i] + count
    return out


@njit(cache=True, nogil=True)
def _fill_runs(mask, number, count):  # type: ignore[no-untyped-def]
    length = np.zeros(count, dtype=np.int32)
    first = np.empty(count, dtype=np.int32)
    nodes = np.empty((count, 4), dtype=np.int32)
    run, element = -1, 0
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            before = False
            for k in range(mask.shape[2]):
                if mask[i, j, k]:
                    if not before:
                        run += 1
                        first[run] = element
                        for line in range(4):
                            nodes[run, line] = number[i + (line >> 1), j + (line & 1), k]
                    length[run] += 1
                    element += 1
                before = mask[i, j, k]
    return length, first, nodes

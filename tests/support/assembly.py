"""Between nodes and elements: corner values of every element, and element forces summed at the nodes."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from endplate.numerics.voxel.mesh import VoxelMesh


def corner_values(mesh: VoxelMesh, nodal: ArrayLike) -> NDArray[np.float64]:
    """(E, 8, 3) values at the corners of each element from (N, 3) nodal values."""
    return np.asarray(nodal, dtype=np.float64)[mesh.element_nodes]


def sum_at_nodes(mesh: VoxelMesh, corner_forces: ArrayLike) -> NDArray[np.float64]:
    """(N, 3) nodal sums of (E, 8, 3) corner forces: the transpose of `corner_values`."""
    out = np.zeros((mesh.n_nodes, 3))
    _sum_at_nodes(mesh.element_nodes, np.ascontiguousarray(corner_forces, dtype=np.float64), out)
    return out


@njit(cache=True)
def _sum_at_nodes(element_nodes, forces, out):  # type: ignore[no-untyped-def]
    for e in range(element_nodes.shape[0]):
        for c in range(8):
            n = element_nodes[e, c]
            for x in range(3):
                out[n, x] += forces[e, c, x]

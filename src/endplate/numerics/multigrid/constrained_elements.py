"""Elements of the second level beside a support, whose interpolation is cut off at fixed voxel corners.

Cutting it off there, rather than fixing every coarse node near a support, keeps the layer beside the support as soft as
it is. Such elements are few and have matrices of their own; on all coarser levels the cut is in the matrices already.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.multigrid import dense_kernels, galerkin
from endplate.numerics.multigrid.coarsen import Coarsening
from endplate.numerics.multigrid.element_batches import BLOCK, make_blocks
from endplate.numerics.voxel.operator import ElasticOperator


class ConstrainedElements:
    """The elements of `step.coarse` that hold a fixed degree of freedom of the voxel mesh.

    Parameters
    ----------
    bits : (E,) fixed degrees of freedom of each voxel, as `galerkin.held_bits` gives them.
    """

    def __init__(self, step: Coarsening, bits: NDArray[np.int32], operator: ElasticOperator) -> None:
        self.elements = np.unique(step.parent[bits != 0])
        nodes = np.ascontiguousarray(step.coarse.element_nodes[self.elements])
        self._blocks = make_blocks(nodes, step.coarse.element_ijk[self.elements, 0], 0)
        number = np.full(step.coarse.element_nodes.shape[0], -1, dtype=np.int32)
        number[self.elements] = np.arange(self.elements.size, dtype=np.int32)
        self._voxels = np.flatnonzero(number[step.parent] >= 0)
        self._slot = number[step.parent[self._voxels]]
        pattern = step.child[self._voxels].astype(np.int64) << 24 | bits[self._voxels]
        unique, self._which = np.unique(pattern, return_inverse=True)
        child, held = (unique >> 24).astype(np.int32), (unique & 0xFFFFFF).astype(np.int32)
        matrices = galerkin.constrained_matrices(
            operator.poisson, operator.element, operator.mesh.spacing_mm, child, held
        )
        self._table = matrices.astype(np.float32)
        self.matrices = np.zeros((self.elements.size, 24, 24), dtype=np.float32)
        self._packed = np.zeros((self._blocks.first.size, dense_kernels.PACKED, BLOCK), dtype=np.float32)

    def set_modulus(self, modulus: NDArray[np.float64]) -> None:
        """Take new moduli (E,) of the voxels."""
        self.matrices[:] = 0
        weights = modulus[self._voxels].astype(np.float32)
        galerkin.add_weighted(self.matrices, self._slot, weights, self._table, self._which)
        dense_kernels.pack_matrices(self.matrices, self._blocks.first, self._blocks.count, self._packed)

    def subtract(self, d: NDArray[np.float32], r: NDArray[np.float32]) -> None:
        """R -= their part of K d."""
        b = self._blocks
        dense_kernels.subtract_matrices(d, r, self._packed, b.nodes, b.first, b.count)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        tables = (self._voxels, self._slot, self._which, self._table, self.matrices, self._packed, self.elements)
        return self._blocks.nbytes + sum(t.nbytes for t in tables)

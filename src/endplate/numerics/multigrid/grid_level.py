"""The levels of the hierarchy: each knows its stiffness and its smoother. All in single precision, vectors (3, N)."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from endplate.numerics.multigrid import child_kernels, dense_kernels, galerkin
from endplate.numerics.multigrid.coarsen import Coarsening, Topology
from endplate.numerics.multigrid.constrained_elements import ConstrainedElements
from endplate.numerics.multigrid.element_batches import BLOCK, Blocks
from endplate.numerics.multigrid.spectrum import largest_eigenvalue
from endplate.numerics.threads import run_chunks
from endplate.numerics.voxel.element import element_matrix, modal_stiffness
from endplate.numerics.voxel.operator import ElasticOperator

Float = NDArray[np.float32]
Int = NDArray[np.int32]


class VoxelLevel:
    """The finest level: voxels in tensor modes, scalar diagonal."""

    def __init__(self, operator: ElasticOperator, free: NDArray[np.bool_]) -> None:
        self.operator = operator
        self._free = free
        unit = element_matrix(operator.poisson, operator.element)
        # no eigenvalue of the assembled D^-1 K exceeds the largest of one element, whatever the moduli
        self.max_eigenvalue = float(linalg.eigvalsh(unit)[-1] / unit[0, 0])
        self.refresh()

    def refresh(self) -> None:
        """Diagonal from the operator's present moduli."""
        self.inverse: Float = np.empty(self._free.shape, dtype=np.float32)
        np.divide(self._free, self.operator.node_diagonal(), out=self.inverse, casting="unsafe")

    def subtract(self, d: Float, r: Float) -> None:
        """R -= K d."""
        self.operator.add(d, r, -1.0)

    def smooth(self, x: Float, r: Float, d: Float, keep: float, gain: float, carry: float = 0.0) -> None:
        """D = keep d + gain D^-1 r; x += d + carry times the d before."""
        dense_kernels.smooth_rows(x, r, d, self.inverse, np.float32(keep), np.float32(gain), np.float32(carry))

    @property
    def nbytes(self) -> int:
        """Bytes held beyond the shared packing."""
        return self.inverse.nbytes + self.operator.nbytes - self.operator.lanes.nbytes


class CoarseLevel(ABC):
    """What the coarse levels share: elements in batches, and 3 x 3 diagonal blocks."""

    def __init__(self, blocks: Blocks, topology: Topology) -> None:
        self.blocks = blocks
        self.free = np.ascontiguousarray(~topology.fixed.T)
        self.n_nodes = topology.node_ijk.shape[0]

    @abstractmethod
    def subtract(self, d: Float, r: Float) -> None:
        """R -= K d."""

    @abstractmethod
    def all_matrices(self) -> Float:
        """(E, 24, 24) matrices of all elements."""

    def set_diagonal(self, corner_blocks: NDArray[np.floating]) -> None:
        """Invert the nodal sums of (E, 8, 9) corner blocks on free degrees of freedom, and bound the spectrum."""
        total = np.zeros((9, self.n_nodes))
        dense_kernels.sum_blocks(corner_blocks, self.blocks.nodes, total)
        self.inverse: Float = _invert_blocks(total, self.free)
        self.max_eigenvalue = largest_eigenvalue(self, self.free)

    def smooth(self, x: Float, r: Float, d: Float, keep: float, gain: float, carry: float = 0.0) -> None:
        """D = keep d + gain D^-1 r; x += d + carry times the d before."""
        dense_kernels.smooth_nodes(x, r, d, self.inverse, np.float32(keep), np.float32(gain), np.float32(carry))


class ChildLevel(CoarseLevel):
    """The second level: elements act through their eight voxels; those at supports have matrices of their own."""

    def __init__(self, step: Coarsening, blocks: Blocks, operator: ElasticOperator, bits: Int) -> None:
        super().__init__(blocks, step.coarse)
        entries = np.array(modal_stiffness(operator.poisson, operator.element)) * operator.mesh.spacing_mm
        self._entries = galerkin.child_entries(entries).astype(np.float32)
        self._matrices = galerkin.child_matrices(operator.poisson, operator.element, operator.mesh.spacing_mm)
        self._parent, self._child = step.parent, step.child
        self._lane = blocks.lane()
        self._modulus = np.zeros((blocks.first.size, 8, BLOCK), dtype=np.float32)
        self.constrained = ConstrainedElements(step, bits, operator)

    def set_modulus(self, modulus: NDArray[np.float64]) -> None:
        """Take the moduli (E,) of the voxels."""
        child_kernels.spread_modulus(modulus, self._parent, self._child, self._lane, self._modulus)
        lane = self._lane[self.constrained.elements]
        self._modulus[lane // BLOCK, :, lane % BLOCK] = 0
        self.constrained.set_modulus(modulus)
        table = galerkin.diagonal_blocks(self._matrices).reshape(8, 72).astype(np.float32)
        blocks = (self._child_moduli() @ table).reshape(-1, 8, 9)
        blocks[self.constrained.elements] = galerkin.diagonal_blocks(self.constrained.matrices)
        self.set_diagonal(blocks)

    def _child_moduli(self) -> Float:
        """(E, 8) moduli of the children of each element, zero where there is none and at supports."""
        lanes = self._modulus.transpose(0, 2, 1).reshape(-1, 8)
        return np.ascontiguousarray(lanes[self._lane])

    def all_matrices(self) -> Float:
        """(E, 24, 24) element matrices, which this level works without."""
        out = (self._child_moduli() @ self._matrices.reshape(8, 576).astype(np.float32)).reshape(-1, 24, 24)
        out[self.constrained.elements] = self.constrained.matrices
        return out

    def parent_matrices(self, step: Coarsening) -> Float:
        """(C, 24, 24) matrices of the next level: from the moduli of 64 voxels, and from elements at supports."""
        count = step.coarse.element_nodes.shape[0]
        table = np.zeros((count, 8, 8), dtype=np.float32)
        table[step.parent, step.child] = self._child_moduli()
        grand = galerkin.grandchild_matrices(self._matrices).reshape(64, 576).astype(np.float32)
        out = (table.reshape(-1, 64) @ grand).reshape(-1, 24, 24)
        held = self.constrained.elements
        galerkin.add_parent_matrices(out, self.constrained.matrices, step.parent[held], step.child[held])
        return out

    def subtract(self, d: Float, r: Float) -> None:
        """R -= K d."""
        b = self.blocks
        fixed = (d, r, self._modulus, self._entries, b.nodes, b.first, b.count)
        run_chunks(lambda first, last: child_kernels.subtract(*fixed, first, last), b.chunk)
        self.constrained.subtract(d, r)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        tables = (self._modulus, self._lane, self._parent, self._child, self.free, self.inverse)
        return self.blocks.nbytes + self.constrained.nbytes + sum(t.nbytes for t in tables)


class MatrixLevel(CoarseLevel):
    """A coarse level whose elements have matrices of their own."""

    def __init__(self, step: Coarsening, blocks: Blocks) -> None:
        super().__init__(blocks, step.coarse)
        self._packed = np.zeros((blocks.first.size, dense_kernels.PACKED, BLOCK), dtype=np.float32)

    def set_matrices(self, matrices: Float) -> None:
        """Take element matrices (E, 24, 24)."""
        dense_kernels.pack_matrices(matrices, self.blocks.first, self.blocks.count, self._packed)
        self.set_diagonal(galerkin.diagonal_blocks(matrices))

    def all_matrices(self) -> Float:
        """(E, 24, 24) element matrices."""
        return dense_kernels.unpack_matrices(self._packed, self.blocks.first, self.blocks.count)

    def subtract(self, d: Float, r: Float) -> None:
        """R -= K d."""
        b = self.blocks
        dense_kernels.subtract_matrices(d, r, self._packed, b.nodes, b.first, b.count)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.blocks.nbytes + self.free.nbytes + self.inverse.nbytes + self._packed.nbytes


class DirectLevel:
    """The coarsest level: the inverse, as a dense matrix."""

    REGULARISATION = 1e-7
    """Relative shift of the diagonal: keeps rigid motions that no support holds from making the matrix singular."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self.n_nodes = topology.node_ijk.shape[0]
        self.free = np.flatnonzero(~topology.fixed.T.ravel())

    def set_matrices(self, matrices: Float) -> None:
        """Assemble and invert."""
        count = self.n_nodes
        dof = (self._topology.element_nodes[:, :, None] + count * np.arange(3)).reshape(-1, 24)
        place = (dof[:, :, None] * (3 * count) + dof[:, None, :]).ravel()
        K = np.asarray(np.bincount(place, matrices.ravel(), 9 * count * count), dtype=np.float64)
        K = K.reshape(3 * count, 3 * count)[np.ix_(self.free, self.free)]
        K[np.diag_indices_from(K)] *= 1 + self.REGULARISATION
        self.inverse: Float = _inverse_of_positive(K).astype(np.float32)

    def solve(self, b: Float, x: Float) -> None:
        """X = K^-1 b, zero where fixed."""
        x[:] = 0
        x.reshape(-1)[self.free] = self.inverse @ b.reshape(-1)[self.free]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.inverse.nbytes + self.free.nbytes


def _inverse_of_positive(K: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse by Cholesky, at half the cost; by singular values where rigid motion leaves K not positive definite."""
    factor, failed = linalg.lapack.dpotrf(K, lower=1)
    if failed:
        return np.asarray(np.linalg.pinv(K, hermitian=True), dtype=np.float64)
    half, _ = linalg.lapack.dpotri(factor, lower=1)
    lower = np.tril(half)
    return np.asarray(lower + np.tril(lower, -1).T)


def _invert_blocks(total: NDArray[np.float64], free: NDArray[np.bool_]) -> Float:
    """(9, N) inverses of symmetric 3 x 3 blocks (9, N), rows and columns of fixed degrees of freedom zero."""
    a, b, c, d, e, f = (total[i] * free[i // 3] * free[i % 3] for i in (0, 1, 2, 4, 5, 8))
    a, d, f = (np.where(x > 0, x, 1) for x in (a, d, f))
    p, q, s = d * f - e * e, c * e - b * f, b * e - c * d
    scale = 1 / (a * p + b * q + c * s)
    u, v, w = a * f - c * c, b * c - a * e, a * d - b * b
    out = np.stack([p, q, s, q, u, v, s, v, w]) * scale
    keep = free[:, None, :] & free[None, :, :]
    return np.asarray((out * keep.reshape(9, -1)).astype(np.float32))

"""The levels of the hierarchy: each knows its stiffness, its smoother and the way to the next coarser one.

All are in single precision. A smoother step is `x += d` with d from the fourth-kind Chebyshev recurrence (Lottes 2023),
which needs only the largest eigenvalue of D^-1 K, and whose last residual update doubles as what is handed down.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from endplate.numerics import child_kernels, dense_kernels, galerkin, transfer
from endplate.numerics.coarsen import Coarsening, Topology
from endplate.numerics.element import element_matrix, modal_stiffness
from endplate.numerics.lanes import PARALLEL_FROM, chunk_planes
from endplate.numerics.operator import ElasticOperator

Float = NDArray[np.float32]

POWER_STEPS = 12
"""Steps of the power method for the largest eigenvalue; the safety factor covers what they leave."""

SAFETY = 1.1
"""On top of the power method's estimate, which comes from below."""


class Level(Protocol):
    """What the cycle needs of a level."""

    top: float
    """Upper bound of the spectrum of D^-1 K."""

    def subtract(self, d: Float, r: Float) -> None:
        """R -= K d."""

    def smooth(self, x: Float, r: Float, d: Float, keep: float, gain: float) -> None:
        """D = keep d + gain D^-1 r; x += d."""


class VoxelLevel:
    """The finest level: voxels in tensor modes, vectors (3, N), scalar diagonal."""

    def __init__(self, operator: ElasticOperator, free: NDArray[np.bool_]) -> None:
        self.operator = operator
        self._free = free
        unit = element_matrix(operator.poisson, operator.element)
        # no eigenvalue of the assembled D^-1 K exceeds the largest of one element, whatever the moduli
        self.top = float(linalg.eigvalsh(unit)[-1] / unit[0, 0])
        self.refresh()

    def refresh(self) -> None:
        """Diagonal from the operator's present moduli."""
        diagonal = self.operator.diagonal()[:, 0]
        self.inverse: Float = (self._free / diagonal).astype(np.float32)

    def subtract(self, d: Float, r: Float) -> None:
        """R -= K d."""
        self.operator.add(d, r, -1.0)

    def smooth(self, x: Float, r: Float, d: Float, keep: float, gain: float) -> None:
        """D = keep d + gain D^-1 r; x += d."""
        dense_kernels.smooth_rows(x, r, d, self.inverse, np.float32(keep), np.float32(gain))

    @property
    def nbytes(self) -> int:
        """Bytes held beyond the shared packing."""
        return self.inverse.nbytes + self.operator.nbytes - self.operator.lanes.nbytes


class NodalLevel:
    """What the coarse levels share: vectors (N, 3) and 3 x 3 diagonal blocks."""

    def __init__(self, topology: Topology) -> None:
        self.nodes = topology.element_nodes
        self.free = ~topology.fixed
        self.n_nodes = topology.node_ijk.shape[0]

    def subtract(self, d: Float, r: Float) -> None:
        """R -= K d."""
        raise NotImplementedError

    def corner_blocks(self) -> NDArray[np.floating]:
        """(E, 8, 3, 3) diagonal blocks of the element matrices."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Invert the diagonal blocks on free degrees of freedom and bound the spectrum."""
        blocks = np.zeros((self.n_nodes, 3, 3))
        dense_kernels.sum_blocks(self.corner_blocks(), self.nodes, blocks)
        pair = self.free[:, :, None] & self.free[:, None, :]
        scale = np.maximum(np.trace(blocks, axis1=1, axis2=2), np.finfo(np.float32).tiny)
        blocks = np.where(pair, blocks, np.eye(3) * scale[:, None, None])
        self.inverse: Float = np.where(pair, np.linalg.inv(blocks), 0).astype(np.float32)
        self.top = SAFETY * self._largest_eigenvalue()

    def _largest_eigenvalue(self) -> float:
        """Of D^-1 K, by the power method from a fixed start."""
        x = np.random.default_rng(4711).standard_normal((self.n_nodes, 3)).astype(np.float32)
        zero = np.zeros_like(x)
        value = 1.0
        for _ in range(POWER_STEPS):
            r, d = np.zeros_like(x), np.empty_like(x)
            x *= self.free
            x /= np.linalg.norm(x)
            self.subtract(x, r)
            d[:] = 0
            self.smooth(zero, r, d, 0.0, -1.0)
            x, value = d, float(np.linalg.norm(d))
        return value

    def smooth(self, x: Float, r: Float, d: Float, keep: float, gain: float) -> None:
        """D = keep d + gain D^-1 r; x += d."""
        dense_kernels.smooth_nodes(x, r, d, self.inverse, np.float32(keep), np.float32(gain))


class HeldElements:
    """Elements of the second level beside a support: their interpolation is zero at fixed voxel corners.

    Cutting the interpolation off there, rather than fixing every coarse node near a support, keeps the layer beside it
    as soft as it is. Such elements are few and have matrices of their own.
    """

    def __init__(self, step: Coarsening, bits: NDArray[np.int32], operator: ElasticOperator) -> None:
        self.elements = np.unique(step.parent[bits != 0])
        self.nodes = np.ascontiguousarray(step.coarse.element_nodes[self.elements])
        number = np.full(step.coarse.element_nodes.shape[0], -1, dtype=np.int32)
        number[self.elements] = np.arange(self.elements.size, dtype=np.int32)
        self._voxels = np.flatnonzero(number[step.parent] >= 0)
        self._slot = number[step.parent[self._voxels]]
        pattern = step.child[self._voxels].astype(np.int64) << 24 | bits[self._voxels]
        unique, self._which = np.unique(pattern, return_inverse=True)
        child, held = (unique >> 24).astype(np.int32), (unique & 0xFFFFFF).astype(np.int32)
        matrices = galerkin.held_matrices(operator.poisson, operator.element, operator.mesh.spacing_mm, child, held)
        self._table = matrices.astype(np.float32)
        self.matrices = np.zeros((self.elements.size, 24, 24), dtype=np.float32)

    def set_modulus(self, modulus: NDArray[np.float64]) -> None:
        """Take new moduli (E,) of the voxels."""
        self.matrices[:] = 0
        weights = modulus[self._voxels].astype(np.float32)
        galerkin.add_weighted(self.matrices, self._slot, weights, self._table, self._which)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        indices = self.elements.nbytes + self.nodes.nbytes + self._voxels.nbytes + self._slot.nbytes
        return indices + self._which.nbytes + self._table.nbytes + self.matrices.nbytes


class ChildLevel(NodalLevel):
    """The second level: elements act through their eight voxels."""

    def __init__(
        self, step: Coarsening, bits: NDArray[np.int32], operator: ElasticOperator, modulus: NDArray[np.float64]
    ) -> None:
        super().__init__(step.coarse)
        entries = np.array(modal_stiffness(operator.poisson, operator.element)) * operator.mesh.spacing_mm
        self._entries = galerkin.child_entries(entries).astype(np.float32)
        self._matrices = galerkin.child_matrices(operator.poisson, operator.element, operator.mesh.spacing_mm)
        self._parent, self._child = step.parent, step.child
        self.held = HeldElements(step, bits, operator)
        plane = step.coarse.element_ijk[:, 0]
        planes = chunk_planes(np.bincount(plane), self.n_nodes >= PARALLEL_FROM)
        borders = np.searchsorted(plane, planes)
        self._first, self._count, self._chunk = child_kernels.batches(plane.size, borders)
        self._lane = np.empty(plane.size, dtype=np.int32)
        for b, (first, count) in enumerate(zip(self._first, self._count, strict=True)):
            self._lane[first : first + count] = b * child_kernels.BLOCK + np.arange(count)
        self._modulus = np.zeros((self._first.size, 8, child_kernels.BLOCK), dtype=np.float32)
        self.set_modulus(modulus)

    def set_modulus(self, modulus: NDArray[np.float64]) -> None:
        """Take new moduli (E,) of the voxels."""
        child_kernels.spread_modulus(modulus, self._parent, self._child, self._lane, self._modulus)
        held = self._lane[self.held.elements]
        self._modulus[held // child_kernels.BLOCK, :, held % child_kernels.BLOCK] = 0
        self.held.set_modulus(modulus)
        self.refresh()

    def child_moduli(self) -> Float:
        """(E, 8) moduli of the children of each element, zero where there is none."""
        lanes = self._modulus.transpose(0, 2, 1).reshape(-1, 8)
        return np.ascontiguousarray(lanes[self._lane])

    def corner_blocks(self) -> NDArray[np.floating]:
        """(E, 8, 3, 3) diagonal blocks of the element matrices."""
        table = galerkin.diagonal_blocks(self._matrices).reshape(8, 72).astype(np.float32)
        blocks = (self.child_moduli() @ table).reshape(-1, 8, 3, 3)
        blocks[self.held.elements] = galerkin.diagonal_blocks(self.held.matrices)
        return blocks

    def all_matrices(self) -> Float:
        """(E, 24, 24) element matrices, built for a small mesh only."""
        out = (self.child_moduli() @ self._matrices.reshape(8, 576).astype(np.float32)).reshape(-1, 24, 24)
        out[self.held.elements] = self.held.matrices
        return out

    def parent_matrices(self, parent: NDArray[np.int32], child: NDArray[np.int32], count: int) -> Float:
        """(count, 24, 24) matrices of the next level: from the moduli of 64 voxels, and from elements at supports."""
        table = np.zeros((count, 8, 8), dtype=np.float32)
        table[parent, child] = self.child_moduli()
        grand = galerkin.grandchild_matrices(self._matrices).reshape(64, 576).astype(np.float32)
        out = (table.reshape(-1, 64) @ grand).reshape(-1, 24, 24)
        held = self.held.elements
        galerkin.add_parent_matrices(out, self.held.matrices, parent[held], child[held])
        return out

    def subtract(self, d: Float, r: Float) -> None:
        """R -= K d."""
        kernel = child_kernels.apply_parallel if self._chunk.size > 2 else child_kernels.apply_serial
        kernel(d, r, np.float32(-1), self._modulus, self._entries, self.nodes, self._first, self._count, self._chunk)
        dense_kernels.apply_matrices(d, r, np.float32(-1), self.held.matrices, self.held.nodes)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        tables = (self._modulus, self._first, self._count, self._lane, self._parent, self._child)
        own = self.nodes.nbytes + self.free.nbytes + self.inverse.nbytes + self.held.nbytes
        return own + sum(t.nbytes for t in tables)


class MatrixLevel(NodalLevel):
    """A coarse level whose elements have matrices of their own."""

    def __init__(self, topology: Topology, matrices: Float) -> None:
        super().__init__(topology)
        self.set_matrices(matrices)

    def set_matrices(self, matrices: Float) -> None:
        """Take new element matrices (E, 24, 24)."""
        self.matrices = matrices
        self.refresh()

    def corner_blocks(self) -> NDArray[np.floating]:
        """(E, 8, 3, 3) diagonal blocks of the element matrices."""
        return galerkin.diagonal_blocks(self.matrices)

    def parent_matrices(self, parent: NDArray[np.int32], child: NDArray[np.int32], count: int) -> Float:
        """(count, 24, 24) matrices of the next level."""
        out = np.zeros((count, 24, 24), dtype=np.float32)
        galerkin.add_parent_matrices(out, self.matrices, parent, child)
        return out

    def subtract(self, d: Float, r: Float) -> None:
        """R -= K d."""
        dense_kernels.apply_matrices(d, r, np.float32(-1), self.matrices, self.nodes)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.nodes.nbytes + self.free.nbytes + self.inverse.nbytes + self.matrices.nbytes


class DirectLevel:
    """The coarsest level: the inverse, as a dense matrix."""

    REGULARISATION = 1e-7
    """Relative shift of the diagonal: keeps rigid motions that no support holds from making the matrix singular."""

    def __init__(self, topology: Topology, matrices: Float) -> None:
        self._topology = topology
        self.set_matrices(matrices)

    def set_matrices(self, matrices: Float) -> None:
        """Assemble and invert."""
        count = self._topology.node_ijk.shape[0]
        dof = (3 * self._topology.element_nodes[:, :, None] + np.arange(3)).reshape(-1, 24)
        K = np.zeros((3 * count, 3 * count))
        np.add.at(K, (dof[:, :, None], dof[:, None, :]), matrices)
        self._free = np.flatnonzero(~self._topology.fixed.ravel())
        K = K[np.ix_(self._free, self._free)]
        K[np.diag_indices_from(K)] *= 1 + self.REGULARISATION
        self._inverse = np.linalg.inv(K).astype(np.float32) if K.size else K.astype(np.float32)

    def solve(self, b: Float, x: Float) -> None:
        """X = K^-1 b, zero where fixed."""
        x[:] = 0
        x.reshape(-1)[self._free] = self._inverse @ b.reshape(-1)[self._free]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._inverse.nbytes + self._free.nbytes

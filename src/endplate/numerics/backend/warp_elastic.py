"""An elastic body on Warp's device: operator, hierarchy and conjugate gradients, all vectors there.

The hierarchy is set up on the processor and copied. Coarse levels store their 3 x 3 blocks by node, which a graphics
card reads as fast as its memory allows. The cycle's launches are recorded once as a graph and replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import warp as wp
from numpy.typing import NDArray

from endplate.numerics.backend import warp_kernels as kernels
from endplate.numerics.multigrid.cycle import Multigrid
from endplate.numerics.multigrid.grid_level import ChildLevel, DirectLevel, MatrixLevel, VoxelLevel
from endplate.numerics.multigrid.stored_blocks import around_nodes, block_pattern, fill_blocks, gathered_interpolation
from endplate.numerics.multigrid.v_cycle import Hierarchy, correct, descend, guess
from endplate.numerics.voxel.element import element_matrix
from endplate.numerics.voxel.operator import ElasticOperator

Double = NDArray[np.float64]
Array = Any
PARTS, LAST_PARTS = 8192, 64
"""Threads that sum shares of an inner product, and then shares of shares: fixed, so that sums never vary."""


class WarpElastic:
    """What the interface asks of a device, on Warp's `device`.

    Parameters
    ----------
    operator, multigrid : set up on the processor. free : (3, N) where displacement is unknown. device : of Warp.
    """

    def __init__(self, operator: ElasticOperator, multigrid: Multigrid, free: NDArray[np.bool_], device: Any) -> None:
        self._operator, self._multigrid, self._device = operator, multigrid, device
        self._n = operator.mesh.n_nodes
        self._free = self._nodal(free)
        tables = around_nodes(operator.mesh.element_nodes, self._n)
        self._around = tuple(wp.array(table, dtype=wp.int32, device=device) for table in tables)
        self._parts = wp.zeros(PARTS, dtype=wp.float64, device=device)
        self._last_parts = wp.zeros(LAST_PARTS, dtype=wp.float64, device=device)
        coarse = [_Stored(level, device) for level in multigrid.coarse_levels]
        self._levels: list[_Voxels | _Stored] = [_Voxels(self, multigrid.fine), *coarse]
        self._bottom = _Direct(multigrid.bottom, device)
        self._hierarchy = self._copy_hierarchy()
        self.refresh()

    def _copy_hierarchy(self) -> Hierarchy:
        masks = [self._free, *(self._nodal(level.free) for level in self._multigrid.coarse_levels)]
        counts = self._multigrid.node_counts
        steps = self._multigrid.steps
        transfers = [_Transfer(s.place, s.coarse.element_nodes, count, mask, self._device)
                     for s, count, mask in zip(steps, counts[1:], masks, strict=True)]  # fmt: skip
        x, r, d = ([wp.zeros(count, dtype=wp.vec3f, device=self._device) for count in counts] for _ in range(3))
        work = list(zip(x, r, d, strict=True))
        first, second = (wp.zeros(counts[1], dtype=wp.vec3f, device=self._device) for _ in range(2))
        return Hierarchy(self._levels, transfers, self._bottom, work, (first, second), self.clear, wp.copy, self._join)

    def refresh(self) -> None:
        """Take the moduli that operator and hierarchy on the host hold by now, and record the cycle anew."""
        op, device = self._operator, self._device
        unit = element_matrix(op.poisson, op.element) * op.mesh.spacing_mm
        split = np.ascontiguousarray(unit.reshape(8, 3, 8, 3).transpose(0, 2, 1, 3)).reshape(64, 3, 3)
        modulus = op.element_modulus()
        self._wide = (
            wp.array(modulus, dtype=wp.float64, device=device),
            wp.array(split, dtype=wp.mat33d, device=device),
        )
        self.narrow = (
            wp.array(modulus.astype(np.float32), dtype=wp.float32, device=device),
            wp.array(split.astype(np.float32), dtype=wp.mat33f, device=device),
        )
        for level in self._levels:
            level.refresh()
        self._bottom.refresh()
        self._graph, self._correct_graph, self._guess_graph = (self._recorded(w) for w in (descend, correct, guess))

    def _recorded(self, work: Callable[[Hierarchy], None]) -> Any:
        """The launches of some work as a graph."""
        work(self._hierarchy)  # every kernel is loaded before the recording
        with wp.ScopedCapture(device=self._device) as recording:
            work(self._hierarchy)
        return recording.graph

    def put(self, rows: Double) -> Array:
        """(3, N) on the host as a vector of the device."""
        return wp.array(np.ascontiguousarray(rows.T), dtype=wp.vec3d, device=self._device)

    def get(self, vector: Array) -> Double:
        """A vector of either precision as (3, N) on the host."""
        return np.ascontiguousarray(vector.numpy().T, dtype=np.float64)

    def zeros(self) -> Array:
        """A vector of zeros in double precision."""
        return wp.zeros(self._n, dtype=wp.vec3d, device=self._device)

    def copy(self, vector: Array) -> Array:
        """Another vector with the same values."""
        return wp.clone(vector)

    def clear(self, vector: Array) -> None:
        """All zero."""
        vector.zero_()

    def add(self, u: Array, out: Array, sign: float = 1.0) -> None:
        """out += sign * K u in double precision."""
        self._launch(kernels.add_product, self._n, u, out, wp.float64(sign), *self._around, *self._wide)

    def subtract(self, d: Array, r: Array) -> None:
        """R -= K d of the finest level, in single precision."""
        self._launch(kernels.add_product, self._n, d, r, wp.float32(-1), *self._around, *self.narrow)

    def cycle(self, r: Array) -> Array:
        """One multigrid cycle, in single precision; overwritten by the next call."""
        return self._replay(self._graph, r)

    def correct(self, r: Array) -> Array:
        """A lighter cycle, for the corrections of a yielding body."""
        return self._replay(self._correct_graph, r)

    def guess(self, r: Array) -> Array:
        """A start for K^-1 r from the coarse levels."""
        return self._replay(self._guess_graph, r)

    def _replay(self, graph: Any, r: Array) -> Array:
        """What recorded launches make of a residual."""
        x, residual, _ = self._hierarchy.work[0]
        self._launch(kernels.to_single, self._n, r, residual)
        wp.capture_launch(graph)
        return x

    def norm(self, r: Array) -> float:
        """Euclidean norm of `r`, which becomes zero where displacement is prescribed."""
        self._launch(kernels.mask, self._n, r, self._free)
        return float(np.sqrt(self.dot(r, r)))

    def dot(self, a: Array, b: Array) -> float:
        """Inner product; `b` in either precision."""
        self._launch(kernels.dot_parts, PARTS, a, b, PARTS, self._parts)
        self._launch(kernels.sum_parts, LAST_PARTS, self._parts, LAST_PARTS, self._last_parts)
        return float(self._last_parts.numpy().sum())

    def turn(self, p: Array, z: Array, beta: float) -> None:
        """P = z + beta p."""
        self._launch(kernels.turn, self._n, p, z, wp.float64(beta))

    def advance(self, x: Array, r: Array, p: Array, q: Array, alpha: float) -> float:
        """X += alpha p and r -= alpha q where free; the squared norm of the new residual."""
        self._launch(kernels.advance, self._n, x, r, p, q, self._free, wp.float64(alpha))
        return self.dot(r, r)

    def _join(self, target: Array, source: Array) -> None:
        self._launch(kernels.join, target.shape[0], target, source)

    def _launch(self, kernel: Any, threads: int, *arguments: Any) -> None:
        wp.launch(kernel, threads, arguments, device=self._device)

    def _nodal(self, free: NDArray[np.bool_]) -> Array:
        return wp.array(np.ascontiguousarray(free.T, dtype=np.float32), dtype=wp.vec3f, device=self._device)

    @property
    def nbytes(self) -> int:
        """Bytes on the device."""
        return _bytes_of(self, set())


class _Voxels:
    """The finest level."""

    def __init__(self, body: WarpElastic, host: VoxelLevel) -> None:
        self._host, self.subtract = host, body.subtract
        self._device, self.max_eigenvalue = body._device, host.max_eigenvalue

    def refresh(self) -> None:
        """Take the diagonal of the host."""
        rows = np.ascontiguousarray(self._host.inverse.T)
        self._inverse = wp.array(rows, dtype=wp.vec3f, device=self._device)

    def smooth(self, x: Array, r: Array, d: Array, keep: float, gain: float, carry: float = 0.0) -> None:
        """D = keep d + gain D^-1 r; x += d + carry times the d before."""
        wp.launch(kernels.smooth_scalar, x.shape[0], (x, r, d, self._inverse, keep, gain, carry), device=self._device)


class _Stored:
    """A coarse level with its 3 x 3 blocks by node."""

    def __init__(self, host: ChildLevel | MatrixLevel, device: Any) -> None:
        self._host, self._device, self.max_eigenvalue = host, device, host.max_eigenvalue
        self._pattern = block_pattern(host.blocks.nodes, host.n_nodes)
        self._count = wp.array(self._pattern.count, dtype=wp.int32, device=device)
        self._column = wp.array(self._pattern.column, dtype=wp.int32, device=device)

    def refresh(self) -> None:
        """Take stiffness, diagonal and spectrum of the host."""
        host, device = self._host, self._device
        blocks = fill_blocks(self._pattern, host.blocks.nodes, host.all_matrices())
        self._block = wp.array(blocks, dtype=wp.mat33f, device=device)
        inverse = np.ascontiguousarray(host.inverse.T).reshape(-1, 3, 3)
        self._inverse = wp.array(inverse, dtype=wp.mat33f, device=device)
        self.max_eigenvalue = host.max_eigenvalue

    def subtract(self, d: Array, r: Array) -> None:
        """R -= K d."""
        arguments = (d, r, self._count, self._column, self._block)
        wp.launch(kernels.subtract_blocks, d.shape[0], arguments, device=self._device)

    def smooth(self, x: Array, r: Array, d: Array, keep: float, gain: float, carry: float = 0.0) -> None:
        """D = keep d + gain D^-1 r; x += d + carry times the d before."""
        wp.launch(kernels.smooth_block, x.shape[0], (x, r, d, self._inverse, keep, gain, carry), device=self._device)


class _Transfer:
    """Between two levels: P read from the fine node's place, P^T from a list by coarse node."""

    def __init__(
        self, place: NDArray[np.int32], coarse_nodes: NDArray[np.int32], n_coarse: int, free: Array, device: Any
    ) -> None:
        start, node, weight = gathered_interpolation(place, coarse_nodes, n_coarse)
        self._free, self._device = free, device
        self._place = wp.array(place, dtype=wp.int32, device=device)
        self._nodes = wp.array(coarse_nodes, dtype=wp.int32, device=device)
        self._gather = (
            wp.array(start, dtype=wp.int32, device=device),
            wp.array(node, dtype=wp.int32, device=device),
            wp.array(weight, dtype=wp.float32, device=device),
        )

    def restrict(self, fine: Array, coarse: Array) -> None:
        """coarse = P^T fine."""
        wp.launch(kernels.restrict, coarse.shape[0], (fine, coarse, *self._gather, self._free), device=self._device)

    def prolong(self, coarse: Array, fine: Array) -> None:
        """fine = P coarse, zero where fixed."""
        arguments = (coarse, fine, self._place, self._nodes, self._free)
        wp.launch(kernels.prolong, fine.shape[0], arguments, device=self._device)


class _Direct:
    """The coarsest level: the dense inverse."""

    def __init__(self, host: DirectLevel, device: Any) -> None:
        self._host, self._device = host, device
        component, node = np.divmod(host.free, host.n_nodes)
        self._dof = wp.array((3 * node + component).astype(np.int32), dtype=wp.int32, device=device)

    def refresh(self) -> None:
        """Take the inverse of the host."""
        self._inverse = wp.array(np.ascontiguousarray(self._host.inverse), dtype=wp.float32, device=self._device)

    def solve(self, b: Array, x: Array) -> None:
        """X = K^-1 b, zero where fixed."""
        x.zero_()
        flat = [wp.array(ptr=v.ptr, dtype=wp.float32, shape=(3 * v.shape[0],), device=self._device) for v in (b, x)]
        wp.launch(kernels.solve_directly, self._dof.shape[0], (self._inverse, self._dof, *flat), device=self._device)


def _bytes_of(thing: Any, seen: set[int]) -> int:
    """Bytes of all of Warp's arrays that an object of this module reaches, each counted once."""
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    if isinstance(thing, wp.array):
        return int(thing.capacity)
    if isinstance(thing, list | tuple):
        return sum(_bytes_of(part, seen) for part in thing)
    if isinstance(thing, Hierarchy):
        return _bytes_of((thing.levels, thing.transfers, thing.bottom, thing.work, thing.spare), seen)
    own = type(thing).__module__ == __name__
    return sum(_bytes_of(part, seen) for part in vars(thing).values()) if own else 0

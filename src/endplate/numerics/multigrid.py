"""The preconditioner: one symmetric V-cycle on an exact Galerkin hierarchy of voxel blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.numerics import galerkin, transfer
from endplate.numerics.coarsen import Coarsening, Topology, coarsen
from endplate.numerics.element import ElementKind
from endplate.numerics.lanes import Lanes
from endplate.numerics.levels import ChildLevel, DirectLevel, Float, Level, MatrixLevel, VoxelLevel
from endplate.numerics.mesh import VoxelMesh
from endplate.numerics.operator import ElasticOperator, checked_modulus

DIRECT_BELOW = 200
"""Nodes of the coarsest level at most: its dense inverse then takes no more than a level's sweep."""

STEPS = (2, 2, 3)
"""Smoothing steps before and after, on the finest, second and all coarser levels."""


class Multigrid:
    """Hierarchy of a mesh and its supports; shapes are found once, moduli may change.

    Parameters
    ----------
    mesh, modulus_mpa, poisson, element : as for the operator. free : (3, N). lanes : the packing of the mesh.
    """

    def __init__(
        self,
        mesh: VoxelMesh,
        modulus_mpa: ArrayLike,
        poisson: float,
        free: NDArray[np.bool_],
        element: ElementKind,
        lanes: Lanes,
    ) -> None:
        self.operator = ElasticOperator(mesh, modulus_mpa, poisson, element, np.float32, lanes)
        self.steps = _all_steps(mesh, free)
        self._free = free
        self._held = galerkin.held_bits(mesh.element_nodes, ~free.T)
        modulus = checked_modulus(mesh, modulus_mpa)
        self.levels: list[VoxelLevel | ChildLevel | MatrixLevel] = [VoxelLevel(self.operator, free)]
        self.bottom: DirectLevel | None = None
        self._build(modulus)
        self._work = [np.zeros((3, *level_shape), dtype=np.float32) for level_shape in self._shapes()]

    def _build(self, modulus: NDArray[np.float64]) -> None:
        """Stiffness of all coarse levels: the second from the voxels, each other one from the level above it."""
        last = len(self.steps) - 1
        second = ChildLevel(self.steps[0], self._held, self.operator, modulus)
        if last == 0:
            self.bottom = DirectLevel(self.steps[0].coarse, second.all_matrices())
            return
        self.levels.append(second)
        for depth, step in enumerate(self.steps[1:], start=1):
            count = step.coarse.element_nodes.shape[0]
            finer = self.levels[depth]
            matrices = finer.parent_matrices(step.parent, step.child, count)
            if depth == last:
                self.bottom = DirectLevel(step.coarse, matrices)
            else:
                self.levels.append(MatrixLevel(step.coarse, matrices))

    def cycle(self, r: NDArray[np.floating]) -> Float:
        """Approximate K^-1 r for a residual (3, N); the result is overwritten by the next call."""
        x, residual, _ = self._work[0]
        residual[:] = r
        self._descend(0)
        return x

    def _descend(self, depth: int) -> None:
        """Solve K x = r on a level approximately; r is destroyed."""
        x, r, d = self._work[depth]
        if depth == len(self.levels):
            if self.bottom is not None:
                self.bottom.solve(r, x)
            return
        level = self.levels[depth]
        sweeps = STEPS[min(depth, len(STEPS) - 1)]
        x[:] = 0
        d[:] = 0
        for sweep in range(sweeps):
            _smooth(level, x, r, d, sweep)
            level.subtract(d, r)
        self._correct(depth)
        for sweep in range(sweeps):
            level.subtract(d, r)
            _smooth(level, x, r, d, sweep)

    def _correct(self, depth: int) -> None:
        """Add the coarse correction to x and leave it in d."""
        x, r, d = self._work[depth]
        coarse_x, coarse_r, _ = self._work[depth + 1]
        step = self.steps[depth]
        coarse_r[:] = 0
        nodes = step.coarse.element_nodes
        if depth == 0:
            transfer.restrict_rows(r, nodes, step.place, self._free, coarse_r)
            self._descend(depth + 1)
            transfer.prolong_rows(coarse_x, nodes, step.place, self._free, d)
        else:
            transfer.restrict(r, nodes, step.place, coarse_r)
            self._descend(depth + 1)
            transfer.prolong(coarse_x, nodes, step.place, d)
        x += d

    def _shapes(self) -> list[tuple[int, int]]:
        return [(3, self.operator.mesh.n_nodes)] + [(s.coarse.node_ijk.shape[0], 3) for s in self.steps]

    def set_modulus(self, modulus_mpa: ArrayLike) -> None:
        """Take new moduli on all levels; the topology stays."""
        modulus = checked_modulus(self.operator.mesh, modulus_mpa)
        self.operator.set_modulus(modulus)
        self.levels = self.levels[:1]
        fine = self.levels[0]
        if isinstance(fine, VoxelLevel):
            fine.refresh()
        self._build(modulus)

    @property
    def nbytes(self) -> int:
        """Bytes of all levels, transfers and work vectors, with the packing that the fine operator shares."""
        own = sum(level.nbytes for level in self.levels) + (self.bottom.nbytes if self.bottom else 0)
        moves = sum(s.place.nbytes for s in self.steps)
        return own + moves + sum(w.nbytes for w in self._work) + self.operator.lanes.nbytes


def _smooth(level: Level, x: Float, r: Float, d: Float, sweep: int) -> None:
    """One step of the fourth-kind Chebyshev recurrence."""
    k = sweep + 1
    keep = 0.0 if sweep == 0 else (2 * k - 3) / (2 * k + 1)
    level.smooth(x, r, d, keep, (8 * k - 4) / ((2 * k + 1) * level.top))


def _all_steps(mesh: VoxelMesh, free: NDArray[np.bool_]) -> list[Coarsening]:
    """Coarsen until the direct solver takes over."""
    topology = Topology(mesh.element_nodes, mesh.element_ijk, mesh.node_ijk, np.ascontiguousarray(~free.T))
    steps: list[Coarsening] = []
    while topology.node_ijk.shape[0] > DIRECT_BELOW or not steps:
        steps.append(coarsen(topology, connected_blocks=not steps))
        topology = steps[-1].coarse
    return steps

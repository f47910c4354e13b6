"""The preconditioner: one symmetric V-cycle on an exact Galerkin hierarchy of voxel blocks.

The smoother is the fourth-kind Chebyshev recurrence (Lottes 2023): it needs only the largest eigenvalue of D^-1 K, and
its last residual update doubles as what is handed down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.numerics.multigrid import galerkin
from endplate.numerics.multigrid.coarsen import Coarsening, Topology, coarsen
from endplate.numerics.multigrid.element_batches import make_blocks
from endplate.numerics.multigrid.grid_level import ChildLevel, DirectLevel, Float, GridLevel, MatrixLevel, VoxelLevel
from endplate.numerics.multigrid.transfer import make_transfer
from endplate.numerics.voxel.element import ElementKind
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator, checked_modulus
from endplate.numerics.voxel.simd_batches import Lanes

DIRECT_BELOW = 200
"""Nodes of the coarsest level at most: its dense inverse then takes no more than a level's sweep."""

STEPS = (2, 3, 4)
"""Smoothing steps before and after, on the finest, second and all coarser levels."""


class Multigrid:
    """Hierarchy of a mesh and its supports; shapes are found once, moduli may change.

    Parameters
    ----------
    mesh : VoxelMesh
        The voxels.
    modulus_mpa : array_like, shape (E,)
        Young's modulus of each element, finite and positive, MPa; a single number stands for all.
    poisson : float
        Poisson's ratio, the same everywhere.
    free : ndarray of bool, shape (3, N)
        Where displacement is not prescribed.
    element : {"full", "bbar"}
        Full integration or mean dilatation.
    lanes : Lanes
        The packing of the mesh.
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
        modulus = checked_modulus(mesh, modulus_mpa)
        self.operator = ElasticOperator(mesh, modulus, poisson, element, np.float32, lanes)
        nodes, fixed = mesh.element_nodes, np.ascontiguousarray(~free.T)
        self._steps = _all_steps(Topology(nodes, mesh.element_ijk, mesh.node_ijk, fixed))
        self._blocks = [make_blocks(s.coarse.element_nodes, s.coarse.element_ijk[:, 0], s.coarse.node_ijk.shape[0])
                        for s in self._steps]  # fmt: skip
        masks = [free, *(np.ascontiguousarray(~s.coarse.fixed.T) for s in self._steps[:-1])]
        pieces = zip(self._blocks, self._steps, masks, strict=True)
        self.transfers = [make_transfer(b, s.place, mask) for b, s, mask in pieces]
        self.fine = VoxelLevel(self.operator, free)
        self.second = ChildLevel(self._steps[0], self._blocks[0], self.operator, galerkin.held_bits(nodes, fixed))
        self.coarser = [MatrixLevel(s, b) for s, b in zip(self._steps[1:-1], self._blocks[1:-1], strict=True)]
        self.bottom = DirectLevel(self._steps[-1].coarse)
        self._set_coarse(modulus)
        counts = [mesh.n_nodes, *(s.coarse.node_ijk.shape[0] for s in self._steps)]
        self._work = [np.zeros((3, 3, count), dtype=np.float32) for count in counts]

    def set_modulus(self, modulus_mpa: ArrayLike) -> None:
        """Take new moduli on all levels; the topology stays.

        Parameters
        ----------
        modulus_mpa : array_like, shape (E,)
            Young's modulus of each element, finite and positive, MPa; a single number stands for all.

        Raises
        ------
        ValueError
            Wrong length, not finite or not positive.
        """
        modulus = checked_modulus(self.operator.mesh, modulus_mpa)
        self.operator.set_modulus(modulus)
        self.fine.refresh()
        self._set_coarse(modulus)

    def _set_coarse(self, modulus: NDArray[np.float64]) -> None:
        """Stiffness of the second level from the voxels, and of each other level from the one above it."""
        self.second.set_modulus(modulus)
        if len(self._steps) == 1:
            self.bottom.set_matrices(self.second.all_matrices())
            return
        matrices = self.second.parent_matrices(self._steps[1])
        for level, step in zip(self.coarser, self._steps[2:], strict=True):
            level.set_matrices(matrices)
            matrices = galerkin.parent_matrices(matrices, step)
        self.bottom.set_matrices(matrices)

    @property
    def levels(self) -> list[GridLevel]:
        """All levels that smooth, the finest first."""
        middle: list[GridLevel] = [self.second, *self.coarser]
        return [self.fine, *(middle[: len(self._steps) - 1])]

    def cycle(self, r: NDArray[np.floating]) -> Float:
        """One symmetric V-cycle: approximate K^-1 r.

        Parameters
        ----------
        r : ndarray of float, shape (3, N)
            Residual, N.

        Returns
        -------
        ndarray of float32, shape (3, N)
            Displacements, mm; the array is overwritten by the next call.
        """
        x, residual, _ = self._work[0]
        residual[:] = r
        self._descend(self.levels, 0)
        return np.asarray(x)

    def _descend(self, levels: list[GridLevel], depth: int) -> None:
        """Solve K x = r on a level approximately; r is destroyed."""
        x, r, d = self._work[depth]
        if depth == len(levels):
            self.bottom.solve(r, x)
            return
        level, transfer = levels[depth], self.transfers[depth]
        coarse_x, coarse_r, _ = self._work[depth + 1]
        sweeps = STEPS[min(depth, len(STEPS) - 1)]
        x[:] = 0
        for sweep in range(sweeps):
            _smooth(level, x, r, d, sweep)
            level.subtract(d, r)
        transfer.restrict(r, coarse_r)
        self._descend(levels, depth + 1)
        transfer.prolong(coarse_x, d, x)
        for sweep in range(sweeps):
            level.subtract(d, r)
            _smooth(level, x, r, d, sweep)

    @property
    def node_counts(self) -> list[int]:
        """Nodes of all levels, the finest first, the one that is solved directly last."""
        return [work.shape[2] for work in self._work]

    @property
    def element_counts(self) -> list[int]:
        """Elements of all levels, the finest first."""
        return [self.operator.mesh.n_elements, *(step.coarse.element_nodes.shape[0] for step in self._steps)]

    @property
    def grid_complexity(self) -> float:
        """Nodes of all levels over those of the finest."""
        return sum(self.node_counts) / self.node_counts[0]

    @property
    def operator_complexity(self) -> float:
        """Element matrices of all levels over those of the finest: the work of one product on each level."""
        return sum(self.element_counts) / self.element_counts[0]

    def __repr__(self) -> str:
        """A table of levels and the two complexities."""
        kinds = ["voxels", *("children", *["matrices"] * len(self._steps))[: len(self._steps) - 1], "direct"]
        rows = zip(kinds, self.node_counts, self.element_counts, strict=True)
        lines = [f"  {depth:>5}  {kind:<8}  {nodes:>9}  {elements:>9}"
                 for depth, (kind, nodes, elements) in enumerate(rows)]  # fmt: skip
        head = f"<Multigrid: {len(lines)} levels, grid complexity {self.grid_complexity:.3f}, "
        head += f"operator complexity {self.operator_complexity:.3f}>"
        return "\n".join([head, "  level  kind          nodes   elements", *lines])

    @property
    def nbytes(self) -> int:
        """Bytes of all levels, transfers and work vectors, with the packing that the fine operator shares."""
        own = self.fine.nbytes + self.second.nbytes + self.bottom.nbytes
        own += sum(level.nbytes for level in self.coarser)
        own += sum(t.nbytes for t in self.transfers) + sum(w.nbytes for w in self._work)
        return own + self._steps[-1].coarse.element_nodes.nbytes + self.operator.lanes.nbytes


def _smooth(level: GridLevel, x: Float, r: Float, d: Float, sweep: int) -> None:
    """One step of the fourth-kind Chebyshev recurrence."""
    k = sweep + 1
    keep = 0.0 if sweep == 0 else (2 * k - 3) / (2 * k + 1)
    level.smooth(x, r, d, keep, (8 * k - 4) / ((2 * k + 1) * level.max_eigenvalue))


def _all_steps(topology: Topology) -> list[Coarsening]:
    """Coarsen until the direct solver takes over."""
    steps: list[Coarsening] = []
    while topology.node_ijk.shape[0] > DIRECT_BELOW or not steps:
        steps.append(coarsen(topology, connected_blocks=not steps))
        topology = steps[-1].coarse
    return steps

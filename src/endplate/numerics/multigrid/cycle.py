"""The preconditioner: one symmetric V-cycle on an exact Galerkin hierarchy of voxel blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.numerics.multigrid import galerkin
from endplate.numerics.multigrid.coarsen import Coarsening, Topology, coarsen
from endplate.numerics.multigrid.element_batches import make_blocks
from endplate.numerics.multigrid.grid_level import ChildLevel, DirectLevel, Float, MatrixLevel, VoxelLevel
from endplate.numerics.multigrid.transfer import make_transfer
from endplate.numerics.multigrid.v_cycle import Hierarchy, correct, descend, guess
from endplate.numerics.voxel.element import ElementKind
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator, checked_modulus
from endplate.numerics.voxel.simd_batches import Lanes

DIRECT_BELOW = 200
"""Nodes of the coarsest level at most: its dense inverse then takes no more than a level's sweep."""


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
        self.steps = _all_steps(Topology(nodes, mesh.element_ijk, mesh.node_ijk, fixed))
        self._blocks = [make_blocks(s.coarse.element_nodes, s.coarse.element_ijk[:, 0], s.coarse.node_ijk.shape[0])
                        for s in self.steps]  # fmt: skip
        masks = [free, *(np.ascontiguousarray(~s.coarse.fixed.T) for s in self.steps[:-1])]
        pieces = zip(self._blocks, self.steps, masks, strict=True)
        self.transfers = [make_transfer(b, s.place, mask) for b, s, mask in pieces]
        self.fine = VoxelLevel(self.operator, free)
        self.second = ChildLevel(self.steps[0], self._blocks[0], self.operator, galerkin.held_bits(nodes, fixed))
        self.coarser = [MatrixLevel(s, b) for s, b in zip(self.steps[1:-1], self._blocks[1:-1], strict=True)]
        self.bottom = DirectLevel(self.steps[-1].coarse)
        self._set_coarse(modulus)
        counts = [mesh.n_nodes, *(s.coarse.node_ijk.shape[0] for s in self.steps)]
        self._work = [np.zeros((3, 3, count), dtype=np.float32) for count in counts]
        work = [(w[0], w[1], w[2]) for w in self._work]
        self._spare = np.zeros((2, *work[1][0].shape), dtype=np.float32)
        spare = (self._spare[0], self._spare[1])
        self.hierarchy = Hierarchy(self.levels, self.transfers, self.bottom, work, spare, _clear, np.copyto, _join)

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
        if len(self.steps) == 1:
            self.bottom.set_matrices(self.second.all_matrices())
            return
        matrices = self.second.parent_matrices(self.steps[1])
        for level, step in zip(self.coarser, self.steps[2:], strict=True):
            level.set_matrices(matrices)
            matrices = galerkin.parent_matrices(matrices, step)
        self.bottom.set_matrices(matrices)

    @property
    def levels(self) -> list[VoxelLevel | ChildLevel | MatrixLevel]:
        """All levels that smooth, the finest first."""
        return [self.fine, *self.coarse_levels]

    @property
    def coarse_levels(self) -> list[ChildLevel | MatrixLevel]:
        """Those between the voxels and the level that is solved directly."""
        middle: list[ChildLevel | MatrixLevel] = [self.second, *self.coarser]
        return middle[: len(self.steps) - 1]

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
        return self._approximate(descend, r)

    def correct(self, r: NDArray[np.floating]) -> Float:
        """One lighter cycle, for the corrections of a yielding body: approximate K^-1 r.

        Parameters
        ----------
        r : ndarray of float, shape (3, N)
            Residual, N.

        Returns
        -------
        ndarray of float32, shape (3, N)
            Displacements, mm; the array is overwritten by the next call.
        """
        return self._approximate(correct, r)

    def guess(self, r: NDArray[np.floating]) -> Float:
        """A start for K^-1 r from the second level alone.

        Parameters
        ----------
        r : ndarray of float, shape (3, N)
            Residual, N.

        Returns
        -------
        ndarray of float32, shape (3, N)
            Displacements, mm; the array is overwritten by the next call.
        """
        return self._approximate(guess, r)

    def _approximate(self, kernel: Callable[[Hierarchy], None], r: NDArray[np.floating]) -> Float:
        """What a compiled pass over the hierarchy makes of a residual."""
        x, residual, _ = self._work[0]
        residual[:] = r
        kernel(self.hierarchy)
        return np.asarray(x)

    @property
    def node_counts(self) -> list[int]:
        """Nodes of all levels, the finest first, the one that is solved directly last."""
        return [work.shape[2] for work in self._work]

    @property
    def element_counts(self) -> list[int]:
        """Elements of all levels, the finest first."""
        return [self.operator.mesh.n_elements, *(step.coarse.element_nodes.shape[0] for step in self.steps)]

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
        kinds = ["voxels", *("children", *["matrices"] * len(self.steps))[: len(self.steps) - 1], "direct"]
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
        own += sum(t.nbytes for t in self.transfers) + sum(w.nbytes for w in (*self._work, self._spare))
        return own + self.steps[-1].coarse.element_nodes.nbytes + self.operator.lanes.nbytes


def _clear(vector: Float) -> None:
    vector.fill(0)


def _join(target: Float, source: Float) -> None:
    target += source


def _all_steps(topology: Topology) -> list[Coarsening]:
    """Coarsen until the direct solver takes over."""
    steps: list[Coarsening] = []
    while topology.node_ijk.shape[0] > DIRECT_BELOW or not steps:
        steps.append(coarsen(topology, connected_blocks=not steps))
        topology = steps[-1].coarse
    return steps

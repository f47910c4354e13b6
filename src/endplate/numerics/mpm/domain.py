"""The box of nodes, the voxels of it that are in use, and the elastic solver that preconditions a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.errors import SolverError
from endplate.numerics.krylov import conjugate_gradients
from endplate.numerics.mpm.kernels import deposit_stiffness
from endplate.numerics.mpm.splines import SplineGrid, Touched
from endplate.numerics.solver import ElasticSolver
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator

REACH = 1
"""Voxels round an occupied one whose nodes its points touch."""

SPARE = 3
"""Voxels round the occupied ones that are taken into the mesh, so that it lasts for some steps."""

EMPTY = 0.3
"""Of the stiffness that splines spread into cells without a point: they resist by the square of a spline's tail, far
less than its value, and a gap of two cells would seem bridged."""

CUBE = ndimage.generate_binary_structure(3, 3)


class Domain:
    """A box of `shape` voxels with `pad` more on every side.

    Attributes
    ----------
    grid : splines on the nodes of the box. nodes : (N,) flat numbers in the box of the mesh's nodes, increasing.
    number : (nodes of the box,) the way back, -1 outside the mesh. mesh : voxels in use.
    outer : (N,) nodes on the surface of the mesh; they are held, two voxels or more away from anything that moves.
    """

    def __init__(self, shape: tuple[int, int, int], spacing_mm: float, pad: int, void_mpa: float) -> None:
        self.spacing_mm, self.pad, self.void_mpa = float(spacing_mm), pad, void_mpa
        self._shape = shape
        self.cells = (shape[0] + 2 * pad, shape[1] + 2 * pad, shape[2] + 2 * pad)
        dims = (self.cells[0] + 1, self.cells[1] + 1, self.cells[2] + 1)
        self.grid = SplineGrid(dims, self.spacing_mm, -pad * self.spacing_mm)
        self._active = np.zeros(self.cells, dtype=bool)
        self._core = np.zeros(self.cells, dtype=bool)
        self._solver: ElasticSolver | None = None
        self._held: NDArray[np.bool_] | None = None

    def anew(self) -> Domain:
        """The same box with nothing covered yet."""
        return Domain(self._shape, self.spacing_mm, self.pad, self.void_mpa)

    def resist(self, void_mpa: float) -> None:
        """Let the void resist every step with another stiffness from now on."""
        self.void_mpa = void_mpa
        if self._active.any():
            self._void = ElasticOperator(self.mesh, void_mpa)

    def cover(self, *points_mm: NDArray[np.float64]) -> bool:
        """See that all points lie in the mesh; whether it had to be made anew.

        Raises
        ------
        SolverError : a point has left the box.
        """
        occupied = np.zeros(self.cells, dtype=bool)
        for points in points_mm:
            cell = np.floor(points / self.spacing_mm).astype(np.int64) + self.pad
            if cell.size and ((cell < 2).any() or (cell >= np.array(self.cells) - 2).any()):
                raise SolverError(
                    "material left the box of the large-strain model",
                    "there are no nodes to carry it",
                    "give the box more room (pad)",
                )
            occupied[cell[:, 0], cell[:, 1], cell[:, 2]] = True
        if not (occupied & ~self._core).any():
            return False
        self._active |= ndimage.binary_dilation(occupied, CUBE, iterations=SPARE)
        self._core = ndimage.binary_erosion(self._active, CUBE, iterations=REACH + 1)
        self.mesh = VoxelMesh.from_active(self._active, self.spacing_mm)
        _, ny, nz = self.grid.dims
        i, j, k = self.mesh.node_ijk.T.astype(np.int64)
        self.nodes = (i * ny + j) * nz + k
        self.number = np.full(self.grid.count, -1, dtype=np.int32)
        self.number[self.nodes] = np.arange(self.nodes.size)
        self.outer = self.mesh.neighbour_nodes < 8
        self._solver = None
        self._void = ElasticOperator(self.mesh, self.void_mpa)
        return True

    def stiffen(
        self, held: NDArray[np.bool_], position: NDArray[np.float64], weight: NDArray[np.float64], poisson: float
    ) -> None:
        """Stiffness from points at (n, 3) mm that carry V E (n,), with the components (N, 3) held."""
        cells = np.zeros(self.cells[0] * self.cells[1] * self.cells[2])
        inverse = 1 / self.spacing_mm
        deposit_stiffness(position, weight, np.array(self.cells), inverse, -float(self.pad), cells)
        at = self.mesh.element_ijk.astype(np.int64)
        number = (at[:, 0] * self.cells[1] + at[:, 1]) * self.cells[2] + at[:, 2]
        cells *= np.where(self._holding(position), 1.0, EMPTY)
        modulus = np.maximum(cells[number] * inverse**3, self.void_mpa)
        if self._solver is None or self._held is None or not np.array_equal(held, self._held):
            self._solver = ElasticSolver(self.mesh, modulus, poisson, held)
            self._held = held.copy()
        else:
            self._solver.set_modulus(modulus)

    def _holding(self, position: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Flat cells that hold a point."""
        cell = np.floor(position / self.spacing_mm).astype(np.int64) + self.pad
        out = np.zeros(self.cells[0] * self.cells[1] * self.cells[2], dtype=bool)
        out[(cell[:, 0] * self.cells[1] + cell[:, 1]) * self.cells[2] + cell[:, 2]] = True
        return out

    def solve(self, residual: NDArray[np.float64], most: int) -> NDArray[np.float64]:
        """Approximate displacements (N, 3) under nodal forces (N, 3): a few preconditioned conjugate gradients."""
        if self._solver is None:
            raise RuntimeError("stiffen the domain before solving on it")
        kernels = self._solver.kernels
        r, x = kernels.put(np.array(residual.T, order="C")), kernels.zeros()
        conjugate_gradients(kernels, x, r, kernels.norm(r), 0.0, most)
        return np.ascontiguousarray(kernels.get(x).T)

    def void_force(self, move: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 3) forces with which the void resists a move (N, 3)."""
        return -self._void.apply(move)

    def of_box(self, values: Any) -> Any:
        """Nodal values over the box (nx, ny, nz, c) at the mesh's nodes (N, c)."""
        return values.reshape(self.grid.count, -1)[self.nodes]

    def touched(self, points_mm: NDArray[np.float64]) -> Touched:
        """The mesh's nodes that points (m, 3) mm touch."""
        return self.grid.touched(points_mm, self.nodes)

    def boxed(self, field: NDArray[np.float64]) -> NDArray[np.float64]:
        """A field (N, c) on the mesh's nodes laid out over the box (count, c), zero elsewhere."""
        out = np.zeros((self.grid.count, field.shape[1]))
        out[self.nodes] = field
        return out

    @property
    def nbytes(self) -> int:
        """Bytes of mesh and solver."""
        return self._void.nbytes + (self._solver.nbytes if self._solver else 0)

"""Solve K u = f with some displacements prescribed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.errors import SolverError
from endplate.numerics.krylov import conjugate_gradients, masked_norm
from endplate.numerics.multigrid.cycle import Multigrid
from endplate.numerics.voxel.element import ElementKind
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator
from endplate.numerics.voxel.simd_batches import pack

Double = NDArray[np.float64]

MAX_ITERATIONS = 500
"""Far above what the hierarchy needs; reaching it means the model is broken, and it is said so."""

MAX_RESTARTS = 3
"""The residual is recomputed after convergence; rounding may ask for a few more iterations at tight tolerance."""


@dataclass(frozen=True, slots=True)
class SolveReport:
    """How a solve went.

    Attributes
    ----------
    unknowns : degrees of freedom, fixed ones included. iterations : conjugate gradient iterations.
    residual : true relative residual, against the load with prescribed displacements and nothing else.
    seconds : this solve. setup_seconds : hierarchy and packing, once per solver. memory_bytes : all that is held.
    """

    unknowns: int
    iterations: int
    residual: float
    seconds: float
    setup_seconds: float
    memory_bytes: int


class ElasticSolver:
    """Conjugate gradients with a multigrid cycle, set up once for a mesh and its supports.

    Parameters
    ----------
    mesh : the voxels. modulus_mpa : (E,). poisson : Poisson's ratio. fixed : (N, 3) where displacement is prescribed.
    element : "full" or "bbar".
    """

    def __init__(
        self,
        mesh: VoxelMesh,
        modulus_mpa: ArrayLike,
        poisson: float,
        fixed: ArrayLike,
        element: ElementKind = "full",
    ) -> None:
        start = time.perf_counter()
        supports = np.asarray(fixed, dtype=np.bool_)
        if supports.shape != (mesh.n_nodes, 3):
            raise ValueError(f"fixed must be ({mesh.n_nodes}, 3), got {supports.shape}")
        self.mesh = mesh
        self.free = np.ascontiguousarray(~supports.T)
        lanes = pack(mesh)
        self.operator = ElasticOperator(mesh, modulus_mpa, poisson, element, lanes=lanes)
        self.multigrid = Multigrid(mesh, modulus_mpa, poisson, self.free, element, lanes)
        self.setup_seconds = time.perf_counter() - start

    def set_modulus(self, modulus_mpa: ArrayLike) -> None:
        """Replace the moduli of operator and hierarchy; the shapes of all levels are kept."""
        self.operator.set_modulus(modulus_mpa)
        self.multigrid.set_modulus(modulus_mpa)

    def solve(
        self,
        force: ArrayLike | None = None,
        prescribed: ArrayLike | None = None,
        tolerance: float = 1e-6,
        initial: ArrayLike | None = None,
    ) -> tuple[NDArray[np.float64], SolveReport]:
        """Displacements (N, 3) in mm under nodal forces (N, 3) in N and prescribed displacements (N, 3) in mm.

        `prescribed` counts where the solver's `fixed` is true (zero there when absent); `initial` (N, 3) is a guess.

        Raises
        ------
        SolverError : the relative residual did not reach `tolerance`.
        """
        start = time.perf_counter()
        load = np.zeros((3, self.mesh.n_nodes)) if force is None else _rows(force)
        x = np.zeros_like(load) if prescribed is None else _rows(prescribed) * ~self.free
        scale = masked_norm(self._residual(x, load), self.free)
        if initial is not None:
            np.copyto(x, _rows(initial), where=self.free)
        iterations, residual = self._iterate(x, load, scale, tolerance)
        seconds = time.perf_counter() - start
        report = SolveReport(x.size, iterations, residual, seconds, self.setup_seconds, self.nbytes)
        return np.ascontiguousarray(x.T), report

    def precondition(self, residual: ArrayLike) -> NDArray[np.float64]:
        """One multigrid cycle: an approximate solution (N, 3) of K u = residual (N, 3), zero at supports."""
        return np.ascontiguousarray(self.multigrid.cycle(_rows(residual)).T, dtype=np.float64)

    def _residual(self, x: NDArray[np.float64], load: NDArray[np.float64]) -> NDArray[np.float64]:
        out = load.copy()
        self.operator.add(x, out, -1.0)
        return out

    def _iterate(self, x: Double, load: Double, scale: float, tolerance: float) -> tuple[int, float]:
        """Conjugate gradients until the true residual is below tolerance * scale."""
        count = 0
        if scale == 0.0 and not x.any():
            return 0, 0.0
        for _ in range(MAX_RESTARTS + 1):
            r = self._residual(x, load)
            norm = masked_norm(r, self.free)
            if norm <= tolerance * scale:
                return count, norm / scale if scale else 0.0
            target = 0.9 * tolerance * scale  # a little below, since rounding parts the recursion from the truth
            done = conjugate_gradients(self.operator.add, self.multigrid.cycle, self.free, x, r, target, MAX_ITERATIONS)
            count += done.count
        raise SolverError(
            f"The linear solver stopped at a relative residual of {norm / scale:.1e} after {count} iterations",
            f"the tolerance is {tolerance:.1e}",
            "check that every piece of the model is supported and that moduli differ by less than 1e5",
        )

    @property
    def nbytes(self) -> int:
        """Bytes of mesh, operator, hierarchy and the four double-precision vectors of a solve."""
        vectors = 4 * 8 * self.free.size
        own = self.operator.nbytes + self.multigrid.nbytes - self.operator.lanes.nbytes
        return self.mesh.nbytes + own + vectors + self.free.nbytes


def _rows(values: ArrayLike) -> NDArray[np.float64]:
    """(N, 3) as a contiguous (3, N) copy."""
    return np.array(np.asarray(values, dtype=np.float64).T, order="C")

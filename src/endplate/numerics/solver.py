"""Solve K u = f with some displacements prescribed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator

from endplate.errors import SolverError
from endplate.numerics.host_elastic import HostElastic
from endplate.numerics.interface import Backend, Elastic
from endplate.numerics.krylov import Vector, conjugate_gradients, masked_norm
from endplate.numerics.linear_operator import masked_operator
from endplate.numerics.multigrid.cycle import Multigrid
from endplate.numerics.voxel.element import ElementKind
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator
from endplate.numerics.voxel.simd_batches import pack

Double = NDArray[np.float64]
Callback = Callable[[int, float], None]
"""Called after each iteration with its number, from 1, and the relative residual."""

MAX_ITERATIONS = 500
"""Far above what the hierarchy needs; reaching it means the model is broken, and it is said so."""

MAX_RESTARTS = 3
"""The residual is recomputed after convergence; rounding may ask for a few more iterations at tight tolerance."""


@dataclass(frozen=True, slots=True)
class SolveReport:
    """How a solve went.

    Parameters
    ----------
    unknowns : int
        Degrees of freedom, fixed ones included.
    iterations : int
        Conjugate gradient iterations.
    residual : float
        True relative residual, against the load with prescribed displacements and nothing else.
    seconds : float
        Wall time of this solve, s.
    setup_seconds : float
        Wall time of hierarchy and packing, once per solver, s.
    memory_bytes : int
        Everything that the solver holds, bytes.
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
    mesh : VoxelMesh
        The voxels.
    modulus_mpa : array_like, shape (E,)
        Young's modulus of each element, MPa; a single number stands for all.
    poisson : float
        Poisson's ratio, the same everywhere.
    fixed : array_like of bool, shape (N, 3)
        Where displacement is prescribed.
    element : {"full", "bbar"}, default "full"
        Full integration or mean dilatation.
    backend : Backend, optional
        The device to solve on, from `endplate.numerics.backend.choose`; the processor when absent.

    Raises
    ------
    ValueError
        Supports or moduli of the wrong shape, moduli not finite or not positive, impossible Poisson's ratio.

    Examples
    --------
    A bar of 2 x 2 x 8 voxels of 1 mm and 1000 MPa, held at the bottom and pushed down by 0.01 mm at the top:

    >>> import numpy as np
    >>> from endplate.numerics import ElasticSolver, VoxelMesh
    >>> mesh = VoxelMesh.from_active(np.ones((2, 2, 8), bool), spacing_mm=1.0)
    >>> bottom, top = mesh.nodes_on_plane(2, 0), mesh.nodes_on_plane(2, 8)
    >>> fixed = np.zeros((mesh.n_nodes, 3), bool)
    >>> fixed[bottom] = True
    >>> fixed[top, 2] = True
    >>> pushed = np.zeros((mesh.n_nodes, 3))
    >>> pushed[top, 2] = -0.01
    >>> solver = ElasticSolver(mesh, 1000.0, 0.3, fixed)
    >>> u, report = solver.solve(prescribed=pushed)
    >>> report.residual < 1e-6
    True
    """

    def __init__(
        self,
        mesh: VoxelMesh,
        modulus_mpa: ArrayLike,
        poisson: float,
        fixed: ArrayLike,
        element: ElementKind = "full",
        backend: Backend | None = None,
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
        build = HostElastic if backend is None else backend.elastic
        self.kernels: Elastic = build(self.operator, self.multigrid, self.free)
        self.setup_seconds = time.perf_counter() - start

    def set_modulus(self, modulus_mpa: ArrayLike) -> None:
        """Replace the moduli of operator and hierarchy; the shapes of all levels are kept.

        Parameters
        ----------
        modulus_mpa : array_like, shape (E,)
            Young's modulus of each element, MPa; a single number stands for all.
        """
        self.operator.set_modulus(modulus_mpa)
        self.multigrid.set_modulus(modulus_mpa)
        self.kernels.refresh()

    def solve(
        self,
        force: ArrayLike | None = None,
        prescribed: ArrayLike | None = None,
        tolerance: float = 1e-6,
        initial: ArrayLike | None = None,
        callback: Callback | None = None,
    ) -> tuple[NDArray[np.float64], SolveReport]:
        """Displacements under nodal forces and prescribed displacements.

        Parameters
        ----------
        force : array_like, shape (N, 3), optional
            Nodal forces, N; none when absent.
        prescribed : array_like, shape (N, 3), optional
            Displacements, mm, that count where the solver's `fixed` is true; zero when absent.
        tolerance : float, default 1e-6
            Largest residual, relative to the load with prescribed displacements and nothing else.
        initial : array_like, shape (N, 3), optional
            A guess of the displacements, mm.
        callback : callable, optional
            Called after each iteration with its number, from 1, and the relative residual.

        Returns
        -------
        displacement_mm : ndarray of float64, shape (N, 3)
            Displacements, mm.
        report : SolveReport
            Iterations, residual, seconds and memory.

        Raises
        ------
        SolverError
            The relative residual did not reach `tolerance`.
        """
        start = time.perf_counter()
        load = np.zeros((3, self.mesh.n_nodes)) if force is None else _rows(force)
        x = np.zeros_like(load) if prescribed is None else _rows(prescribed) * ~self.free
        scale = masked_norm(self._residual(x, load), self.free)
        if initial is not None:
            np.copyto(x, _rows(initial), where=self.free)
        iterations, residual = self._iterate(x, load, scale, tolerance, callback, initial is None)
        seconds = time.perf_counter() - start
        report = SolveReport(x.size, iterations, residual, seconds, self.setup_seconds, self.nbytes)
        return np.ascontiguousarray(x.T), report

    def precondition(self, residual: ArrayLike) -> NDArray[np.float64]:
        """One multigrid cycle: an approximate solution of K u = residual.

        Parameters
        ----------
        residual : array_like, shape (N, 3)
            Nodal forces out of balance, N.

        Returns
        -------
        ndarray of float64, shape (N, 3)
            Displacements, mm; zero at supports.
        """
        kernels = self.kernels
        return kernels.get(kernels.cycle(kernels.put(_contiguous(residual)))).T

    def correct(self, residual: ArrayLike) -> NDArray[np.float64]:
        """A lighter cycle, for the corrections of a yielding body in `follow_path`.

        Parameters
        ----------
        residual : array_like, shape (N, 3)
            Nodal forces out of balance, N.

        Returns
        -------
        ndarray of float64, shape (N, 3)
            Displacements, mm; zero at supports.
        """
        kernels = self.kernels
        return kernels.get(kernels.correct(kernels.put(_contiguous(residual)))).T

    def aslinearoperator(self) -> LinearOperator:
        """The stiffness for SciPy's solvers: symmetric and positive definite.

        Unknowns are ordered 3 * node + component. Rows and columns of prescribed displacements are those of the
        identity, so that `right_side` and the solution can be passed whole.

        Returns
        -------
        scipy.sparse.linalg.LinearOperator, shape (3N, 3N)
            Displacements in mm to nodal forces in N.
        """
        return masked_operator(self.operator.apply, self.free)

    def aspreconditioner(self) -> LinearOperator:
        """One multigrid cycle for SciPy's solvers: `cg(solver.aslinearoperator(), b, M=solver.aspreconditioner())`.

        The same order of unknowns as `aslinearoperator`. The cycle works in single precision, so a tolerance far
        below 1e-7 needs a few more iterations than in exact arithmetic.

        Returns
        -------
        scipy.sparse.linalg.LinearOperator, shape (3N, 3N)
            Nodal forces in N to approximate displacements in mm.
        """
        return masked_operator(self.precondition, self.free)

    def right_side(self, force: ArrayLike | None = None, prescribed: ArrayLike | None = None) -> NDArray[np.float64]:
        """Right side of `aslinearoperator`: forces less what prescribed displacements take, and those themselves.

        Parameters
        ----------
        force : array_like, shape (N, 3), optional
            Nodal forces, N; none when absent.
        prescribed : array_like, shape (N, 3), optional
            Displacements, mm, that count where the solver's `fixed` is true; zero when absent.

        Returns
        -------
        ndarray of float64, shape (3N,)
            Forces in N where nodes are free, prescribed displacements in mm elsewhere.
        """
        load = np.zeros((3, self.mesh.n_nodes)) if force is None else _rows(force)
        x = np.zeros_like(load) if prescribed is None else _rows(prescribed) * ~self.free
        return np.ascontiguousarray(np.where(self.free, self._residual(x, load), x).T).ravel()

    def __repr__(self) -> str:
        """Unknowns, supports, levels and complexities of the hierarchy, memory."""
        fixed = int(self.free.size - self.free.sum())
        what = f"{self.mesh.n_elements} voxels of {self.mesh.spacing_mm:g} mm, {self.free.size} unknowns, {fixed} fixed"
        return f"<ElasticSolver: {what}, {self.nbytes / 2**20:.0f} MiB>\n{self.multigrid!r}"

    def _residual(self, x: NDArray[np.float64], load: NDArray[np.float64]) -> NDArray[np.float64]:
        out = load.copy()
        self.operator.add(x, out, -1.0)
        return out

    def _iterate(
        self, x: Double, load: Double, scale: float, tolerance: float, callback: Callback | None, guessing: bool
    ) -> tuple[int, float]:
        """Conjugate gradients until the true residual is below tolerance * scale."""
        count, kernels = 0, self.kernels
        if scale == 0.0:  # nothing pushes or pulls: what is free stays where it was, whatever the guess
            x[self.free] = 0.0
            return 0, 0.0
        there, pushed = kernels.put(x), kernels.put(load)
        if guessing:
            r, _ = self._out_of_balance(there, pushed)
            kernels.turn(there, kernels.guess(r), 1.0)
        for _ in range(MAX_RESTARTS + 1):
            r, norm = self._out_of_balance(there, pushed)
            if norm <= tolerance * scale:
                np.copyto(x, kernels.get(there))
                return count, norm / scale
            target = 0.9 * tolerance * scale  # a little below, since rounding parts the recursion from the truth
            watch = None if callback is None else _Watch(callback, count, scale)
            count += conjugate_gradients(kernels, there, r, norm, target, MAX_ITERATIONS, watch).count
        raise SolverError(
            f"The linear solver stopped at a relative residual of {norm / scale:.1e} after {count} iterations",
            f"the tolerance is {tolerance:.1e}",
            "check that every piece of the model is supported and that moduli differ by less than 1e5",
        )

    def _out_of_balance(self, x: Vector, load: Vector) -> tuple[Vector, float]:
        """The residual where free, and its norm, on the device."""
        r = self.kernels.copy(load)
        self.kernels.add(x, r, -1.0)
        return r, self.kernels.norm(r)

    @property
    def nbytes(self) -> int:
        """Bytes of mesh, operator, hierarchy and the four double-precision vectors of a solve."""
        vectors = 4 * 8 * self.free.size
        own = self.operator.nbytes + self.multigrid.nbytes - self.operator.lanes.nbytes
        return self.mesh.nbytes + own + vectors + self.free.nbytes + self.kernels.nbytes


@dataclass(frozen=True, slots=True)
class _Watch:
    """Counts iterations over restarts and makes the residual relative."""

    callback: Callback
    before: int
    scale: float
    seen: list[float] = field(default_factory=list)

    def __call__(self, norm: float) -> None:
        self.seen.append(norm)
        self.callback(self.before + len(self.seen), norm / self.scale)


def _contiguous(values: ArrayLike) -> NDArray[np.float64]:
    """(N, 3) as contiguous (3, N), a view where it is one already."""
    return np.ascontiguousarray(np.asarray(values, dtype=np.float64).T)


def _rows(values: ArrayLike) -> NDArray[np.float64]:
    """(N, 3) as a contiguous (3, N) copy."""
    return np.array(np.asarray(values, dtype=np.float64).T, order="C")

"""Pressure on a list of cells: conjugate gradients with one multigrid cycle of merged voxels as preconditioner."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.errors import SolverError
from endplate.numerics.porous_flow import kernels

Field = NDArray[np.float64]
Cells = NDArray[np.int64]

# Below so many cells, sweeps alone solve the coarsest level.
COARSEST = 24
COARSEST_SWEEPS = 6
MAX_ITERATIONS = 200


class PressureLevel:
    """One grid of the hierarchy."""

    def __init__(self, shape: tuple[int, int, int], cells: Cells, face: Field, diagonal: Field) -> None:
        self.shape, self.cells, self.face, self.diagonal = shape, cells, face, diagonal
        self.s0, self.s1 = shape[1] * shape[2], shape[2]
        self.x, self.b = np.zeros(diagonal.size), np.zeros(diagonal.size)
        self.parent = np.empty(0, np.int64)

    def coarser(self) -> PressureLevel:
        """The level of voxels merged 2 x 2 x 2."""
        i, j, k = (n // 2 + 2 for n in self.shape)
        size, s0, s1 = i * j * k, j * k, k
        self.parent = np.zeros(self.diagonal.size, np.int64)
        active, coarse_active = np.zeros(self.diagonal.size, np.bool_), np.zeros(size, np.bool_)
        active[self.cells] = True
        kernels.set_parents(self.cells, self.s0, self.s1, s0, s1, self.parent, coarse_active)
        face, diagonal = np.zeros((3, size)), np.zeros(size)
        stride = np.array([self.s0, self.s1, 1])
        kernels.coarsen(self.cells, active, self.parent, self.face, self.diagonal, stride, face, diagonal)
        return PressureLevel((i, j, k), np.flatnonzero(coarse_active), face, diagonal)


class Poisson:
    """A = diagonal - faces on the cells; zero outside them."""

    def __init__(self, shape: tuple[int, int, int], cells: Cells, face: Field, diagonal: Field) -> None:
        self.levels = [PressureLevel(shape, cells, face, diagonal)]
        while self.levels[-1].cells.size > COARSEST:
            coarse = self.levels[-1].coarser()
            self.levels.append(coarse)
            if coarse.cells.size >= self.levels[-2].cells.size:
                break
        self.iterations = 0

    def precondition(self, r: Field) -> Field:
        """One symmetric cycle; the result is overwritten by the next call."""
        return self._cycle(0, r)

    def _cycle(self, depth: int, b: Field) -> Field:
        level = self.levels[depth]
        system = (level.cells, level.face, level.diagonal, level.s0, level.s1)
        x = level.x
        kernels.clear(level.cells, x)
        if depth == len(self.levels) - 1:
            for _ in range(COARSEST_SWEEPS):
                kernels.smooth_forward(*system, b, x)
                kernels.smooth_backward(*system, b, x)
            return x
        coarse = self.levels[depth + 1]
        kernels.smooth_forward(*system, b, x)
        kernels.clear(coarse.cells, coarse.b)
        kernels.restrict_residual(
            level.cells, level.parent, level.face, level.diagonal, level.s0, level.s1, b, x, coarse.b
        )
        kernels.prolong(level.cells, level.parent, self._cycle(depth + 1, coarse.b), x)
        kernels.smooth_backward(*system, b, x)
        return x

    def solve(self, b: Field, x: Field, tolerance: float) -> None:
        """Solve A x = b in place, from the start value in `x` (zero outside the cells).

        Raises
        ------
        SolverError : the relative residual stays above the tolerance.
        """
        top = self.levels[0]
        cells, system = top.cells, (top.cells, top.face, top.diagonal, top.s0, top.s1)
        target = tolerance**2 * kernels.inner(cells, b, b)
        if target == 0:
            kernels.clear(cells, x)
            return
        r, p, q = np.zeros_like(b), np.zeros_like(b), np.zeros_like(b)
        kernels.multiply(*system, x, q)
        r[cells] = b[cells] - q[cells]
        square, rho = kernels.inner(cells, r, r), 1.0
        for count in range(MAX_ITERATIONS):
            if square <= target:
                return
            z = self.precondition(r)
            rho, before = kernels.inner(cells, r, z), rho
            kernels.turn(cells, p, z, rho / before if count else 0.0)
            square = kernels.advance(cells, x, r, p, q, rho / kernels.multiply(*system, p, q))
            self.iterations += 1
        raise SolverError(
            f"the pressure did not settle in {MAX_ITERATIONS} iterations",
            f"relative residual {(square / target) ** 0.5 * tolerance:.1e}, wanted {tolerance:.0e}",
            "this bone's permeability varies too widely; raise the least porosity",
        )

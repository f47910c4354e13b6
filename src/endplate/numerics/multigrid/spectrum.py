"""The largest eigenvalue of D^-1 K from a few steps of conjugate gradients with D as preconditioner.

The steps' coefficients are the entries of the Lanczos matrix, whose largest eigenvalue converges from below, in half as
many products as the power method takes for the same error. Source: Saad, Iterative Methods for Sparse Linear Systems,
2nd ed. 2003, section 6.7.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.multigrid.v_cycle import GridLevel

STEPS = 6
"""Products; on meshes of bone the estimate then lies 3 to 11 % below the largest eigenvalue."""

SAFETY = 1.15
"""On top of the estimate, which comes from below."""

DONE = 1e-12
"""Share of the first residual's square below which the steps have seen the whole space."""


def largest_eigenvalue(level: GridLevel, free: NDArray[np.bool_]) -> float:
    """Upper bound of the spectrum of D^-1 K on what is free (3, N), up to what the safety factor covers."""
    r = np.random.default_rng(4711).standard_normal(free.shape).astype(np.float32) * free
    z, p, spare = np.zeros_like(r), np.zeros_like(r), np.zeros_like(r)
    diagonal: list[float] = []
    beside: list[float] = []
    rho = first = step = 0.0
    for _ in range(STEPS):
        level.smooth(spare, r, z, 0.0, 1.0)
        before, rho = rho, _dot(r, z)
        first = first or rho
        if not rho > DONE * first:
            break
        turn = rho / before if before else 0.0
        p *= np.float32(turn)
        p += z
        q = np.zeros_like(r)
        level.subtract(p, q)
        curvature = -_dot(p, q)
        if not curvature > 0:
            break
        if before:
            beside.append(math.sqrt(turn) / step)
        last, step = step, rho / curvature
        diagonal.append(1 / step + (turn / last if before else 0.0))
        r += np.float32(step) * q
    if not diagonal:
        return SAFETY
    table = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    return SAFETY * float(np.linalg.eigvalsh(table)[-1])


def _dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.dot(a.reshape(-1), b.reshape(-1)))

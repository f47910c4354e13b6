"""Preconditioned conjugate gradients in double precision over a preconditioner in single precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Rows = NDArray[np.floating]
"""Vectors of the solvers: (3, N), one row per component."""


@dataclass(frozen=True, slots=True)
class Iterations:
    """How conjugate gradients went: iterations, final relative residual, residuals after each iteration."""

    count: int
    residual: float
    history: tuple[float, ...]


def conjugate_gradients(
    multiply: Callable[[Rows, Rows], None],
    precondition: Callable[[Rows], Rows],
    free: NDArray[np.bool_],
    x: NDArray[np.float64],
    r: NDArray[np.float64],
    target: float,
    most: int,
    callback: Callable[[float], None] | None = None,
) -> Iterations:
    """Solve for the correction of `x` that removes the residual `r`; both are changed in place.

    Parameters
    ----------
    multiply : (p, q) -> q = K p. precondition : r -> z in single precision, zero at fixed degrees of freedom.
    free : (3, N) where the solution may change. target : residual norm to reach. most : iterations at most.
    callback : called after each iteration with the norm of the residual.
    """
    p, q = np.zeros_like(x), np.empty_like(x)
    norm = masked_norm(r, free)
    history = [norm]
    rho = 1.0
    while norm > target and len(history) <= most:
        z = precondition(r)
        rho, before = dot(r, z), rho
        if not (np.isfinite(rho) and rho > 0):
            break
        direction(p, z, 0.0 if len(history) == 1 else rho / before)
        q[:] = 0
        multiply(p, q)
        curvature = dot(p, q)
        if not curvature > 0:
            break
        norm = float(np.sqrt(step(x, r, p, q, free, rho / curvature)))
        history.append(norm)
        if callback is not None:
            callback(norm)
    return Iterations(len(history) - 1, norm, tuple(history))


def masked_norm(r: NDArray[np.float64], free: NDArray[np.bool_]) -> float:
    """Zero `r` where it is not free and return its Euclidean norm."""
    np.multiply(r, free, out=r)
    return float(np.linalg.norm(r))


@njit(cache=True)
def dot(a, b):  # type: ignore[no-untyped-def]
    """Inner product in double precision, summed by rows of 256 for speed and accuracy."""
    x, y = a.reshape(-1), b.reshape(-1)
    total = 0.0
    lanes = np.zeros(8)
    whole = x.size // 8 * 8
    for i in range(0, whole, 8):
        for w in range(8):
            lanes[w] += x[i + w] * np.float64(y[i + w])
    for i in range(whole, x.size):
        total += x[i] * np.float64(y[i])
    return total + lanes.sum()


@njit(cache=True)
def direction(p, z, beta):  # type: ignore[no-untyped-def]
    """P = z + beta p."""
    x, y = p.reshape(-1), z.reshape(-1)
    for i in range(x.size):
        x[i] = y[i] + beta * x[i]


@njit(cache=True)
def step(x, r, p, q, free, alpha):  # type: ignore[no-untyped-def]
    """X += alpha p and r -= alpha q where free; the squared norm of the new residual."""
    a, b, c, d, m = x.reshape(-1), r.reshape(-1), p.reshape(-1), q.reshape(-1), free.reshape(-1)
    lanes = np.zeros(8)
    whole = a.size // 8 * 8
    for i in range(0, whole, 8):
        for w in range(8):
            a[i + w] += alpha * c[i + w]
            value = (b[i + w] - alpha * d[i + w]) * m[i + w]
            b[i + w] = value
            lanes[w] += value * value
    total = 0.0
    for i in range(whole, a.size):
        a[i] += alpha * c[i]
        b[i] = (b[i] - alpha * d[i]) * m[i]
        total += b[i] * b[i]
    return total + lanes.sum()

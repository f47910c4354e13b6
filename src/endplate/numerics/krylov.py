"""Preconditioned conjugate gradients in double precision over a preconditioner in single precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

Vector = Any
"""Three values a node, on the device; the processor keeps (3, N)."""

Rows = NDArray[np.floating]


class System(Protocol):
    """Stiffness, preconditioner and arithmetic of one device, in double precision."""

    def zeros(self) -> Vector:
        """A vector of zeros."""

    def clear(self, vector: Vector) -> None:
        """All zero."""

    def add(self, u: Vector, out: Vector, sign: float = 1.0) -> None:
        """out += sign * K u."""

    def cycle(self, r: Vector) -> Vector:
        """The preconditioner, in single precision, zero where fixed; overwritten by the next call."""

    def dot(self, a: Vector, b: Vector) -> float:
        """Inner product; `b` in either precision."""

    def turn(self, p: Vector, z: Vector, beta: float) -> None:
        """P = z + beta p."""

    def advance(self, x: Vector, r: Vector, p: Vector, q: Vector, alpha: float) -> float:
        """X += alpha p and r -= alpha q where free; the squared norm of the new residual."""


@dataclass(frozen=True, slots=True)
class Iterations:
    """How conjugate gradients went: iterations, final relative residual, residuals after each iteration."""

    count: int
    residual: float
    history: tuple[float, ...]


def conjugate_gradients(
    system: System,
    x: Vector,
    r: Vector,
    norm: float,
    target: float,
    most: int,
    callback: Callable[[float], None] | None = None,
) -> Iterations:
    """Solve for the correction of `x` that removes the residual `r` of a norm; both are changed in place.

    Parameters
    ----------
    target : residual norm to reach. most : iterations at most. callback : called after each with the residual's norm.
    """
    p, q = system.zeros(), system.zeros()
    history = [norm]
    rho = 1.0
    while norm > target and len(history) <= most:
        z = system.cycle(r)
        rho, before = system.dot(r, z), rho
        if not (np.isfinite(rho) and rho > 0):
            break
        system.turn(p, z, 0.0 if len(history) == 1 else rho / before)
        system.clear(q)
        system.add(p, q)
        curvature = system.dot(p, q)
        if not curvature > 0:
            break
        norm = float(np.sqrt(system.advance(x, r, p, q, rho / curvature)))
        history.append(norm)
        if callback is not None:
            callback(norm)
    return Iterations(len(history) - 1, norm, tuple(history))


class HostSystem:
    """A system on the processor; vectors are arrays (3, N).

    Parameters
    ----------
    add : (u, out, sign), out += sign * K u. cycle : r to z in single precision, zero where fixed. free : (3, N).
    """

    def __init__(
        self, add: Callable[[Rows, Rows, float], None], cycle: Callable[[Rows], Rows], free: NDArray[np.bool_]
    ) -> None:
        self._add, self._cycle, self.free = add, cycle, free

    def zeros(self) -> Rows:
        """A vector of zeros."""
        return np.zeros(self.free.shape)

    def clear(self, vector: Rows) -> None:
        """All zero."""
        vector.fill(0)

    def add(self, u: Rows, out: Rows, sign: float = 1.0) -> None:
        """out += sign * K u."""
        self._add(u, out, sign)

    def cycle(self, r: Rows) -> Rows:
        """The preconditioner."""
        return self._cycle(r)

    def dot(self, a: Rows, b: Rows) -> float:
        """Inner product."""
        return float(dot(a, b))

    def turn(self, p: Rows, z: Rows, beta: float) -> None:
        """P = z + beta p."""
        direction(p, z, beta)

    def advance(self, x: Rows, r: Rows, p: Rows, q: Rows, alpha: float) -> float:
        """X += alpha p and r -= alpha q where free; the squared norm of the new residual."""
        return float(step(x, r, p, q, self.free, alpha))


def masked_norm(r: NDArray[np.float64], free: NDArray[np.bool_]) -> float:
    """Zero `r` where it is not free and return its Euclidean norm."""
    np.multiply(r, free, out=r)
    return float(np.linalg.norm(r))


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def direction(p, z, beta):  # type: ignore[no-untyped-def]
    """P = z + beta p."""
    x, y = p.reshape(-1), z.reshape(-1)
    for i in range(x.size):
        x[i] = y[i] + beta * x[i]


@njit(cache=True, nogil=True)
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

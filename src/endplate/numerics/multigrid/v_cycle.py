"""One symmetric V-cycle with the fourth-kind Chebyshev smoother, on whatever device the levels live.

The recurrence (Lottes 2023) needs only the largest eigenvalue of D^-1 K, and its last residual update doubles as what
is handed down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Vector = Any
"""Three values a node, on the device; the processor keeps (3, N)."""

STEPS = (2, 3, 6)
"""Smoothing steps before and after, on the finest, second and all coarser levels; the last cost little."""

CORRECTING_STEPS = (2, 2, 4)
"""The same for `correct`: a fifth less work in a cycle for as many corrections of a yielding body."""


class GridLevel(Protocol):
    """What the cycle asks of a level, in single precision."""

    max_eigenvalue: float
    """Upper bound of the spectrum of D^-1 K."""

    def subtract(self, d: Vector, r: Vector) -> None:
        """R -= K d."""

    def smooth(self, x: Vector, r: Vector, d: Vector, keep: float, gain: float, carry: float = 0.0) -> None:
        """D = keep d + gain D^-1 r; x += d + carry times the d before."""


class GridTransfer(Protocol):
    """Between two levels, in single precision."""

    def restrict(self, fine: Vector, coarse: Vector) -> None:
        """coarse = P^T fine; `fine` may become zero where fixed."""

    def prolong(self, coarse: Vector, fine: Vector) -> None:
        """fine = P coarse, zero where fixed."""


class Bottom(Protocol):
    """The coarsest level."""

    def solve(self, b: Vector, x: Vector) -> None:
        """X = K^-1 b, zero where fixed."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A cycle's levels on one device.

    Attributes
    ----------
    levels : the finest first. transfers : below each level. bottom : the coarsest. work : (x, r, d) of each level and
    of the bottom. spare : two vectors of the second level. clear : sets a vector to zero. copy : target, source.
    join : adds a source to a target.
    """

    levels: Sequence[GridLevel]
    transfers: Sequence[GridTransfer]
    bottom: Bottom
    work: Sequence[tuple[Vector, Vector, Vector]]
    spare: tuple[Vector, Vector]
    clear: Callable[[Vector], None]
    copy: Callable[[Vector, Vector], None]
    join: Callable[[Vector, Vector], None]


def descend(h: Hierarchy, depth: int = 0, steps: Sequence[int] = STEPS) -> None:
    """Solve K x = r on a level approximately; x and r are the first two work vectors of `depth`, r is destroyed.

    `steps` : smoothing steps before and after, on the finest, second and all coarser levels.
    """
    x, r, d = h.work[depth]
    if depth == len(h.levels):
        h.bottom.solve(r, x)
        return
    level, transfer = h.levels[depth], h.transfers[depth]
    coarse_x, coarse_r, _ = h.work[depth + 1]
    sweeps = steps[min(depth, len(steps) - 1)]
    h.clear(x)
    for sweep in range(sweeps):
        _smooth(level, x, r, d, sweep, 0.0)
        level.subtract(d, r)
    transfer.restrict(r, coarse_r)
    descend(h, depth + 1, steps)
    transfer.prolong(coarse_x, d)
    for sweep in range(sweeps):
        level.subtract(d, r)
        _smooth(level, x, r, d, sweep, 1.0 if sweep == 0 else 0.0)  # the coarse correction joins x on the way


def correct(h: Hierarchy) -> None:
    """Solve K x = r of the finest level approximately by a lighter cycle, for the corrections of a yielding body.

    What the elastic stiffness does not know of the tangent decides how many of them are made, not how well it is
    inverted on coarse levels.
    """
    descend(h, 0, CORRECTING_STEPS)


GUESS_CYCLES = 2
"""Cycles of the second level that make a starting guess: each costs a third of an iteration, both spare two."""


def guess(h: Hierarchy) -> None:
    """Solve K x = r of the finest level on the second one alone; x, r are the first two work vectors, r is destroyed.

    Where a motion is prescribed, the first residual is a layer beside the support, and what follows from it is smooth:
    a start that the coarse grid finds cheaply.
    """
    x, r, _ = h.work[0]
    below = h.transfers[0]
    coarse_x, coarse_r, _ = h.work[1]
    right, found = h.spare
    below.restrict(r, right)
    h.clear(found)
    for cycle in range(GUESS_CYCLES):
        h.copy(coarse_r, right)
        if cycle and len(h.levels) > 1:
            h.levels[1].subtract(found, coarse_r)
        descend(h, 1)
        if len(h.levels) == 1:  # the second level is solved exactly
            h.copy(found, coarse_x)
            break
        h.join(found, coarse_x)
    below.prolong(found, x)


def _smooth(level: GridLevel, x: Vector, r: Vector, d: Vector, sweep: int, carry: float) -> None:
    """One step of the recurrence."""
    k = sweep + 1
    keep = 0.0 if sweep == 0 else (2 * k - 3) / (2 * k + 1)
    level.smooth(x, r, d, keep, (8 * k - 4) / ((2 * k + 1) * level.max_eigenvalue), carry)

"""Load-displacement curves of a yielding body pushed by prescribed displacements.

Every increment is an implicit Euler step: find the displacements whose stresses, returned to the yield surface, are in
equilibrium. The correction is one cycle of the elastic multigrid applied to the residual, mixed by Anderson's method;
since the elastic stiffness bounds the tangent from above, the plain iteration is already a contraction, and nothing but
the elastic hierarchy is ever set up. An increment that does not converge is halved; one that still does not ends the
curve, and the curve says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.anderson import Anderson
from endplate.numerics.krylov import dot
from endplate.numerics.plasticity.body import PlasticBody
from endplate.progress import Share

Precondition = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Nodal residual (N, 3) to an approximate elastic correction (N, 3), zero where displacement is prescribed."""

Resultant = Callable[[NDArray[np.float64]], float]
"""Nodal forces (N, 3) to the force to record, N."""

WORSE = 3.0
"""The past is forgotten when the residual grows beyond this multiple of the best one seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSettings:
    """How increments are solved.

    Parameters
    ----------
    tolerance : float, default 1e-2
        Residual of the free nodes over the reactions, both Euclidean norms.
    depth : int, default 10
        Corrections that Anderson's method remembers.
    max_iterations : int, default 60
        Corrections of an increment before it is halved.
    max_halvings : int, default 3
        Halvings of one increment before the curve ends.
    """

    tolerance: float = 1e-2
    depth: int = 10
    max_iterations: int = 60
    max_halvings: int = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadPath:
    """A load-displacement curve with how it was reached.

    Parameters
    ----------
    travel_mm : ndarray of float64, shape (n,)
        Travel at each point, from zero, mm.
    force_n : ndarray of float64, shape (n,)
        Force at each point, N.
    residual : ndarray of float64, shape (n,)
        Relative residual of each point.
    iterations : ndarray of int64, shape (n,)
        Corrections of each point.
    displacement_mm : ndarray of float64, shape (N, 3)
        Displacements at the last point, mm.
    corrections : int
        Corrections of all increments, failed ones included.
    converged : bool
        Whether every increment asked for was reached within tolerance.
    reason : str, optional
        Why the curve ends early, else empty.
    memory_bytes : int, optional
        Bytes of vectors and the remembered past.
    """

    travel_mm: NDArray[np.float64]
    force_n: NDArray[np.float64]
    residual: NDArray[np.float64]
    iterations: NDArray[np.int64]
    displacement_mm: NDArray[np.float64]
    corrections: int
    converged: bool
    reason: str = ""
    memory_bytes: int = 0


@dataclass(slots=True)
class _State:
    """The last point in equilibrium and the rate at which it was reached, (3, N)."""

    travel: float
    displacement: NDArray[np.float64]
    rate: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Point:
    """One point of the curve."""

    travel: float
    force: float
    residual: float
    iterations: int


class _Pusher:
    """What stays the same over all increments, and the count of corrections."""

    def __init__(
        self,
        body: PlasticBody,
        precondition: Precondition,
        fixed: NDArray[np.bool_],
        unit: NDArray[np.float64],
        settings: PathSettings,
        resultant: Resultant | None,
    ) -> None:
        self.body, self.precondition, self.settings = body, precondition, settings
        self.driven = np.flatnonzero(fixed.T)
        self.driving = unit.reshape(-1)[self.driven]
        self.resultant, self.corrections = resultant, 0
        self.anderson = Anderson(settings.depth)

    def to(self, travel: float, state: _State) -> tuple[NDArray[np.float64], _Point]:
        """Iterate to equilibrium from the extrapolated last state; rows of components, as the kernels hold them."""
        u = state.displacement + (travel - state.travel) * state.rate
        u.reshape(-1)[self.driven] = travel * self.driving
        self.anderson.restart()
        best = math.inf
        for count in range(self.settings.max_iterations + 1):
            force = np.ascontiguousarray(self.body.internal_force(u.T).T)
            relative = self._relative(force)
            if relative <= self.settings.tolerance or count == self.settings.max_iterations:
                break
            if relative > WORSE * best:
                self.anderson.restart()
            best = min(best, relative)
            force.reshape(-1)[self.driven] = 0.0
            u = self.anderson.next(u, self.precondition(np.negative(force, out=force).T).T)
            self.corrections += 1
        return u, _Point(travel, self._reading(force, u, travel, state), relative, count)

    def _reading(self, force: NDArray[np.float64], u: NDArray[np.float64], travel: float, state: _State) -> float:
        """The force at this point.

        By default the virtual work of all nodal forces on the body's own rate of motion: the rate equals the
        prescribed one on the driven nodes, so at equilibrium this is the work-conjugate reaction, and what residual is
        left enters only to second order, as the rate solves the tangent problem.
        """
        if self.resultant is not None:
            return self.resultant(force.T)
        return dot(force, u - state.displacement) / (travel - state.travel)

    def _relative(self, force: NDArray[np.float64]) -> float:
        """Norm of the forces on free nodes over that of the reactions."""
        reactions = force.reshape(-1)[self.driven]
        held = float(np.dot(reactions, reactions))
        return math.sqrt(max(dot(force, force) - held, 0.0) / held) if held else 0.0


def follow_path(
    body: PlasticBody,
    precondition: Precondition,
    fixed: NDArray[np.bool_],
    unit: NDArray[np.float64],
    travels_mm: Sequence[float] | NDArray[np.float64],
    settings: PathSettings | None = None,
    resultant: Resultant | None = None,
    progress: Share | None = None,
) -> LoadPath:
    """Push a body along a prescribed displacement and record the force.

    Parameters
    ----------
    body : PlasticBody
        The yielding voxels; its state is advanced.
    precondition : callable
        Approximate elastic solve: nodal residual (N, 3) in N to a correction (N, 3) in mm, such as
        `ElasticSolver.correct`, or `ElasticSolver.precondition`.
    fixed : ndarray of bool, shape (N, 3)
        Where displacement is prescribed.
    unit : ndarray of float64, shape (N, 3)
        Elastic displacements per mm of travel; where `fixed`, they are the prescribed ones.
    travels_mm : sequence of float
        Increasing positive travels to stop at, mm.
    settings : PathSettings, optional
        Tolerance and limits of the increments.
    resultant : callable, optional
        Nodal forces (N, 3) in N to the force to record, N; by default the work-conjugate of travel (for a plain
        compression, the force on the moving face).
    progress : callable, optional
        Called with the fraction done, 0 to 1.

    Returns
    -------
    LoadPath
        The curve from zero; it ends early, with a reason, where no equilibrium was found.
    """
    rows = np.ascontiguousarray(np.asarray(unit, dtype=np.float64).T)
    pusher = _Pusher(body, precondition, fixed, rows, settings or PathSettings(), resultant)
    state = _State(0.0, np.zeros_like(rows), rows)
    points = [_Point(0.0, 0.0, 0.0, 0)]
    waiting = [(float(t), 0) for t in reversed(travels_mm)]
    reason = ""
    while waiting and not reason:
        travel, halvings = waiting.pop()
        moved, point = pusher.to(travel, state)
        if point.residual <= pusher.settings.tolerance:
            body.commit(moved.T)
            state = _State(travel, moved, (moved - state.displacement) / (travel - state.travel))
            points.append(point)
            if progress:
                progress(travel / float(travels_mm[-1]))
        elif halvings < pusher.settings.max_halvings:
            waiting += [(travel, halvings + 1), (0.5 * (state.travel + travel), halvings + 1)]
        else:
            reason = f"no equilibrium at {travel:.3f} mm: residual {point.residual:.1e} after {point.iterations} steps"
    return _path(points, state, pusher, reason)


def _path(points: list[_Point], state: _State, pusher: _Pusher, reason: str) -> LoadPath:
    """The recorded points as arrays."""
    return LoadPath(
        travel_mm=np.array([p.travel for p in points]),
        force_n=np.array([p.force for p in points]),
        residual=np.array([p.residual for p in points]),
        iterations=np.array([p.iterations for p in points]),
        displacement_mm=state.displacement.T,
        corrections=pusher.corrections,
        converged=not reason,
        reason=reason,
        memory_bytes=pusher.anderson.nbytes + 4 * state.displacement.nbytes,
    )

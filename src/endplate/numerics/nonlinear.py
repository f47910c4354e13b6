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
from endplate.numerics.plastic_body import PlasticBody

Precondition = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Nodal residual (N, 3) to an approximate elastic correction (N, 3), zero where displacement is prescribed."""

WORSE = 3.0
"""The past is forgotten when the residual grows beyond this multiple of the best one seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSettings:
    """How increments are solved.

    Attributes
    ----------
    tolerance : residual of the free nodes over the reactions, both Euclidean norms.
    depth : corrections that Anderson's method remembers. most_iterations : per increment before it is halved.
    most_halvings : of one increment before the curve ends.
    """

    tolerance: float = 2e-3
    depth: int = 10
    most_iterations: int = 60
    most_halvings: int = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadPath:
    """A load-displacement curve with how it was reached.

    Attributes
    ----------
    travel_mm, force_n : (n,) from zero. residual, iterations : (n,) of each point.
    displacement_mm : (N, 3) at the last point. converged : every increment asked for was reached within tolerance.
    reason : why the curve ends early, else empty.
    """

    travel_mm: NDArray[np.float64]
    force_n: NDArray[np.float64]
    residual: NDArray[np.float64]
    iterations: NDArray[np.int64]
    displacement_mm: NDArray[np.float64]
    converged: bool
    reason: str = ""


@dataclass(slots=True)
class _State:
    """The last point in equilibrium and the rate at which it was reached."""

    travel: float
    displacement: NDArray[np.float64]
    rate: NDArray[np.float64]


def follow_path(
    body: PlasticBody,
    precondition: Precondition,
    fixed: NDArray[np.bool_],
    unit: NDArray[np.float64],
    travels_mm: Sequence[float],
    settings: PathSettings | None = None,
    progress: Callable[[float], None] | None = None,
) -> LoadPath:
    """Push a body along a prescribed displacement and record the force.

    Parameters
    ----------
    body : the yielding voxels; its state is advanced. precondition : approximate elastic solve.
    fixed : (N, 3) where displacement is prescribed. unit : (N, 3) elastic displacements per mm of travel; where
    `fixed`, they are the prescribed ones. travels_mm : increasing positive travels to stop at.
    progress : called with the fraction done.

    Returns
    -------
    LoadPath : the force is the work-conjugate of travel, reactions times the prescribed displacements per mm of travel.
    """
    settings = settings or PathSettings()
    state = _State(0.0, np.zeros_like(unit), unit)
    points: list[tuple[float, float, float, int]] = [(0.0, 0.0, 0.0, 0)]
    waiting = [(float(t), 0) for t in reversed(travels_mm)]
    reason = ""
    while waiting and not reason:
        travel, halvings = waiting.pop()
        moved, point = _increment(body, precondition, fixed, unit, state, travel, settings)
        if point[2] <= settings.tolerance:
            body.commit(moved)
            rate = (moved - state.displacement) / (travel - state.travel)
            state = _State(travel, moved, rate)
            points.append(point)
            if progress:
                progress(travel / travels_mm[-1])
        elif halvings < settings.most_halvings:
            waiting += [(travel, halvings + 1), (0.5 * (state.travel + travel), halvings + 1)]
        else:
            reason = f"no equilibrium at {travel:.3f} mm: residual {point[2]:.1e} after {point[3]} corrections"
    table = np.array(points)
    return LoadPath(
        travel_mm=table[:, 0],
        force_n=table[:, 1],
        residual=table[:, 2],
        iterations=table[:, 3].astype(np.int64),
        displacement_mm=state.displacement,
        converged=not reason,
        reason=reason,
    )


def _increment(
    body: PlasticBody,
    precondition: Precondition,
    fixed: NDArray[np.bool_],
    unit: NDArray[np.float64],
    state: _State,
    travel: float,
    settings: PathSettings,
) -> tuple[NDArray[np.float64], tuple[float, float, float, int]]:
    """Iterate to equilibrium from the extrapolated last state; the displacements and (travel, force, residual, count)."""
    u = state.displacement + (travel - state.travel) * state.rate
    u[fixed] = travel * unit[fixed]
    anderson = Anderson(settings.depth)
    best = math.inf
    for count in range(settings.most_iterations + 1):
        force = body.internal_force(u)
        reactions = force[fixed]
        residual = np.where(fixed, 0.0, -force)
        scale = float(np.linalg.norm(reactions))
        relative = float(np.linalg.norm(residual)) / scale if scale else 0.0
        if relative <= settings.tolerance or count == settings.most_iterations:
            break
        if relative > WORSE * best:
            anderson.restart()
        best = min(best, relative)
        u = anderson.next(u, precondition(residual))
    return u, (travel, float(np.vdot(reactions, unit[fixed])), relative, count)

"""What acts on the points during one step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Spring:
    """A spring shared out over points: it pulls each back to where it was anchored.

    Attributes
    ----------
    points : (m,) numbers of the points. stiffness_n_per_mm : (3,) of all points together along each axis.
    anchor_mm : (m, 3) where it is slack; where the points were at first when absent.
    """

    points: NDArray[np.int64]
    stiffness_n_per_mm: tuple[float, float, float]
    anchor_mm: NDArray[np.float64] | None = None

    def anchors(self, start_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """(m, 3) slack positions, given where all points started (n, 3)."""
        return start_mm[self.points] if self.anchor_mm is None else self.anchor_mm


@dataclass(frozen=True, slots=True, eq=False)
class PointForce:
    """A dead load shared out equally over points: numbers of the points (m,), total force (3,) N."""

    points: NDArray[np.int64]
    force_n: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Load:
    """What acts during one step; arrays over the padded box of nodes (`Engine.node_mm`).

    Attributes
    ----------
    held : (nx, ny, nz, 3) bool where a component of the motion is prescribed. move : (nx, ny, nz, 3) mm, its size in
    this step, zero where absent. force : (nx, ny, nz, 3) N dead loads.
    springs, traction : on points. volume_mm3 : target volume of each balloon; else pressure_mpa : of each balloon; else
    the balloons keep the pressure that they have.
    """

    constrained: NDArray[np.bool_] | None = None
    move: NDArray[np.float64] | None = None
    force: NDArray[np.float64] | None = None
    springs: tuple[Spring, ...] = ()
    traction: tuple[PointForce, ...] = ()
    volume_mm3: tuple[float, ...] | None = None
    pressure_mpa: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a step is solved.

    Attributes
    ----------
    tolerance : residual over the largest of reactions, loads and pressure forces (Euclidean norms).
    loose : multiple of the tolerance at which a step that ran out of iterations still counts, and is counted.
    volume_tolerance : of a balloon's volume, relative to its change in the step.
    depth : of Anderson's method. cycles : multigrid-preconditioned conjugate gradient iterations per correction.
    max_iterations : per step. refresh : iterations between renewals of the secant stiffness.
    void_mpa : stiffness that resists each step everywhere and remembers nothing: it anchors what floats.
    clip : largest change in one iteration, in voxels. max_move : largest move of a step, in voxels.
    min_secant : floor of the secant share. smoothing : of the balloon's vertices along its surface, per step.
    """

    tolerance: float = 0.02
    loose: float = 3.0
    volume_tolerance: float = 1e-3
    depth: int = 20
    cycles: int = 1
    max_iterations: int = 150
    refresh: int = 12
    void_mpa: float = 0.005
    clip: float = 0.3
    max_move: float = 2.0
    min_secant: float = 0.1
    smoothing: float = 0.3

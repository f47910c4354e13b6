"""What a step needs of the engine that takes it, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.mpm.balloon import Balloon
from endplate.numerics.mpm.domain import Domain
from endplate.numerics.mpm.foam import FoamLaw
from endplate.numerics.mpm.load import Settings
from endplate.numerics.mpm.particles import Particles
from endplate.numerics.mpm.springs import SpringModes

Double = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """An equilibrium: moves (N, 3) on the mesh's nodes, pressures, and what the books need.

    reaction : (N, 3) N of what is held. void : (N, 3) N with which the void resisted. work : of reactions and dead
    loads, N mm. scale : N that the residual was measured against. volume_change : (B,) mm3, and
    pressure_change : (B,) MPa of the step.
    """

    move: Double
    pressure: Double
    constrained: NDArray[np.bool_]
    reaction: Double
    void: Double
    work: float
    residual: float
    scale: float
    iterations: int
    largest_mm: float
    volume_change: Double
    pressure_change: Double


class EngineState(Protocol):
    """Points, law, balloons and the box of an engine, and what it keeps from step to step."""

    particles: Particles
    law: FoamLaw
    balloons: tuple[Balloon, ...]
    domain: Domain
    settings: Settings
    spacing_mm: float
    secant: Double
    modulus: Double
    last: Solution | None
    spring_modes: SpringModes | None
    greatest_force: float

    def internal_force(self, move: Double) -> Double:
        """(N, 3) N that the points exert on the nodes when these move by (N, 3) mm."""
        ...

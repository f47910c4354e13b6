"""One step of an engine under a load: the forces at an iterate, what they are measured against, where to begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.numerics.mpm.engine_state import EngineState, Solution
from endplate.numerics.mpm.foam import FOAM
from endplate.numerics.mpm.load import Load
from endplate.numerics.mpm.surface import Surface

Double = NDArray[np.float64]

MIN_SCALE = 0.02
"""Of the greatest force of the run: the scale of the residual never falls below it."""


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Nodal forces of a unit pressure in a balloon: `values` (k, 3) mm2 at `nodes` (k,); `free` (k, 3) ones count."""

    nodes: NDArray[np.int64]
    values: Double
    free: NDArray[np.bool_]

    def size(self) -> float:
        """Norm of the free components."""
        return float(norm_where(self.values, self.free))

    def on(self, move: Double) -> float:
        """What a move (N, 3) adds to the volume, mm3."""
        return float(np.einsum("ij,ij->", self.values, move[self.nodes]))

    def filled(self, count: int) -> Double:
        """All nodes (count, 3)."""
        out = np.zeros((count, 3))
        out[self.nodes] = self.values
        return out


@dataclass(slots=True, eq=False)
class Forces:
    """Forces at an iterate: all but reactions (N, 3), the pressure pattern of each balloon, volumes (B,)."""

    total: Double
    void: Double
    dead: Double
    patterns: list[Pattern]
    volume: Double


class Problem:
    """One step of an engine under a load."""

    def __init__(self, engine: EngineState, load: Load) -> None:
        self.engine, self.load, self.domain = engine, load, engine.domain
        count = self.domain.nodes.size
        self.constrained = np.repeat(self.domain.outer[:, None], 3, axis=1)
        self.move = np.zeros((count, 3))
        if load.constrained is not None:
            self.constrained = self.constrained | self.domain.of_box(load.constrained)
            if load.move is not None:
                self.move = np.where(self.constrained, self.domain.of_box(load.move), 0.0)
        self.free = ~self.constrained
        self.force = np.zeros((count, 3)) if load.force is None else self.domain.of_box(load.force).astype(np.float64)
        self.dead = self.force + self._tractions()
        self._dead_size = norm_where(self.dead, self.free)
        self.start_volume = np.array([b.volume() for b in engine.balloons])
        self.start_pressure = np.array([b.pressure_mpa for b in engine.balloons])
        self.target = None if load.volume_mm3 is None else np.asarray(load.volume_mm3, dtype=np.float64)
        touched, at = self.domain.touched, engine.particles.position
        self._walls = [touched(b.surface.vertices) for b in engine.balloons]
        self._tied = [(spring, touched(at[spring.points])) for spring in load.springs]

    def _tractions(self) -> Double:
        out = np.zeros((self.domain.grid.count, 3))
        for load in self.load.traction:
            at = self.engine.particles.position[load.points]
            self.domain.grid.sum(at, np.tile(np.asarray(load.force_n) / load.points.size, (at.shape[0], 1)), out)
        return np.asarray(out[self.domain.nodes])

    def _springs(self, move: Double, out: Double) -> None:
        for spring, nodes in self._tied:
            now = self.engine.particles.position[spring.points] + nodes.at(move)
            each = np.asarray(spring.stiffness_n_per_mm) / spring.points.size
            out[nodes.nodes] -= nodes.sum(each * (now - spring.anchors(self.engine.particles.start)))

    def forces(self, move: Double, pressure: Double) -> Forces:
        """All forces on the nodes at an iterate."""
        void = self.domain.void_force(move)
        total = self.engine.internal_force(move)
        total += void
        total += self.dead
        self._springs(move, total)
        patterns, volume = [], self.start_volume.copy()
        for b, (balloon, wall) in enumerate(zip(self.engine.balloons, self._walls, strict=True)):
            surface = balloon.surface
            there = Surface(surface.vertices + wall.at(move), surface.faces)
            volume[b] = there.volume()
            pattern = Pattern(wall.nodes, wall.sum(there.volume_gradient()), self.free[wall.nodes])
            patterns.append(pattern)
            total[wall.nodes] += wall.sum(balloon.membrane_forces(there.vertices)) + pressure[b] * pattern.values
        return Forces(total, void, self.dead, patterns, volume)

    def scale(self, now: Forces, pressure: Double) -> float:
        """What the residual is measured against, N."""
        pushed = [abs(float(p)) * g.size() for p, g in zip(pressure, now.patterns, strict=True)]
        reactions = norm_where(now.total, self.constrained)
        return float(max(reactions, self._dead_size, MIN_SCALE * self.engine.greatest_force, *pushed, 1e-30))

    def stiffen(self) -> None:
        """Renew the stiffness from the secants of the last evaluation."""
        engine = self.engine
        share = np.maximum(engine.secant, engine.settings.min_secant)
        weight = engine.particles.volume * engine.modulus * share
        weight[engine.particles.kind == FOAM] *= (1 + 2 * engine.law.across**2) / 3
        self.domain.stiffen(self.constrained, engine.particles.position, weight, engine.law.poisson)

    def first_guess(self) -> Double:
        """The last step over again where the new one goes the same way, with the prescribed moves."""
        last = self.engine.last
        move = np.zeros_like(self.move)
        if last is not None and last.move.shape == move.shape:
            move = float(np.clip(self._repeat(last), 0, 2)) * last.move
        return np.where(self.constrained, self.move, move)

    def largest_move(self, move: Double) -> float:
        """Largest component of the move of any point or balloon vertex, mm."""
        grid = self.domain.grid
        box = self.domain.boxed(move)
        moved = [grid.at(self.engine.particles.position, box)]
        moved += [grid.at(b.surface.vertices, box) for b in self.engine.balloons]
        return max(float(np.abs(m).max()) for m in moved)

    def _repeat(self, last: Solution) -> float:
        """How many times the last step this one is."""
        if self.target is not None:
            by, before = self.target - self.start_volume, last.volume_change
        elif self.load.move is not None:
            by, before = self.move[self.constrained], last.move[self.constrained]
        elif self.load.pressure_mpa is not None:
            by, before = np.asarray(self.load.pressure_mpa) - self.start_pressure, last.pressure_change
        else:
            return 0.0
        square = float(np.vdot(before, before))
        return float(np.vdot(by, before)) / square if square > 0 else 0.0

    def lacking(self, now: Forces) -> Double:
        """(B,) mm3 that the balloons lack."""
        return np.zeros(0) if self.target is None else self.target - now.volume


@njit(cache=True)
def norm_where(values, mask):  # type: ignore[no-untyped-def]
    """Euclidean norm of the entries of (N, 3) where a mask (N, 3) is true; a library's would wake threads for it."""
    total = 0.0
    for i in range(values.shape[0]):
        for c in range(values.shape[1]):
            if mask[i, c]:
                total += values[i, c] ** 2
    return np.sqrt(total)

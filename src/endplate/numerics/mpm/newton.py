"""The equilibrium of one step: modified Newton with the voxel multigrid, mixed by Anderson's method.

Unknowns are the moves of the nodes and, under volume control, the pressures of the balloons. A correction is the
elastic answer to the residual, plus as much of the answer to a unit pressure as the volumes still lack, so that every
iterate has the volume asked for to first order.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from endplate.errors import SolverError
from endplate.numerics.anderson import Anderson
from endplate.numerics.mpm.engine_state import EngineState, Solution
from endplate.numerics.mpm.load import Load
from endplate.numerics.mpm.problem import Forces, Problem, norm_where
from endplate.numerics.mpm.springs import SpringModes

Double = NDArray[np.float64]

WORSE = 6.0
"""Beyond this multiple of the best residual the search goes back to where that was, and takes half the correction."""

STALLED = 30
"""Iterations without a better residual after which one that is good enough to count is taken."""

BETTER = 0.9
"""Of the best residual so far: what counts as a better one for that."""

VOLUME_ROUNDING = 1e-5
"""Of a balloon that is held at its volume: what the last correction then removes."""


class MoveTooFarError(SolverError):
    """The equilibrium found lies farther away than one step may go: `largest_mm` beyond `max_mm`."""

    def __init__(self, largest_mm: float, max_mm: float) -> None:
        self.largest_mm = largest_mm
        super().__init__(
            f"a step moves bone by {largest_mm:.2f} mm", f"more than {max_mm:.2f} mm", "take smaller steps"
        )


def solve_step(engine: EngineState, load: Load) -> Solution:
    """Find the equilibrium of one step.

    Raises
    ------
    SolverError : none was found within the iterations, or the moves are too large for one step.
    """
    problem, settings = Problem(engine, load), engine.settings
    max_mm = settings.max_move * engine.spacing_mm
    pressure = _start_pressure(problem)
    move = problem.first_guess()
    search = _Search(problem)
    for count in range(settings.max_iterations + 1):
        now = problem.forces(move, pressure)
        residual, scale = search.residual(now, pressure)
        fine = search.volumes_fit(now)
        enough = settings.loose * settings.tolerance if search.stalled(count, residual) else settings.tolerance
        if (residual <= enough and fine) or count == settings.max_iterations:
            break
        move, pressure = search.next(count, move, pressure, now, residual)
        if not np.isfinite(move).all():
            break
    if not (residual <= settings.loose * settings.tolerance and fine and np.isfinite(move).all()):
        raise SolverError(
            f"the large-strain solver found no equilibrium: residual {residual:.1e} after {count} iterations",
            "the step may be too large, or the body has come apart",
            "the last good state is kept; take smaller steps",
        )
    move = search.fit_volumes(move, now)
    largest = problem.largest_move(move)
    if largest > max_mm:
        raise MoveTooFarError(largest, max_mm)
    return _solution(problem, move, pressure, now, residual, scale, count, largest)


def _start_pressure(problem: Problem) -> Double:
    load = problem.load
    if load.volume_mm3 is None and load.pressure_mpa is not None:
        return np.asarray(load.pressure_mpa, dtype=np.float64)
    return problem.start_pressure


def _spring_modes(problem: Problem) -> SpringModes:
    """Those of the last steps as long as they serve."""
    engine, springs = problem.engine, problem.load.springs
    if engine.spring_modes is None or not engine.spring_modes.serve(problem.domain, springs, problem.free):
        engine.spring_modes = SpringModes(problem.domain, springs, engine.particles.position, problem.free)
    engine.spring_modes.steps += 1
    return engine.spring_modes


class _Search:
    """The iteration: preconditioner, mixing, clipping."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.settings = problem, problem.engine.settings
        self.anderson = Anderson(self.settings.depth)
        self.best, self.share = math.inf, 1.0
        self.kept: tuple[Double, Double, Double, Double] | None = None
        self.milestone, self.since = math.inf, 0
        self.answers: Double = np.zeros(0)
        self.weights: Double = np.zeros(0)
        self.springs = _spring_modes(problem)

    def residual(self, now: Forces, pressure: Double) -> tuple[float, float]:
        """Relative residual of the free components, and its scale."""
        scale = self.problem.scale(now, pressure)
        return norm_where(now.total, self.problem.free) / scale, scale

    def volumes_fit(self, now: Forces) -> bool:
        """Whether every balloon has the volume asked for."""
        lack = self.problem.lacking(now)
        if not lack.size:
            return True
        by = np.abs(np.asarray(self.problem.target) - self.problem.start_volume)
        held = VOLUME_ROUNDING * self.problem.start_volume
        return bool((np.abs(lack) <= self.settings.volume_tolerance * by + held).all())

    def stalled(self, count: int, residual: float) -> bool:
        """Whether the residual has not become clearly better for some time."""
        # the first residual knows nothing of the volumes asked for
        if count <= 1 or residual < BETTER * self.milestone:
            self.milestone, self.since = residual, count
        return count - self.since >= STALLED

    def next(self, count: int, move: Double, pressure: Double, now: Forces, residual: float) -> tuple[Double, Double]:
        """The next iterate."""
        settings, problem = self.settings, self.problem
        if count <= 1 or count % settings.refresh == 0:
            problem.stiffen()
            self.springs.ask(lambda pattern: problem.domain.solve(pattern, 2 * settings.cycles))
            self._answer_pressures(now)
        if self.kept is not None and residual > WORSE * self.best:
            return self._back(*self.kept)
        change = self._answer(now.total, settings.cycles)
        extra, filling = self._pressures(change, now)
        if extra.size:
            change = change + np.tensordot(filling, self.answers, axes=1)
        if count and residual < self.best:
            self.best, self.kept, self.share = residual, (move, pressure, change, extra), 1.0
        return self._mixed(move, pressure, change, extra)

    def _back(self, move: Double, pressure: Double, change: Double, extra: Double) -> tuple[Double, Double]:
        """From the best iterate with half the correction of the last time; the past is forgotten."""
        self.anderson.restart()
        self.share *= 0.5
        return move + self.share * change, pressure + self.share * extra if extra.size else pressure

    def _answer(self, force: Double, cycles: int) -> Double:
        """Moves (N, 3) with which the elastic body and its springs answer nodal forces (N, 3)."""
        free = np.where(self.problem.free, force, 0.0)
        return self.springs.correct(self.problem.domain.solve(free, cycles))

    def _answer_pressures(self, now: Forces) -> None:
        """Answers (B, N, 3) of the elastic body to a unit pressure in each balloon."""
        if self.problem.target is None:
            return
        count, cycles = self.problem.domain.nodes.size, 2 * self.settings.cycles
        self.answers = np.array([self._answer(g.filled(count), cycles) for g in now.patterns])
        if not self.weights.size:
            # the scale of the pressures among the unknowns stays, or what is remembered would not fit together
            self.weights = np.sqrt(np.einsum("bij,bij->b", self.answers, self.answers))

    def _pressures(self, change: Double, now: Forces) -> tuple[Double, Double]:
        """Changes (B,) of pressure that undo what `change` does to the volumes, and that also fill what they lack.

        Only the first belong to the equilibrium: where much is lacking, elastic bone would ask for far more than the
        bone that yields.
        """
        lack = self.problem.lacking(now)
        if not lack.size:
            return lack, lack
        gained = np.array([pattern.on(change) for pattern in now.patterns])
        gain = self._gain(now)
        balance, fill = np.linalg.solve(gain, np.column_stack([-gained, lack])).T
        return balance, balance + fill

    def _mixed(self, move: Double, pressure: Double, change: Double, extra: Double) -> tuple[Double, Double]:
        """Anderson's mixture of all corrections so far, clipped."""
        most = self.settings.clip * self.problem.engine.spacing_mm
        if not extra.size:
            out, now, by = self.anderson.next(move.reshape(-1), change.reshape(-1)), move.reshape(-1), 0
        else:
            now = np.concatenate([move.reshape(-1), pressure * self.weights])
            out = self.anderson.next(now, np.concatenate([change.reshape(-1), extra * self.weights]))
            by = extra.size
        update = out - now
        largest = float(np.abs(update[: update.size - by]).max())
        if largest > most:
            out = now + update * (most / largest)
        if not by:
            return out.reshape(move.shape), pressure
        return out[:-by].reshape(move.shape), out[-by:] / self.weights

    def fit_volumes(self, move: Double, now: Forces) -> Double:
        """Remove the little that the volumes lack."""
        lack = self.problem.lacking(now)
        if not lack.size or not self.answers.size:
            return move
        return move + np.tensordot(np.linalg.solve(self._gain(now), lack), self.answers, axes=1)

    def _gain(self, now: Forces) -> Double:
        """(B, B) mm3 that the answer to a unit pressure in one balloon adds to another."""
        return np.array([[pattern.on(answer) for answer in self.answers] for pattern in now.patterns])


def _solution(
    problem: Problem, move: Double, pressure: Double, now: Forces, residual: float, scale: float, count: int,
    largest: float,
) -> Solution:  # fmt: skip
    """Gather what the engine needs to advance."""
    reaction = np.where(problem.constrained, -now.total, 0.0)
    work = float(np.vdot(problem.dead, move))
    if problem.load.move is not None:
        at_start = problem.engine.internal_force(np.zeros_like(move))
        work += 0.5 * float(np.vdot(reaction - np.where(problem.constrained, at_start, 0.0), move))
    return Solution(
        move=move, pressure=pressure, constrained=problem.constrained, reaction=reaction, void=now.void, work=work,
        residual=residual, scale=scale, iterations=count, largest_mm=largest,
        volume_change=now.volume - problem.start_volume, pressure_change=pressure - problem.start_pressure,
    )  # fmt: skip

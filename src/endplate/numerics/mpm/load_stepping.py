"""Series of steps that do something: inflate, deflate, push, release; steps that fail are halved."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.load import Load
from endplate.numerics.mpm.newton import MoveTooFarError
from endplate.progress import Share

LoadAt = Callable[[float, float], Load]
"""The load that takes the engine from one place on its path to the next."""

MAX_HALVINGS = 5
"""Of one step: 1/32 of a step that still fails means that there is no equilibrium."""

GIVES_WAY = 0.9
"""Of the move of the step that failed before: where half of it moves bone by more, the body gives way."""

STEP_FACTOR = 0.2
"""Voxels that a balloon's wall moves in one step, on average."""

DEFLATION = (0.75, 0.5, 0.25, 0.1, 0.0)
"""Shares of the peak pressure on the way down."""

DEFLATION_ITERATIONS = 60
"""At the end of a deflation bone holds itself by little: equilibrium takes longer to find."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadHistory:
    """What happened along a series of steps.

    Attributes
    ----------
    volume_mm3, pressure_mpa : (n, B) of each balloon, before the first step and after each. reaction_n : (n, 3).
    steps : taken. loose : of them above the tolerance. converged : the end was reached. stop : why it ended.
    """

    volume_mm3: NDArray[np.float64]
    pressure_mpa: NDArray[np.float64]
    reaction_n: NDArray[np.float64]
    steps: int
    loose: int
    converged: bool
    stop: str


class _Diary:
    """Notes down every step of an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.loose = engine.energy_balance.loose_steps
        self.rows: list[tuple[list[float], list[float], NDArray[np.float64]]] = []
        self.note(np.zeros(3))

    def note(self, reaction: NDArray[np.float64]) -> None:
        balloons = self.engine.balloons
        self.rows.append(([b.volume() for b in balloons], [b.pressure_mpa for b in balloons], reaction))

    def course(self, converged: bool, stop: str) -> LoadHistory:
        return LoadHistory(
            volume_mm3=np.array([r[0] for r in self.rows]),
            pressure_mpa=np.array([r[1] for r in self.rows]),
            reaction_n=np.array([r[2] for r in self.rows]),
            steps=len(self.rows) - 1,
            loose=self.engine.energy_balance.loose_steps - self.loose,
            converged=converged,
            stop=stop,
        )


def _reach(engine: Engine, load_at: LoadAt, start: float, end: float, diary: _Diary, most: int = MAX_HALVINGS) -> None:
    """Go from one place on the path to another, halving what fails.

    What moves as far in half a step is a body that gives way, and smaller steps do not help it.
    """
    waiting = [(end, 0)]
    here, far_mm = start, math.inf
    while waiting:
        there, halvings = waiting.pop()
        try:
            step = engine.step(load_at(here, there))
        except SolverError as error:
            went_mm = error.largest_mm if isinstance(error, MoveTooFarError) else math.inf
            if halvings == most or (went_mm < math.inf and went_mm > GIVES_WAY * far_mm):
                raise
            far_mm = went_mm
            engine.last = None  # the next try starts from rest
            waiting += [(there, halvings + 1), (0.5 * (here + there), halvings + 1)]
            continue
        diary.note(step.reaction_n)
        here, far_mm = there, math.inf


def march(
    engine: Engine,
    load_at: LoadAt,
    stops: Sequence[float],
    *,
    strict: bool = False,
    progress: Share | None = None,
    halvings: int = MAX_HALVINGS,
) -> LoadHistory:
    """Step along a path with a parameter that starts at 0.

    Parameters
    ----------
    load_at : (from, to) -> the load of that step. stops : increasing ends of steps. strict : raise on failure.
    progress : called with the fraction done. halvings : of a step that fails, before it is given up.

    Raises
    ------
    SolverError : with `strict`, when a step still fails after halvings; the engine keeps the last good state.
    """
    diary, here = _Diary(engine), 0.0
    for stop in stops:
        try:
            _reach(engine, load_at, here, stop, diary, halvings)
        except SolverError as error:
            if strict:
                raise
            return diary.course(False, str(error))
        here = stop
        if progress:
            progress(stop / stops[-1])
    return diary.course(True, "end")


def inflate(
    engine: Engine,
    load: Load,
    to_mm3: Sequence[float],
    *,
    step_factor: float = STEP_FACTOR,
    strict: bool = False,
    progress: Share | None = None,
    until: Callable[[Engine], str] | None = None,
) -> LoadHistory:
    """Fill all balloons at the same time to their volumes, within the limits of volume and pressure that they have.

    Parameters
    ----------
    load : what acts besides. to_mm3 : volume of each balloon at the end. step_factor : voxels that walls move per step.
    until : asked after every step; a word for a reason to stop, empty to go on.

    Returns
    -------
    The course; `stop` is "volume", "pressure", the word of `until`, or why no equilibrium was found.

    Raises
    ------
    SolverError : with `strict`, as for `march`.
    """
    diary = _Diary(engine)
    goal = np.minimum(np.asarray(to_mm3, dtype=np.float64), [b.max_mm3 for b in engine.balloons])
    first = np.array([b.volume() for b in engine.balloons])
    while True:
        volume = np.array([b.volume() for b in engine.balloons])
        share = _share_of_way(engine, volume, goal, step_factor)
        if share is None:
            return diary.course(True, "volume")

        def load_at(here: float, there: float, start: NDArray[np.float64] = volume) -> Load:
            return replace(load, volume_mm3=tuple(start + there * (goal - start)), pressure_mpa=None)

        try:
            _reach(engine, load_at, 0.0, share, diary)
        except SolverError as error:
            if strict:
                raise
            return diary.course(False, str(error))
        if progress:
            progress(float(np.max((volume - first) / np.maximum(goal - first, 1e-9))))
        if any(b.pressure_mpa >= b.max_mpa for b in engine.balloons):
            return diary.course(True, "pressure")
        if until and (word := until(engine)):
            return diary.course(True, word)


def _share_of_way(
    engine: Engine, volume: NDArray[np.float64], goal: NDArray[np.float64], step_factor: float
) -> float | None:
    """How much of the way to the goal the next step goes; None at the goal."""
    area = np.array([b.surface.area() for b in engine.balloons])
    lack = goal - volume
    if (lack <= 1e-5 * np.maximum(goal, 1)).all():
        return None
    # whole equal steps for what is left, so that none is tiny
    steps = max(1, math.ceil(float(np.max(lack / area)) / (step_factor * engine.spacing_mm)))
    return min(1.0, step_factor * engine.spacing_mm / float(np.max(lack / area))) if steps > 2 else 1.0 / steps


def deflate(
    engine: Engine,
    load: Load,
    fractions: Sequence[float] = DEFLATION,
    *,
    strict: bool = False,
    progress: Share | None = None,
    halvings: int = MAX_HALVINGS,
) -> LoadHistory:
    """Lower the pressure of all balloons to shares of what it is, under the same load.

    Raises
    ------
    SolverError : with `strict`, as for `march`.
    """
    peak = np.array([b.pressure_mpa for b in engine.balloons])

    def load_at(here: float, there: float) -> Load:
        return replace(load, volume_mm3=None, pressure_mpa=tuple(peak * (1 - there)))

    usual = engine.settings
    engine.settings = replace(usual, max_iterations=max(usual.max_iterations, DEFLATION_ITERATIONS))
    try:
        return march(engine, load_at, [1 - f for f in fractions], strict=strict, progress=progress, halvings=halvings)
    finally:
        engine.settings = usual


def push(
    engine: Engine,
    load: Load,
    steps: int,
    *,
    strict: bool = False,
    progress: Share | None = None,
) -> LoadHistory:
    """Prescribe the motion of the held nodes in equal steps: `load.move` is that of all steps together.

    The held nodes are those of the grid, through which the material moves: give nodes that stay in it.

    Raises
    ------
    SolverError : with `strict`, as for `march`.
    ValueError : the load moves nothing.
    """
    if load.constrained is None or load.move is None:
        raise ValueError("a push needs held nodes and their motion")
    total = load.move

    def load_at(here: float, there: float) -> Load:
        return replace(load, move=total * (there - here))

    return march(engine, load_at, [(i + 1) / steps for i in range(steps)], strict=strict, progress=progress)


def release(
    engine: Engine,
    released: NDArray[np.bool_],
    load: Load,
    steps: int = 7,
    *,
    strict: bool = False,
    progress: Share | None = None,
    halvings: int = MAX_HALVINGS,
) -> LoadHistory:
    """Let go of held nodes: their reaction of the last step takes their place and is lowered to zero.

    Parameters
    ----------
    released : (nx, ny, nz, 3) components that were held in the last step. load : what goes on acting. halvings : as for
    `march`.

    Raises
    ------
    SolverError : with `strict`, as for `march`.
    """
    force = engine.reactions() * released
    other = np.zeros_like(force) if load.force is None else load.force

    def load_at(here: float, there: float) -> Load:
        return replace(load, force=other + (1 - there) * force)

    stops = [(i + 1) / steps for i in range(steps)]
    return march(engine, load_at, stops, strict=strict, progress=progress, halvings=halvings)

"""Slow motion: a body that gives way creeps to its new equilibrium instead of being asked for it at once.

Broken bone that is pulled open lets go layer by layer: a small change of load moves much of it far, and no small step
of the load leads there. So the load changes while everything is slowed down, and then what slows it is taken away by
steps. What is left at the end is the equilibrium under the load itself. Finite elements know it as automatic
stabilisation by viscous forces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from endplate.cited import cited, cited_table
from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Engine
from endplate.repair.kyphoplasty.on_the_way import on_the_way

SLOWED_MPA = cited(
    0.5,
    "MPa",
    "Own measurement: stiffness with which the void resists each step meanwhile; with 0.2 and with other steps the "
    "front of the same body comes to rest within 0.03 mm of the same place",
    "design",
)
FREED = cited_table(
    "creep.share",
    "1",
    "Own choice: shares of it on the way back to none, about 2.5 apart",
    "design",
    {f"step {place + 1}": share for place, share in enumerate((0.4, 0.16, 0.06, 0.02))},
)
TRIES = cited(2, "1", "Own choice: times that a step which finds no equilibrium is halved", "design")


@contextmanager
def slow_motion(engine: Engine) -> Iterator[None]:
    """Slow down all that moves meanwhile."""
    engine.damp(float(SLOWED_MPA))
    try:
        with on_the_way(engine, shown=False):
            yield
    finally:
        engine.damp()


def creep(engine: Engine, settle: Callable[[], object]) -> None:
    """Find the equilibrium under a changed load by way of slow motion.

    Parameters
    ----------
    settle : takes one step under the load as it now is.

    Raises
    ------
    SolverError : no equilibrium was found; the engine is no longer slowed, and where it last was.
    """
    try:
        with on_the_way(engine, shown=False):
            before = 1.0
            for share in FREED.values():
                _freed_to(engine, settle, before, share, int(TRIES))
                before = share
    finally:
        engine.damp()
    settle()


def _freed_to(engine: Engine, settle: Callable[[], object], before: float, share: float, tries: int) -> None:
    """Take a step with a share of the damping; one that fails goes by way of half of it."""
    engine.damp(share * float(SLOWED_MPA))
    try:
        settle()
    except SolverError:
        if not tries or share >= before:
            raise
        between = math.sqrt(share * before)
        _freed_to(engine, settle, before, between, tries - 1)
        _freed_to(engine, settle, between, share, tries - 1)

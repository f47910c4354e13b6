"""The way down: gaps that the lift opened carry nothing until they are closed, and the balloon is emptied."""

from __future__ import annotations

import math
from dataclasses import replace

from endplate.cited import cited, cited_table
from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.foam import FoamLaw
from endplate.numerics.mpm.load import Load
from endplate.numerics.mpm.load_stepping import deflate
from endplate.progress import Share
from endplate.repair.kyphoplasty.on_the_way import on_the_way
from endplate.repair.site.crush_law import GAP_FLOOR, with_gaps

FLOORS = cited_table(
    "gap.floor",
    "1",
    "Own measurement: what open gaps carry, lowered by steps while the balloons hold their volume; twice as many steps "
    "leave a front 0.03 mm lower",
    "design",
    {"first": 0.4, "second": 0.15, "third": 0.03, "last": float(GAP_FLOOR)},
)
SHALLOWER = ("third", "second")
"""How far gaps let go where the way down finds no equilibrium with what they came to."""
DOWN = cited_table(
    "gap.pressure",
    "1",
    "Own choice: shares of the peak pressure on the way down, finer than without gaps as fragments fall back",
    "design",
    {f"step {place + 1}": share for place, share in enumerate((0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1, 0.05, 0.0))},
)
HALVINGS = cited(2, "1", "Own choice: what fails at a quarter of its size fails", "design")
"""Of a step with gaps; trying on would cost more than the whole way up."""
WITHOUT_GAPS = "gaps that the lift opened were taken to carry load: with them no equilibrium was found"
STIFFER = "gaps that the lift opened were taken to carry {:.0%} of the strength: with less no equilibrium was found"


def let_down(engine: Engine, load: Load, held: Load, progress: Share) -> tuple[str, str]:
    """Empty the balloons under a load.

    Parameters
    ----------
    load : what acts besides. held : the same with the volumes that the balloons have.

    Returns
    -------
    What found no equilibrium, and what is to be said; both empty where all went well.
    """
    usual, full = engine.law, engine.save()
    # the way down is the same whether or not anyone looked beyond a wall before
    engine.spring_modes = None
    reached = _let_go(engine, usual, held)
    for deepest in (reached, *(FLOORS[name] for name in SHALLOWER if FLOORS[name] > reached)):
        if deepest >= 1:
            break
        if deepest > reached:
            engine.restore(full)
            full = engine.save()
            _let_go(engine, usual, held, deepest)
        if _empty(engine, load, progress):
            return "", "" if deepest <= float(GAP_FLOOR) else STIFFER.format(deepest)
    engine.restore(full)
    engine.follow(usual)
    went = deflate(engine, load, progress=progress)
    return "" if went.converged else went.stop, WITHOUT_GAPS


def _empty(engine: Engine, load: Load, progress: Share) -> bool:
    """Lower the pressure to nothing; whether the body finds its equilibrium at the end of it."""
    with on_the_way(engine, shown=False):
        went = deflate(engine, load, tuple(DOWN.values()), progress=progress, halvings=int(HALVINGS))
    return went.converged and _finds(engine, replace(load, volume_mm3=None, pressure_mpa=(0.0,) * len(engine.balloons)))


def _let_go(engine: Engine, usual: FoamLaw, held: Load, deepest: float = 0.0) -> float:
    """Let the gaps go by steps while the balloons hold their volume; what they still carry where no step helps on."""
    now = 1.0
    for floor in (share for share in FLOORS.values() if share >= deepest):
        if not _holds(engine, with_gaps(usual, floor), held):
            half = math.sqrt(now * floor)
            if not _holds(engine, with_gaps(usual, half), held):
                break
            now = half
            if not _holds(engine, with_gaps(usual, floor), held):
                break
        now = floor
    engine.follow(with_gaps(usual, now) if now < 1 else usual)
    return now


def _holds(engine: Engine, law: FoamLaw, held: Load) -> bool:
    """Whether the body finds its equilibrium by another law while the balloons hold their volume."""
    engine.follow(law)
    with on_the_way(engine, shown=False):
        return _finds(engine, held)


def _finds(engine: Engine, load: Load) -> bool:
    """Whether one step finds the equilibrium under a load."""
    try:
        engine.step(load)
    except SolverError:
        return False
    return True

"""The way down: gaps that the lift opened carry nothing until they are closed, and the balloon is emptied."""

from __future__ import annotations

from endplate.cited import cited
from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.foam import FoamLaw
from endplate.numerics.mpm.load import Load
from endplate.numerics.mpm.load_stepping import deflate
from endplate.progress import Share
from endplate.repair.site.crush_law import GAP_FLOOR, with_gaps

FLOORS = tuple(
    float(cited(share, "1", "Own choice: gaps let go by steps while the balloons hold their volume", "design"))
    for share in (0.6, 0.3, 0.15, 0.07, 0.03, 0.012, GAP_FLOOR)
)
DEEPEST = (FLOORS[-1], FLOORS[-3], FLOORS[-5])
"""How far gaps let go, tried in this order until an equilibrium is found all the way down."""
DOWN = (0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1, 0.05, 0.0)
"""Shares of the peak pressure on the way down: finer steps than without gaps, as fragments fall back."""
HALVINGS = 2
"""Of a step with gaps: what fails at a quarter of its size fails, and trying on costs more than the whole way up."""
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
    usual = engine.law
    for deepest in DEEPEST:
        full = engine.save()
        if _with_gaps(engine, usual, load, held, deepest, progress):
            return "", "" if deepest == DEEPEST[0] else STIFFER.format(deepest)
        engine.restore(full)
    engine.follow(usual)
    went = deflate(engine, load, progress=progress)
    return "" if went.converged else went.stop, WITHOUT_GAPS


def _with_gaps(engine: Engine, usual: FoamLaw, load: Load, held: Load, deepest: float, progress: Share) -> bool:
    """Let the gaps go, then the pressure; whether all of it found its equilibrium."""
    try:
        for floor in (share for share in FLOORS if share >= deepest):
            engine.follow(with_gaps(usual, floor))
            engine.step(held)
    except SolverError:
        return False
    return deflate(engine, load, DOWN, progress=progress, halvings=HALVINGS).converged

"""What the body loses when its patient stands: the load of standing on the scanned, lying body, and back again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from endplate.cited import cited
from endplate.errors import SolverError
from endplate.numerics.mpm.load import Load, PointForce, Spring
from endplate.repair.kyphoplasty.height_gain import BodyHeights
from endplate.repair.kyphoplasty.posture import Pressed

STEPS = cited(4, "1", "Own choice: the added load in quarters, so that crushed bone follows", "design")


def stood_up(run: Pressed, preload_n: float, standing_n: float) -> tuple[BodyHeights | None, str]:
    """Heights under the load of standing, with the body then put back to what it was.

    Standing weighs by gravity and muscles, a dead load: the neighbours hold nothing back along the axis. They are not
    bent forward, which is not known; what a stoop takes in front comes on top.

    Returns
    -------
    None and the reason where the body does not carry the load.
    """
    if standing_n <= preload_n:
        return run.shape(), ""
    saved, usual = run.engine.save(), run.model
    loads = np.linspace(preload_n, standing_n, int(STEPS) + 1)[1:]
    reached = preload_n
    try:
        for load in loads:
            run.model = replace(usual, load=_under(usual.load, float(load)))
            run.settle()
            reached = float(load)
        return run.shape(), ""
    except SolverError:
        return None, f"the broken body carries {reached:.0f} of the {standing_n:.0f} N of standing in the model"
    finally:
        run.model = usual
        run.engine.restore(saved)


def _under(load: Load, force_n: float) -> Load:
    """The load with another weight on the plate, and springs that only keep it in line."""
    points = load.springs[0].points
    springs = tuple(
        Spring(one.points, (one.stiffness_n_per_mm[0], one.stiffness_n_per_mm[1], 0.0), one.anchor_mm)
        for one in load.springs
    )
    return replace(load, springs=springs, traction=(PointForce(points, (0.0, 0.0, -force_n)),))

"""Posture on the table: the neighbours are extended about the back of the body, and the supports follow."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import numpy as np

from endplate.cited import cited
from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.load import Load, Spring
from endplate.repair.kyphoplasty.body_model import BodyModel
from endplate.repair.kyphoplasty.creep import creep, slow_motion
from endplate.repair.kyphoplasty.height_gain import BodyHeights
from endplate.repair.kyphoplasty.stop_rules import CAUTION, Rises

EXTENSION_DEG = cited(
    8.0,
    "deg",
    "prone with bolsters: about a third of the 12 degrees of flexion and extension of T11-L2 is extension, in the "
    "segment above and in that below",
    "knowledge",
    cite="white_panjabi_1990",
)
STEP_DEG = cited(2.0, "deg", "Own choice: lifts the front by a millimetre in slow motion", "design")
MIN_DEG = cited(1.0, "deg", "Own choice: how closely the angle is told where not all of it is reached", "design")
ENDED = "extension ended at {:.1f} of {:g} degrees, last good state kept: {}"


class Pressed(Protocol):
    """A body under load that can take one more step."""

    model: BodyModel
    engine: Engine
    rises: Rises

    def shape(self) -> BodyHeights:
        """Its heights now."""
        ...

    def settle(self) -> object:
        """One step of its model's load; SolverError where it finds no equilibrium."""
        ...


def raise_front(run: Pressed, extension_deg: float, start: BodyHeights) -> str:
    """Tilt the anchors of the plate above, as far as asked or until a height before the fracture is near.

    Returns
    -------
    Empty, or what found no equilibrium.
    """
    at, too_far, why = 0.0, math.inf, ""
    to = extension_deg
    while True:
        saved, usual = run.engine.save(), run.model.load
        try:
            _extend(run, to - at)
            failed = ""
        except SolverError as error:
            failed = str(error.args[0])
        if not failed and not _near(run, start):
            at = to
        else:
            run.engine.restore(saved)
            run.model = replace(run.model, load=usual)
            too_far, why = to, failed
        if at >= extension_deg or too_far - at <= float(MIN_DEG):
            break
        to = 0.5 * (at + too_far)
    return ENDED.format(at, extension_deg, why) if why else ""


def _extend(run: Pressed, by_deg: float) -> None:
    """Tilt the anchors in slow motion by equal steps, then find the equilibrium of where they are."""
    steps = math.ceil(by_deg / float(STEP_DEG))
    with slow_motion(run.engine):
        for _ in range(steps):
            run.model = replace(run.model, load=tilted(run.model.load, by_deg / steps))
            run.settle()
    creep(run.engine, run.settle)


def _near(run: Pressed, start: BodyHeights) -> bool:
    """Whether a height is nearly back: what is left is the balloon's."""
    gain = np.array(run.shape().heights_mm) - start.heights_mm
    return bool((gain > float(CAUTION) * run.rises.most[: gain.size]).any())


def tilted(load: Load, by_deg: float) -> Load:
    """The load with every anchor turned by an angle about the back edge of the plate: the front goes up."""
    springs = []
    for spring in load.springs:
        if spring.anchor_mm is None:
            springs.append(spring)
            continue
        anchor = spring.anchor_mm.copy()
        anchor[:, 2] += np.tan(np.deg2rad(by_deg)) * (anchor[:, 1].max() - anchor[:, 1])
        springs.append(Spring(spring.points, spring.stiffness_n_per_mm, anchor))
    return replace(load, springs=tuple(springs))

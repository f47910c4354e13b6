"""Posture on the table: the neighbours are extended about the back of the body, and the supports follow."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from endplate.cited import cited
from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.load import Load, Spring
from endplate.repair.kyphoplasty.body_model import BodyModel
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
STEP_DEG = cited(2.0, "deg", "Own choice: the longest; lifts the front by a millimetre", "design")
STEP_VOXELS = cited(0.5, "voxel", "Own choice: and never lifts it by more than this, which a step can follow", "design")
MIN_STEP_DEG = cited(0.1, "deg", "Own choice: below a tenth of a degree nothing is seen on a film", "design")
GROWTH = cited(1.5, "1", "Own choice: of a step that went well; one that fails is halved", "design")
TOO_LONG = cited(0.6, "1", "Own choice: of a step that failed: no later one is longer", "design")
ENDED = "extension ended at {:.1f} of {:g} degrees, last good state kept: {}"


class Pressed(Protocol):
    """A body under load that can take one more step."""

    model: BodyModel
    engine: Engine
    rises: Rises

    def shape(self) -> BodyHeights:
        """Its heights now."""
        ...

    def settle(self, *, loosely: bool = False) -> object:
        """One step of its model's load, less tightly on the way; SolverError where it finds no equilibrium."""
        ...


def raise_front(run: Pressed, extension_deg: float, start: BodyHeights) -> str:
    """Tilt the anchors of the plate above by steps, as far as asked or until a height before the fracture is reached.

    Returns
    -------
    Empty, or what found no equilibrium.
    """
    at, longest = 0.0, _longest_deg(run)
    step = longest
    missing = run.rises.most[:3]
    while at < extension_deg - 1e-6:
        by = min(step, extension_deg - at)
        usual = run.model.load
        before = np.array(run.shape().heights_mm)
        run.model = replace(run.model, load=tilted(usual, by))
        try:
            run.settle(loosely=True)
        except SolverError as error:
            run.model = replace(run.model, load=usual)
            step, longest = by / 2, min(longest, TOO_LONG * by)
            if step < float(MIN_STEP_DEG):
                return _at_rest(run, at, extension_deg) or ENDED.format(at, extension_deg, error.args[0])
            continue
        at += by
        step = min(GROWTH * step, longest)
        now = np.array(run.shape().heights_mm)
        left = float(CAUTION) * missing - (now - start.heights_mm)
        if (left <= now - before).any():
            break
    return _at_rest(run, at, extension_deg)


def _longest_deg(run: Pressed) -> float:
    """Angle of the longest step."""
    depths = [np.ptp(spring.anchor_mm[:, 1]) for spring in run.model.load.springs if spring.anchor_mm is not None]
    if not depths:
        return float(STEP_DEG)
    rise = float(STEP_VOXELS) * run.engine.spacing_mm / float(max(depths))
    return min(float(STEP_DEG), float(np.rad2deg(np.arctan(rise))))


def _at_rest(run: Pressed, at: float, extension_deg: float) -> str:
    """Find the equilibrium of where the table holds the body tightly, as what follows is measured against it."""
    try:
        run.settle()
    except SolverError as error:
        return ENDED.format(at, extension_deg, error.args[0])
    return ""


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

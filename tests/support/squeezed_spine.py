"""A small digital spine, and a squeeze of its middle body that needs no solver."""

from __future__ import annotations

from functools import cache

import numpy as np

from endplate.case.assess import AssessSettings, assess
from endplate.case.model import Case
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.level import Level
from endplate.synthetic_fracture.heights import intact_body
from endplate.synthetic_fracture.inverse_map import Field
from endplate.synthetic_fracture.motion import (
    Crushed,
    CrushScene,
    best_rigid,
    distance_from,
    fine_grid,
    move_everything,
)
from endplate.synthetic_fracture.plan import Shape, lowering

LEVELS = (Level.L1, Level.L2, Level.L3)
PLACES_MM = (1.5, 1.5, 1.5)


@cache
def measured(broken: bool = False) -> Case:
    """L1 to L3 of the digital spine, measured; L2 with a wedge of its own where broken."""
    deformities = {Level.L2: Deformity(shape="wedge", loss=0.35)} if broken else {}
    phantom = make_phantom(
        PhantomSpec(levels=LEVELS, spacing_mm=PLACES_MM, field_mm=(90.0, 110.0), deformities=deformities)
    )
    case = Case(id="small", volume=phantom.volume, labels=phantom.labels, record=None)
    return assess(case, AssessSettings(mechanics=False))


def squeezed(case: Case, shape: Shape, loss: float) -> tuple[CrushScene, Field]:
    """L2 with all of its loss inside the body, away from its endplates."""
    assert case.spine is not None
    target = case.spine.at(Level.L2)
    assert target is not None
    scene = CrushScene(spine=case.spine, target=target, labels=case.labels)
    fine = fine_grid(scene, 1.5)
    nodes = np.argwhere(distance_from(target.body, target.grid, fine, 1.0) <= 1.0)
    places = fine.to_mm(nodes)
    local = target.to_local_mm(places)
    body = intact_body(target)
    across, along = body.place(local)
    down, up = lowering(shape, across, along)
    low, high = np.median(body.surfaces.lower[:, 2]), np.median(body.surfaces.upper[:, 2])
    height = (local[:, 2] - low) / (high - low)
    moved = np.zeros_like(local)
    moved[:, 2] = -loss * (high - low) * down * np.clip((height - 0.25) / 0.7, 0, 1)
    moved[:, 2] += loss * (high - low) * up * np.clip((0.5 - height) / 0.45, 0, 1)
    world = moved @ target.axes
    top = (np.abs(height - 1) < 0.1) & (np.hypot(across, 2 * along - 1) > 0.7)
    upper = best_rigid(places[top], places[top] + world[top])
    still = best_rigid(places, places)
    return scene, move_everything(scene, fine, Crushed(nodes=nodes, moved_mm=world), upper, still)

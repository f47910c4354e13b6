"""Injection of cement into this bone, flow-controlled, until the plan or what happens ends it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from endplate.anatomy.vertebra import Vertebra
from endplate.errors import OptionError
from endplate.progress import Share
from endplate.repair.access.needle_tip import NeedleTip
from endplate.repair.cement.cement_fill import CementFill, LeakEvent
from endplate.repair.cement.fill_measures import endplate_contact, posterior_quarter, right_share
from endplate.repair.cement.injection_plan import InjectionPlan, planned_volume_ml, portions_of
from endplate.repair.cement.leak_routes import find_leak_routes
from endplate.repair.cement.porous_site import Site, prepare_site
from endplate.repair.cement.sphere_baseline import same_volume_balls
from endplate.repair.cement.stepping import Event, InjectionRun
from endplate.repair.device.cement import Cement
from endplate.repair.site.bone import Bone, body_ml
from endplate.repair.site.leak_route import LeakRoute


def inject(
    bone: Bone,
    vertebra: Vertebra,
    tips: Sequence[NeedleTip],
    cement: Cement,
    plan: InjectionPlan | None = None,
    progress: Share | None = None,
    openings: Sequence[LeakRoute] | None = None,
) -> CementFill:
    """Inject cement.

    Parameters
    ----------
    bone : on its voxels, with the cavity a balloon left. tips : one or two needles.
    progress : called with the share of the planned volume injected.
    openings : ways out of the body; found in the bone when absent.

    Returns
    -------
    CementFill : where it went and what it reached. Without volume everything is empty and the bone unchanged.

    Raises
    ------
    OptionError : a tip outside the bone, no tip, or more volume than the pores within reach can take.

    Notes
    -----
    Where the solver finds no solution the injection ends there: `stop` says so, the last good state is kept.
    """
    plan, tell = plan or InjectionPlan(), progress or (lambda done: None)
    if not tips:
        raise OptionError("no needle was given", "cement needs a way in", "plan an access path first")
    if openings is None:
        openings = find_leak_routes(bone, vertebra, tips)
    site = prepare_site(bone, tips, cement, openings, plan.permeability_factor)
    volume = planned_volume_ml(plan, body_ml(bone), _cavity_ml(bone))
    if volume > site.reachable_ml:
        raise OptionError(
            f"{volume:.1f} mL of cement",
            f"the pores within the needles' reach take {site.reachable_ml:.1f} mL",
            "plan less",
        )
    grid = bone.field.grid
    course = InjectionRun(site, cement, plan, posterior_quarter(site.pores, vertebra, grid), volume, grid)
    for portion in portions_of(plan, volume, len(tips)):
        tell(course.injected_ml / max(volume, 1e-9))
        if not course.push(portion, tell):
            break
    return _result(bone, vertebra, cement, site, course)


def _cavity_ml(bone: Bone) -> float:
    return float(bone.cavity.sum(dtype=np.float64)) * bone.field.grid.voxel_mm3 / 1000


def _result(bone: Bone, vertebra: Vertebra, cement: Cement, site: Site, course: InjectionRun) -> CementFill:
    """Everything measured on the last state."""
    grid, flow, body = bone.field.grid, course.flow, site.body
    saturation = body.unflat(flow.saturation)
    held = body.unflat(flow.saturation * body.capacity_mm3)
    volume, leaked = float(held.sum()) / 1000, float(flow.leaked_mm3.sum()) / 1000
    sphere, clipped = same_volume_balls(site.pores, grid, [tip.at_mm for tip in site.needles], volume)
    notes = ["the baseline ball is clipped by the body's surface"] if clipped else []
    curve = np.array(course.curve)
    return CementFill(
        level=bone.level,
        grid=grid,
        cement=cement,
        saturation=saturation.astype(np.float32),
        age_s=np.where(saturation > 0, course.time_s - body.unflat(flow.entered_s), np.nan).astype(np.float32),
        volume_ml=volume,
        leaked_ml=leaked,
        injected_ml=course.injected_ml,
        fill_fraction=volume / body_ml(bone),
        time_s=curve[:, 0],
        injected_curve_ml=curve[:, 1],
        bone_pressure_mpa=curve[:, 2],
        cannula_pressure_mpa=curve[:, 3],
        reached=tuple(_reached(site, course, number, event) for number, event in sorted(course.events.items())),
        right_share=right_share(held, vertebra, grid),
        endplate_contact=endplate_contact(saturation, site.pores, float(grid.spacing_mm[0])),
        sphere=sphere,
        stop=course.stop,
        converged=course.converged,
        balance=abs(volume + leaked - course.injected_ml) / course.injected_ml if course.injected_ml > 0 else 0.0,
        notes=tuple(notes),
    )


def _reached(site: Site, course: InjectionRun, number: int, event: Event) -> LeakEvent:
    cells = site.opening_cells[number]
    return LeakEvent(
        opening=site.openings[number],
        time_s=event.time_s,
        injected_ml=event.injected_ml,
        leaked_ml=float(course.flow.leaked_mm3[cells].sum()) / 1000,
    )

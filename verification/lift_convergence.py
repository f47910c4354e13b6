"""Grid and step: a crushed box by formula and a real crushed body, on several grids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from endplate.repair.kyphoplasty.inflation import InflationSettings, inflate
from endplate.repair.kyphoplasty.inflation_result import Inflation
from endplate.repair.kyphoplasty.placement import BalloonSite, site_at
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.rehearsal.rehearsal_input import crushed_state, prepare_bone
from verification.box_body import UPRIGHT, XPANDER, box_vertebra
from verification.check import Check
from verification.lift_boxes import crushed_box
from verification.made_case import CASES, made_case, sites_in

OWN = "own convergence study"
WITHIN = 0.15
GRIDS_MM = (3.0, 2.0, 1.0)
USUAL_MM = (2.5, 2.0, 1.5)
PLACES = ((-9.0, -2.0), (9.0, -2.0))
AT_ML = 2.0
"""Of both balloons together: where the runs are compared, before a side wall has gone 3 mm."""
SETTINGS = InflationSettings(planned_ml=1.0, spring_n_per_mm=150.0, max_pushed_mm=None)
FINE_MM = (2.0, 1.5)
"""On which a real body holds: a rehearsal warns on coarser ones."""
NO_LIMIT_MPA = 20.0
"""So that all runs end at one volume: this bone of 220 mg/cm3 is too dense for the 400 psi of the balloon."""
FLOOR_MM = 0.1
"""A seventh of the error of reading a height (0.7 mm): a difference below it is none that anyone could read."""


def box_sites(forward_mm: float = 0.0) -> list[BalloonSite]:
    """Two balloons in the box with their front ends at a quarter of its depth, or farther forward."""
    ends = [np.array([right, 7.5 + forward_mm, up]) for right, up in PLACES]
    return [site_at(XPANDER, box_vertebra().to_world_mm(end), UPRIGHT[1]) for end in ends]


@cache
def box_run(voxel_mm: float, step_share: float = 1.0, forward_mm: float = 0.0) -> Inflation:
    """Both balloons in it."""
    settings = replace(SETTINGS, step_share=step_share)
    return inflate(crushed_box(voxel_mm), box_vertebra(), box_sites(forward_mm), settings)


def converged_box() -> Iterator[Check]:
    """Rows R26.1 and R26.2."""
    runs = [box_run(size) for size in GRIDS_MM]
    yield _converged("R26.1", f"crushed box, 2 x 1 mL, voxels of {listed(GRIDS_MM)} mm", runs)
    usual = [box_run(size) for size in USUAL_MM]
    yield _converged("R26.1a", f"the same on {listed(USUAL_MM, 1)} mm", usual)
    halved = [box_run(GRIDS_MM[1]), box_run(GRIDS_MM[1], 0.5)]
    yield _converged("R26.2", "the same on 2 mm, steps of 0.4 and 0.2 mm", halved)


def converged_body(number: str, grids_mm: tuple[float, ...]) -> Check:
    """Rows R26.9: a real crushed body, its state read from its own scan."""
    case = made_case(*CASES[0])
    title = (
        f"L2 of verse014 crushed by 40 %, 2 x {SETTINGS.planned_ml:g} mL without a limit of pressure, voxels of "
        f"{listed(grids_mm, 1)} mm"
    )
    if case is None:
        return skipped(number, title)
    scene = replace(case.scene, state=crushed_state(case.scene))
    bones = [prepare_bone(scene, size, ParameterSet()).bone for size in grids_mm]
    sites = [replace(site, balloon=replace(site.balloon, max_mpa=NO_LIMIT_MPA)) for site in sites_in(scene.vertebra)]
    runs = [inflate(bone, scene.vertebra, sites, SETTINGS) for bone in bones]
    return _converged(number, title, runs)


def skipped(number: str, title: str) -> Check:
    """A row whose public data is absent."""
    return Check(
        number=number, title=title, expected="-", got="skipped: real data not found; set ENDPLATE_SHARED",
        source="own synthetic fracture", rung="independent", passed=None,
    )  # fmt: skip


def _converged(number: str, title: str, runs: list[Inflation]) -> Check:
    """Spread of pressure, front gain and wall moves about the finest run."""
    parts = [
        ("pressure, MPa", [float(run.pressure_mpa[-1]) for run in runs]),
        ("front gain, mm", [run.full.anterior_mm for run in runs]),
        ("side wall, mm", [run.wall_displacement_inflated_mm.side or 0.0 for run in runs]),
        ("back wall, mm", [run.wall_displacement_inflated_mm.back or 0.0 for run in runs]),
    ]
    off = {
        name: max(abs(value / values[-1] - 1) for value in values) if values[-1] else float("inf")
        for name, values in parts
    }
    got = "; ".join(f"{name} {listed(values, 2)} ({off[name]:.0%})" for name, values in parts)
    got += "".join(f"; {run.unconverged}" for run in runs if run.unconverged)
    fine = {name: off[name] <= WITHIN or _unreadable(name, values) for name, values in parts}
    return Check(
        number=number,
        title=f"{title}: pressure, front gain and wall moves",
        expected=f"within {WITHIN:.0%} of the finest, or lengths within {FLOOR_MM:g} mm of it",
        got=got,
        source=OWN,
        rung="convergence",
        passed=all(fine.values()),
    )


def _unreadable(name: str, values: list[float]) -> bool:
    """Whether lengths differ by less than can be read."""
    return name.endswith("mm") and max(abs(value - values[-1]) for value in values) <= FLOOR_MM


def listed(values: tuple[float, ...] | list[float], decimals: int = 0) -> str:
    """Numbers in a row."""
    return ", ".join(f"{value:.{decimals}f}" for value in values)

"""Rehearse the balloons: inflate, deflate, and read what they left: heights, cavity, compacted bone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.errors import OptionError
from endplate.numerics.mpm.foam import FoamLaw
from endplate.numerics.mpm.load import Settings
from endplate.progress import Share
from endplate.repair.kyphoplasty.body_model import body_model
from endplate.repair.kyphoplasty.course import InflationCourse, InflationCurve
from endplate.repair.kyphoplasty.deflated_bone import deflated_bone
from endplate.repair.kyphoplasty.height_gain import TrackedPlates
from endplate.repair.kyphoplasty.inflation_result import Beyond, Gain, Inflation
from endplate.repair.kyphoplasty.placement import BalloonSite
from endplate.repair.kyphoplasty.stepping import InflationRun
from endplate.repair.kyphoplasty.stop_rules import MAX_BACK_MM, MAX_SIDE_MM
from endplate.repair.site.bone import Bone, body_ml
from endplate.repair.site.crush_law import bone_foam
from endplate.repair.site.prefracture_shape import PrefractureShape

PRELOAD_N = cited(100.0, "N", "preload of the in-vitro tests of height", "verified", cite="kruger_2015")
SPRING_N_PER_MM = cited(
    0.0, "N/mm", "Neighbours free, as in the in-vitro tests under dead load; spring-held ones are 100-300", "design"
)
PLANNED_ML = cited(
    2.0, "mL", "own choice: two balloons of 2 mL, with the usual 3-5 mL of cement a level at T10-L1", "design"
)
COARSEST_MM = cited(
    2.0,
    "mm",
    "Own choice: the largest voxel of an ensemble; rows R26.9 and R26.9a show what coarser and finer ones give",
    "design",
)
LARGEST_SHARE = cited(0.5, "1", "Own choice: balloons that want half of the body were asked for by mistake", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class InflationSettings:
    """What is done, against what resistance, and how it is solved.

    Attributes
    ----------
    planned_ml : of each balloon, beyond its channel. preload_n : compression held throughout.
    mobility : "mobile" takes the zone's cohesion and softens it, "rigid" leaves the bone as its density says.
    max_pushed_mm : of the back wall towards the canal, and of front or sides outwards, where inflation stops; None to
    go on, as on a bench.
    spring_n_per_mm : how stiffly the neighbours hold the body back along its axis. law : of crushing bone.
    extension_deg : by which the neighbours are extended on the table before the balloons; needs such a spring.
    standing_n : load of standing, to tell what the body loses under it before anything is done; None not to look.
    follow : go on beyond a wall that moves, to show what would follow. step_share : of the usual step.
    tolerance : of equilibrium, relative to the largest forces.
    """

    planned_ml: float = PLANNED_ML
    preload_n: float = PRELOAD_N
    mobility: Literal["rigid", "mobile"] = "mobile"
    spring_n_per_mm: float = SPRING_N_PER_MM
    max_pushed_mm: tuple[float, float] | None = (MAX_BACK_MM, MAX_SIDE_MM)
    law: FoamLaw | None = None
    extension_deg: float = 0.0
    standing_n: float | None = None
    follow: bool = False
    step_share: float = 1.0
    tolerance: float = 0.02

    def __post_init__(self) -> None:
        if min(self.preload_n, self.planned_ml, self.spring_n_per_mm, self.extension_deg) < 0:
            raise OptionError("a preload, volume, spring or extension below zero", "none exists", "give zero or more")
        if self.mobility not in ("rigid", "mobile"):
            raise OptionError(f"mobility {self.mobility!r}", "it decides the gain", "choose rigid or mobile")


def inflate(
    bone: Bone,
    vertebra: Vertebra,
    sites: Sequence[BalloonSite],
    settings: InflationSettings | None = None,
    *,
    intact: PrefractureShape | None = None,
    progress: Share | None = None,
) -> Inflation:
    """Inflate one or two balloons in a body under a preload, and let them down again.

    Parameters
    ----------
    bone : with its fracture zone, on cubes. sites : from `balloon_place.sites_on` or `site_at`.
    intact : heights that a gain never passes. progress : called with the fraction done.

    Raises
    ------
    OptionError : no balloon, or a volume that the body cannot hold. LabelError : no endplates to measure by.

    Notes
    -----
    Gains are against the body settled under the same preload, and `settled` is what that took from the scan's heights:
    their sum is the net height. What stopped the inflation is said in `stop`; a state without equilibrium ends it, the
    last good state is kept and `unconverged` says so.
    """
    start = time.perf_counter()
    settings, done = settings or InflationSettings(), progress or (lambda fraction: None)
    check_balloons(bone, len(sites), settings.planned_ml)
    if settings.planned_ml == 0:
        return _untouched(bone, sites, settings)
    plates = TrackedPlates(vertebra)
    model = body_model(
        bone,
        settings.law or bone_foam(),
        sites,
        settings.preload_n,
        settings.spring_n_per_mm,
        loose=settings.mobility == "mobile",
        settings=Settings(tolerance=settings.tolerance),
    )
    lost = None if intact is None or intact.lost_mm is None else intact.lost_mm
    run = InflationRun(
        model,
        bone,
        plates,
        [settings.planned_ml] * len(sites),
        lost,
        settings.max_pushed_mm,
        done,
        extension_deg=settings.extension_deg,
        follow=settings.follow,
        step_share=settings.step_share,
        stays=all(site.balloon.stays for site in sites),
        loads_n=None if settings.standing_n is None else (settings.preload_n, settings.standing_n),
    )
    course = run.go()
    done(1.0)
    return _result(bone, sites, settings, run, course, start)


def _result(
    bone: Bone,
    sites: Sequence[BalloonSite],
    settings: InflationSettings,
    run: InflationRun,
    course: InflationCourse,
    start: float,
) -> Inflation:
    """What a run left, with its balances."""
    left, ledger = deflated_bone(bone, run.model), run.engine.energy_balance
    injected = ledger.injected_mm3 - sum(b.volume() for b in run.engine.balloons) + float(run.start_mm3.sum())
    most = 1000 * max(course.volume_ml)
    settled = course.settled.since(course.start)
    return Inflation(
        level=bone.level,
        balloons=tuple(site.balloon for site in sites),
        volume_ml=np.array(course.volume_ml),
        pressure_mpa=np.array(course.pressure_mpa),
        full=course.full.since(course.before),
        deflated=course.deflated.since(course.before),
        bone=left.bone,
        compaction=left.compaction,
        cavity_ml=left.cavity_ml,
        mass_error=left.mass_error,
        volume_error=injected / most if most > 0 else 0.0,
        energy_error=ledger.energy_error,
        mobility=settings.mobility,
        preload_n=settings.preload_n,
        stop=course.stop,
        steps=ledger.steps,
        seconds=time.perf_counter() - start,
        settled=settled,
        upright=None if course.upright is None else course.upright.since(course.settled),
        posture=course.before.since(course.settled),
        gain_curve_mm=np.array(course.curve.gain_mm),
        beyond=None if course.beyond is None else _beyond(course.beyond),
        wall_displacement_inflated_mm=course.wall_displacement_inflated_mm,
        wall_displacement_deflated_mm=course.wall_displacement_deflated_mm,
        unconverged="; ".join(course.unconverged),
        notes=_notes(bone, settings, run.model.drilled_mg, settled)
        + tuple(words for words in (course.down, course.fell) if words),
    )


def _beyond(curve: InflationCurve) -> Beyond:
    """The course beyond the stop."""
    return Beyond(
        volume_ml=np.array(curve.volume_ml),
        pressure_mpa=np.array(curve.pressure_mpa),
        gain_mm=np.array(curve.gain_mm),
        pushed_mm=curve.pushed_mm[-1],
        stop=curve.stop,
    )


def check_balloons(bone: Bone, count: int, planned_ml: float) -> None:
    """Refuse a number of balloons, or a volume of each, that a body cannot take.

    Raises
    ------
    OptionError : what, why, what to do.
    """
    if not 1 <= count <= 2:
        raise OptionError(f"{count} balloons", "one or two can be inflated together", "give one or two paths")
    if planned_ml * count > LARGEST_SHARE * body_ml(bone):
        raise OptionError(
            f"{planned_ml * count:g} mL of balloon in a body of {body_ml(bone):.1f} mL",
            "it would burst",
            "plan a smaller volume",
        )


def _untouched(bone: Bone, sites: Sequence[BalloonSite], settings: InflationSettings) -> Inflation:
    """Nothing was inflated: the bone is the very same."""
    nothing = Gain(anterior_mm=0.0, middle_mm=0.0, posterior_mm=0.0, wedge_deg=0.0, kyphosis_deg=0.0)
    return Inflation(
        level=bone.level,
        balloons=tuple(site.balloon for site in sites),
        volume_ml=np.zeros(1),
        pressure_mpa=np.zeros(1),
        full=nothing,
        deflated=nothing,
        bone=bone,
        compaction=np.ones_like(bone.cavity),
        cavity_ml=0.0,
        mass_error=0.0,
        volume_error=0.0,
        energy_error=0.0,
        mobility=settings.mobility,
        preload_n=settings.preload_n,
        stop="no volume was planned",
        steps=0,
        seconds=0.0,
    )


def _notes(bone: Bone, settings: InflationSettings, drilled_mg: float, settled: Gain) -> tuple[str, ...]:
    notes = [f"{drilled_mg:.0f} mg of bone were in the channels of the balloons and are taken as drilled out"]
    if settings.preload_n > 0:
        heights = (settled.anterior_mm, settled.middle_mm, settled.posterior_mm)
        sunk = ", ".join(f"{0.0 - round(gain, 2):.2f}" for gain in heights)
        notes.append(
            f"under {settings.preload_n:g} N the body first sank by {sunk} mm (front, middle, back) against the scan; "
            "gains are counted from there"
        )
    edge_mm = float(bone.field.grid.spacing_mm[0])
    if edge_mm > float(COARSEST_MM) + 1e-6:
        notes.append(
            f"voxels of {edge_mm:g} mm are too coarse for a balloon: on 3, 2 and 1.5 mm the front of a crushed body "
            "rises by 1.15, 1.28 and 1.33 mm at the same volume; rehearse on 1 mm"
        )
    if settings.mobility == "mobile" and bone.crushed is None:
        notes.append("nothing is known of broken bone: mobile and rigid are the same")
    return tuple(notes)

"""Kyphoplasty: the balances of a whole run, and the two open questions, inflation pressure and loss on deflation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from endplate.cited import citation_of, cited
from endplate.level import Level
from endplate.repair.kyphoplasty.course import InflationCourse
from endplate.repair.kyphoplasty.inflation import InflationSettings, inflate
from endplate.repair.kyphoplasty.inflation_result import Inflation
from endplate.repair.kyphoplasty.placement import site_at
from endplate.repair.site.bone import Bone, inside_body
from endplate.repair.site.crush_law import BROKEN_STRAIN, bone_foam
from verification.bodies import real_scan
from verification.box_body import XPANDER, CrushedBox, box_bone, box_site, box_vertebra, crush, inflate_crushed
from verification.cavity_expansion import expand_cavity
from verification.check import Check
from verification.made_case import made_case, sites_in

UNLOADED_MPA = cited(
    0.85,
    "MPa",
    "Nan Fang Yi Ke Da Xue Xue Bao 2006;26:705 (abstract): 122.7 +- 27.9 psi at 2.95 mL, 15 L1-L5 of 3 young men",
    "verified",
)
LOADED_MPA = cited(
    1.21,
    "MPa",
    "Sleeve study (abstract), 18 osteoporotic T11-L4 compressed to 40 % of their anterior height, 110 N: 175 +- 37 "
    "psi, 30 % of the lost height regained",
    "verified",
)
LOST_SHARE = (
    cited(0.40, "1", "Rotter 2010: 59 %, with the spread of both heights", "recomputed"),
    cited(0.75, "1", "Rotter 2010: 59 %, with the spread of both heights", "recomputed"),
)
READABLE_MM = 0.1
"""A seventh of the error of reading a height (0.7 mm): a difference below it is none that anyone could read."""
VOXEL_MM = 3.0
WEDGE = "porotic L1 of a digital spine crushed to a wedge of 32 %"
HELD_N = 110.0
"""On the bodies of the sleeve study, all the while."""
GRIDS_MM = (2.0, 1.0)
"""Of the runs of an ensemble, and of the usual run."""
PLACES = [(-9.0, -2.0), (9.0, -2.0)]
"""Right and superior mm of two balloons."""
OWN = "own balance"


def checks() -> Iterator[Check]:
    """Balances first, then rows 22 and 23."""
    yield from balances()
    yield refined()
    yield mirror()
    yield real_body()
    yield from pressures()
    yield shape_alone()
    yield deflation()


@cache
def one_sided(right_mm: float) -> Inflation:
    """One balloon of 0.6 mL in a porotic box at 100 N."""
    vertebra = box_vertebra()
    settings = InflationSettings(planned_ml=0.6, mobility="rigid")
    return inflate(box_bone(vertebra, VOXEL_MM, 60.0), vertebra, [box_site(right_mm)], settings)


def balances() -> Iterator[Check]:
    """What goes in comes out; the same again; nothing from nothing."""
    done = one_sided(9.0)
    parts = (abs(done.mass_error), abs(done.volume_error), abs(done.energy_error))
    yield _row(
        "R23.1",
        "one balloon in a box of bone, in and out: mass, injected volume, energy unaccounted",
        "< 1e-6, 0.5 %, 5 %",
        f"{parts[0]:.1e}, {parts[1]:.2%}, {parts[2]:.2%}",
        OWN,
        parts[0] < 1e-6 and parts[1] < 0.005 and parts[2] < 0.05,
    )
    vertebra = box_vertebra()
    bone = box_bone(vertebra, VOXEL_MM, 60.0)
    none = inflate(bone, vertebra, [box_site(9.0)], InflationSettings(planned_ml=0.0))
    yield _row("R23.2", "no volume changes nothing", "same bone", str(none.bone is bone), OWN, none.bone is bone)
    settings = InflationSettings(planned_ml=0.6, mobility="rigid")
    again = inflate(bone, vertebra, [box_site(9.0)], settings)
    same = np.array_equal(again.pressure_mpa, done.pressure_mpa) and np.array_equal(
        again.bone.field.density_mg_cm3, done.bone.field.density_mg_cm3
    )
    yield _row("R23.3", "the same run twice", "bit for bit", "bit for bit" if same else "differs", OWN, same)


def broken(voxel_mm: float) -> Bone:
    """The porotic box with a loose slab under its upper endplate, thicker in front."""
    bone = box_bone(box_vertebra(), voxel_mm, 60.0)
    grid = bone.field.grid
    local = box_vertebra().to_local_mm(grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)))
    band = (inside_body(bone.field) >= 0.5) & (local[..., 2] < 9) & (local[..., 2] > 5 - local[..., 1] / 5)
    return replace(bone, crushed=np.where(band, BROKEN_STRAIN, 0).astype(np.float32))


def refined() -> Check:
    """A broken, mobile wedge and balloons in one and the same channels, on two grids."""
    sites = [replace(box_site(*place), channel_mm=1.5 * GRIDS_MM[0]) for place in PLACES]
    settings = InflationSettings(planned_ml=2.0, max_pushed_mm=None)
    coarse, fine = (inflate(broken(size), box_vertebra(), sites, settings) for size in GRIDS_MM)
    ratio = [fine.pressure_mpa[-1] / coarse.pressure_mpa[-1]]
    gains = [done.full.anterior_mm for done in (coarse, fine)]
    ratio += [gains[1] / gains[0], fine.cavity_ml / coarse.cavity_ml]
    return Check(
        number="R23.4",
        title="mobile wedge, two balloons of 2 mL, 100 N, {:g} and {:g} mm: pressure when full, anterior gain, "
        "cavity".format(*GRIDS_MM),
        expected=f"within 15 %, the gain within 15 % or {READABLE_MM:g} mm",
        got=f"{ratio[0] - 1:+.1%} (of {coarse.pressure_mpa[-1]:.2f} MPa), {ratio[1] - 1:+.1%} (of {gains[0]:.2f} mm; "
        f"middle {coarse.full.middle_mm:.2f}, {fine.full.middle_mm:.2f} mm), {ratio[2] - 1:+.1%}; "
        f"{coarse.volume_ml[-1]:.2f} and {fine.volume_ml[-1]:.2f} mL, {fine.stop}",
        source="own convergence study",
        rung="convergence",
        passed=max(abs(ratio[0] - 1), abs(ratio[2] - 1)) <= 0.15
        and (abs(ratio[1] - 1) <= 0.15 or abs(gains[1] - gains[0]) <= READABLE_MM),
    )


def mirror() -> Check:
    """Left and right swapped."""
    right, left = one_sided(9.0), one_sided(-9.0)
    worst = float(np.abs(left.bone.cavity - right.bone.cavity[::-1]).max())
    drift = abs(left.pressure_mpa[-1] / right.pressure_mpa[-1] - 1)
    got = f"{worst:.3f} and {drift:.2%}"
    title = "left and right swapped: worst difference of the mirrored cavity, of pressure"
    return _row("R23.5", title, "< 0.1 of a voxel, 2 %", got, OWN, worst < 0.1 and drift < 0.02)


def real_body() -> Check:
    """A whole kyphoplasty of a real L3."""
    title = "L3 of tptbox-l3, two balloons of 1 mL, 100 N, 2.5 mm: mass, volume, energy"
    scan = real_scan("tptbox-l3")
    if scan is None:
        return Check(
            number="R23.6", title=title, expected="-", got="skipped: real data not found; set ENDPLATE_SHARED",
            source=OWN, rung="exact", passed=None,
        )  # fmt: skip
    vertebra = scan.at(Level.L3)
    sites = [site_at(XPANDER, vertebra.to_world_mm(np.array([x, 8.0, 0.0])), vertebra.axes[1]) for x in (-9.0, 9.0)]
    settings = InflationSettings(planned_ml=1.0, mobility="rigid", max_pushed_mm=None)
    done = inflate(scan.bone(Level.L3, 2.5), vertebra, sites, settings)
    parts = (abs(done.mass_error), abs(done.volume_error), abs(done.energy_error))
    got = f"{parts[0]:.1e}, {parts[1]:.2%}, {parts[2]:.2%}; {done.pressure_mpa.max():.2f} MPa, {done.stop}"
    good = parts[0] < 1e-6 and parts[1] < 0.005 and parts[2] < 0.05
    return _row("R23.6", title, "< 1e-6, 0.5 %, 5 %", got, OWN, good)


@cache
def crushed(core_mg_cm3: float, loss: float, *, wedge: bool) -> CrushedBox:
    """A box crushed with sound bone's law; it springs back by about a quarter."""
    return crush(box_bone(box_vertebra(), VOXEL_MM, core_mg_cm3), loss, bone_foam(), wedge=wedge)


def blown(box: CrushedBox, planned_ml: float, preload_n: float) -> InflationCourse:
    """Two balloons in it."""
    sites = [box_site(*place) for place in PLACES]
    return inflate_crushed(box, bone_foam(), sites, planned_ml, preload_n)


def pressures() -> Iterator[Check]:
    """Row 22, as the reference asks it, as it was measured, and a second source predicted."""
    vertebra = box_vertebra()
    settings = InflationSettings(planned_ml=1.5, preload_n=0.0, mobility="rigid", max_pushed_mm=None)
    sites = [box_site(*place) for place in PLACES]
    sound = inflate(box_bone(vertebra, VOXEL_MM, 120.0), vertebra, sites, settings)
    factor = float(sound.pressure_mpa[-1]) / UNLOADED_MPA
    yield _open(
        "R22",
        "balloons of 3 mL in intact bone of 0.12 g/cm3",
        f"{UNLOADED_MPA:g} MPa within a factor of 2",
        f"{_miss(factor, 2.0)}: {sound.pressure_mpa[-1]:.2f} MPa, {factor:.1f} times. But the bodies of the source "
        "were not intact: they had been crushed to 80 % of their height (abstract), see row R22.1",
        citation_of(UNLOADED_MPA).source,
    )
    box = crushed(120.0, 0.27, wedge=False)
    left = float((box.heights_mm[1] / box.heights_mm[0]).mean())
    course = blown(box, 1.475, 0.0)
    factor = course.pressure_mpa[-1] / UNLOADED_MPA
    gain = course.full.since(course.before).anterior_mm
    yield _open(
        "R22.1",
        f"the same as it was measured: crushed to {left:.0%}, let go, then 2.95 mL without load",
        f"{UNLOADED_MPA:g} MPa within a factor of 2",
        f"{_miss(factor, 2.0)}: {course.pressure_mpa[-1]:.2f} MPa at the full volume ({factor:.2f} times; "
        f"{max(course.pressure_mpa):.2f} at first), {gain:.1f} mm regained",
        citation_of(UNLOADED_MPA).source,
    )
    yield _open(
        "R22.2",
        f"predicted: {WEDGE}, {HELD_N:g} N held, 3 mL",
        f"{LOADED_MPA:g} MPa within a factor of 2",
        f"{_peak(loaded_wedge())}, predicted",
        citation_of(LOADED_MPA).source,
    )


def _peak(wedge: Inflation) -> str:
    """Highest pressure in a wedge against the measured one, or why it was not inflated."""
    if wedge.volume_ml[-1] <= 0:
        return f"MISS: not inflated, {wedge.stop}"
    mpa = float(wedge.pressure_mpa.max())
    return (
        f"{_miss(mpa / LOADED_MPA, 2.0)}: {mpa:.2f} MPa at most ({mpa / LOADED_MPA:.2f} times), "
        f"{wedge.pressure_mpa[-1]:.2f} MPa at {wedge.volume_ml[-1]:.2f} mL"
    )


def shape_alone() -> Check:
    """The other half of check 22: bone that yields by shape alone could not be inflated."""
    law = bone_foam()
    none, density = np.zeros(1), np.array([0.12])
    own = (float(law.modulus(density, none)[0]), float(law.strength(density, density, none)[0]))
    course = expand_cavity(law, 0.12, 1.0, 60.0, [3000.0], j2_mpa=own)
    got = float(course.pressure_mpa[-1])
    return _row(
        "R22.3", "3 mL in bone of 0.12 g/cm3 that yields by shape alone (J2), along the radius", "> 2 MPa",
        f"{got:.1f} MPa", "biomechanics reference, check 22; Hill 1950", got > 2.0,
    )  # fmt: skip


def deflation() -> Check:
    """Row 23: what a deflation under load takes of the anterior gain, by the law of the rehearsals."""
    wedge = loaded_wedge()
    down = "".join(f"; {note}" for note in wedge.notes if note.startswith("gaps that the lift opened"))
    return _open(
        "R23",
        f"{WEDGE}, 3 mL, deflated under {HELD_N:g} N: share of the anterior gain that is lost",
        f"{LOST_SHARE[0]:.0%} to {LOST_SHARE[1]:.0%}",
        f"{_loss(wedge)}, predicted{down}",
        "Rotter 2010, Eur Spine J 19:916: 11.7 % of height lost, 8.0 % kept (abstract)",
    )


@cache
def loaded_wedge() -> Inflation:
    """A porotic body crushed to a wedge and read back from its scan, inflated under a load as on a bench."""
    case = made_case("soft", Level.L1, 0.32)
    if case is None:
        raise LookupError("a digital spine is always there")
    settings = InflationSettings(planned_ml=1.5, preload_n=HELD_N, max_pushed_mm=None)
    return inflate(case.prepared.bone, case.scene.vertebra, sites_in(case.scene.vertebra), settings)


def _loss(wedge: Inflation) -> str:
    """Share of the anterior gain at full inflation that deflation takes, against the measured one."""
    gain = wedge.full.anterior_mm
    if gain <= 0:
        return f"MISS: nothing was gained, {wedge.stop}"
    share = 1 - wedge.deflated.anterior_mm / gain
    told = "met" if LOST_SHARE[0] <= share <= LOST_SHARE[1] else "MISS"
    return f"{told}: {share:.0%} of {gain:.1f} mm"


def _miss(factor: float, within: float) -> str:
    return "met" if 1 / within <= factor <= within else "MISS"


def _open(number: str, title: str, expected: str, got: str, source: str) -> Check:
    """An open question: shown with its size, never counted as a pass."""
    return Check(number=number, title=title, expected=expected, got=got, source=source, rung="open", passed=None)


def _row(number: str, title: str, expected: str, got: str, source: str, passed: bool) -> Check:
    return Check(number=number, title=title, expected=expected, got=got, source=source, rung="exact", passed=passed)

"""Balloons: nothing from nothing, every gram and millilitre accounted for, mirrored by a mirror, stopped where told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from verification.box_body import UPRIGHT, XPANDER, box_bone, box_site, box_vertebra

from endplate.anatomy.vertebra import Vertebra
from endplate.errors import OptionError, SolverError
from endplate.level import Level
from endplate.repair.kyphoplasty.course import InflationCurve
from endplate.repair.kyphoplasty.inflation import InflationSettings, inflate
from endplate.repair.kyphoplasty.inflation_result import Inflation, WallDisplacement
from endplate.repair.kyphoplasty.placement import BalloonSite, clearance_mm, immersed, site_at
from endplate.repair.kyphoplasty.stepping import InflationRun
from endplate.repair.kyphoplasty.stop_rules import CONTACT_MM, Rises, lifts_no_more
from endplate.repair.site.bone import Bone, body_ml, inside_body
from endplate.repair.site.pedicle import cortex_mm
from endplate.repair.site.prefracture_shape import PrefractureShape

VOXEL_MM = 3.0
PLANNED_ML = 0.45
SMALL = InflationSettings(planned_ml=PLANNED_ML, mobility="rigid")


@cache
def body() -> Vertebra:
    return box_vertebra()


@cache
def bone() -> Bone:
    return box_bone(body(), VOXEL_MM, 60.0)


HELD = InflationSettings(preload_n=300.0, spring_n_per_mm=1000.0, max_pushed_mm=None)
"""A body whose plates are held, so that it is the wall that gives way."""


def two_balloons(right_mm: float, anterior_mm: float) -> list[BalloonSite]:
    """Level ones on either side, their front ends this far forward."""
    ends = (np.array([side * right_mm, anterior_mm, 0.0]) for side in (-1, 1))
    return [site_at(XPANDER, body().to_world_mm(end), UPRIGHT[1]) for end in ends]


@cache
def one_sided(right_mm: float) -> Inflation:
    return inflate(bone(), body(), [box_site(right_mm)], SMALL)


def test_no_volume_changes_nothing() -> None:
    done = inflate(bone(), body(), [box_site(8.0)], replace(SMALL, planned_ml=0.0))
    assert done.bone is bone() and done.full.anterior_mm == done.deflated.middle_mm == 0.0
    assert done.cavity_ml == 0.0 and (done.compaction == 1).all()


def test_mass_volume_and_energy_are_accounted_for() -> None:
    done = one_sided(9.0)
    assert abs(done.mass_error) < 1e-6 and abs(done.volume_error) < 0.005 and abs(done.energy_error) < 0.05
    assert done.volume_ml[-1] == pytest.approx(PLANNED_ML) and done.stop == "planned volume reached"
    assert done.converged and done.settled is not None and done.settled.middle_mm < 0
    assert any(f"{-done.settled.middle_mm:.2f}" in note and "against the scan" in note for note in done.notes)
    assert (np.diff(done.volume_ml) > 0).all() and done.pressure_mpa.max() > 0.3


def test_bone_that_slips_into_a_balloon_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one_sided(9.0).unconverged == ""
    monkeypatch.setattr("endplate.repair.kyphoplasty.stepping.MAX_SLIPPED", -1.0)
    done = inflate(bone(), body(), [box_site(9.0)], replace(SMALL, planned_ml=0.1))
    assert "bone slipped into 0% of the balloons" in done.unconverged and not done.converged


def test_cavity_and_compacted_bone_lie_where_the_balloon_was() -> None:
    done = one_sided(9.0)
    right = body().to_local_mm(done.bone.field.grid.to_mm(np.argwhere(done.bone.cavity > 0.5)))[:, 0]
    assert right.size and right.mean() == pytest.approx(9.0, abs=1.5)
    assert 1.2 < done.compaction.max() < 4
    far = body().to_local_mm(done.bone.field.grid.to_mm(np.argwhere(np.abs(done.compaction - 1) > 0.1)))[:, 0]
    assert far.mean() > 4
    assert body_ml(done.bone) == pytest.approx(body_ml(bone()), rel=0.05)


def test_mirrored_balloon_gives_mirrored_bone() -> None:
    right, left = one_sided(9.0), one_sided(-9.0)
    assert left.pressure_mpa[-1] == pytest.approx(right.pressure_mpa[-1], rel=0.02)
    assert left.pressure_mpa == pytest.approx(right.pressure_mpa, rel=0.1)  # equilibrium is solved to 2 % of forces
    assert left.full.middle_mm == pytest.approx(right.full.middle_mm, abs=0.02)
    middle = right.bone.field.grid.to_index(body().centroid_mm)[0]
    assert 2 * middle == pytest.approx(right.bone.field.grid.shape[0] - 1, abs=1e-6)
    assert np.abs(left.bone.cavity - right.bone.cavity[::-1]).mean() < 0.002


def loose_bone() -> Bone:
    """The same box with a crushed slab under its upper endplate."""
    grid = bone().field.grid
    z = body().to_local_mm(grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)))[..., 2]
    band = (inside_body(bone().field) >= 0.5) & (z > 2) & (z < 9)
    return replace(bone(), crushed=np.where(band, np.float32(0.4), np.float32(0)))


def test_loose_fracture_gains_more_than_a_healed_one() -> None:
    sites = [box_site(-9.0), box_site(9.0)]
    loose, healed = (
        inflate(loose_bone(), body(), sites, InflationSettings(planned_ml=0.8, mobility=mobility, max_pushed_mm=None))
        for mobility in ("mobile", "rigid")
    )
    assert loose.full.middle_mm > 1.3 * healed.full.middle_mm > 0
    assert loose.pressure_mpa.max() < healed.pressure_mpa.max()
    assert loose.deflated.middle_mm <= loose.full.middle_mm


def test_gain_stops_at_the_intact_height() -> None:
    intact = PrefractureShape(level=Level.L2, lost_mm=(0.2, 1.05, 0.1))
    settings = InflationSettings(planned_ml=2.0, preload_n=0.0, spring_n_per_mm=150.0, max_pushed_mm=None)
    done = inflate(loose_bone(), body(), [box_site(-9.0), box_site(9.0)], settings, intact=intact)
    assert 0.8 < done.full.middle_mm <= 1.05
    assert done.stop == "height before the fracture reached in the middle"
    assert done.settled is not None and abs(done.settled.middle_mm) < 0.05


def test_a_back_that_lost_nothing_may_rise() -> None:
    """Patients gain 0.9 +- 2.1 mm at the back (Winkelmann 2018): a rise there is no reason to stop."""
    intact = PrefractureShape(level=Level.L2, lost_mm=(30.0, 30.0, 0.1))
    settings = InflationSettings(planned_ml=1.0, preload_n=0.0, max_pushed_mm=None)
    done = inflate(loose_bone(), body(), [box_site(-9.0), box_site(9.0)], settings, intact=intact)
    assert done.stop == "planned volume reached" and done.full.posterior_mm > 0.1


def test_the_height_that_ends_the_inflation_is_named() -> None:
    rises = Rises((0.7, 3.0, 0.1), None)
    assert rises.most.tolist()[:2] == [0.7, 3.0] and np.isinf(rises.most[2:]).all()
    assert rises.room(np.array([0.2, 3.0, 0.5]), WallDisplacement(0.0, 0.0), 1.0) == 0.0
    assert rises.reached() == "height before the fracture reached in the middle"


def test_a_millilitre_that_lifts_nothing_ends_the_inflation() -> None:
    curve = InflationCurve(volume_ml=[0.0, 1.0, 2.0, 2.5], gain_mm=[(0, 0, 0), (1, 1, 0), (1.05, 1, 0), (1.06, 1, 0)])
    assert lifts_no_more(curve)
    curve.gain_mm[-1] = (1.2, 1.0, 0.0)
    assert not lifts_no_more(curve)
    assert not lifts_no_more(InflationCurve(volume_ml=[2.3, 2.6], gain_mm=[(0, 0, 0), (0, 0, 0)]))
    assert not lifts_no_more(InflationCurve(volume_ml=[0.0, 1.5], gain_mm=[(0, 0, 0), (0, 0, 0)]))


def test_what_would_follow_beyond_a_wall_is_shown_and_changes_nothing() -> None:
    sites, settings = two_balloons(13.0, 7.5), replace(HELD, planned_ml=1.0, max_pushed_mm=(99.0, 0.04))
    plain, followed = (inflate(loose_bone(), body(), sites, replace(settings, follow=how)) for how in (False, True))
    assert plain.beyond is None and followed.beyond is not None
    assert followed.stop == plain.stop and followed.stop.startswith("front or side wall pushed out")
    assert followed.deflated == plain.deflated and np.array_equal(followed.bone.cavity, plain.bone.cavity)
    assert followed.beyond.volume_ml[0] == pytest.approx(plain.volume_ml[-1])
    assert (
        followed.beyond.volume_ml[-1] == pytest.approx(2.0)
        and followed.beyond.pushed_mm.side > 1.2 * plain.wall_displacement_inflated_mm.side
    )


def test_extension_on_the_table_opens_broken_bone_and_not_sound_bone() -> None:
    settings = InflationSettings(planned_ml=0.2, preload_n=0.0, spring_n_per_mm=300.0, extension_deg=4.0)
    loose = inflate(loose_bone(), body(), [box_site(9.0)], settings).posture
    healed = inflate(loose_bone(), body(), [box_site(9.0)], replace(settings, mobility="rigid")).posture
    assert loose is not None and healed is not None
    assert loose.anterior_mm > 2 * abs(healed.anterior_mm) and loose.anterior_mm > loose.posterior_mm
    assert loose.wedge_deg < 0


def test_an_empty_balloon_neither_props_nor_pulls() -> None:
    settings = InflationSettings(planned_ml=0.2, preload_n=100.0, spring_n_per_mm=300.0, extension_deg=4.0)
    done = inflate(loose_bone(), body(), [box_site(9.0)], settings)
    assert done.posture is not None and done.posture.anterior_mm > 0.1
    assert done.volume_ml[0] == 0.0 and done.pressure_mpa[0] == 0.0
    assert abs(done.volume_error) < 0.005


def test_a_height_that_was_passed_is_named() -> None:
    rises = Rises((0.2, 1.05, 2.0), None)
    assert not rises.passed(np.array([5.0, 1.0, 1.9]))
    assert rises.passed(np.array([0.0, 1.1, 1.0]))
    assert rises.reached() == "height before the fracture reached in the middle"


@pytest.mark.parametrize(
    ("place", "words", "right_mm", "anterior_mm"),
    [(0, "back wall pushed by", 9.0, 1.5), (1, "front or side wall pushed out by", 13.0, 7.5)],
)
def test_a_wall_that_goes_out_ends_the_inflation(place: int, words: str, right_mm: float, anterior_mm: float) -> None:
    # less than the two millilitres after which a run that lifts nothing ends for that
    sites, settings = two_balloons(right_mm, anterior_mm), replace(HELD, planned_ml=0.95)
    free = inflate(loose_bone(), body(), sites, settings)
    went = free.wall_displacement_inflated_mm[place]
    assert went is not None and went > 0.2
    most = tuple(went / 2 if which == place else 99.0 for which in range(2))
    done = inflate(loose_bone(), body(), sites, replace(settings, max_pushed_mm=most))
    stopped = done.wall_displacement_inflated_mm[place]
    assert stopped is not None and 0.35 * went < stopped <= 0.51 * went
    assert done.stop.startswith(words) and done.volume_ml[-1] < free.volume_ml[-1]


def test_the_cortex_is_met_at_the_side_and_not_at_the_endplate() -> None:
    grid, cortex = bone().field.grid, cortex_mm(bone())
    beside, under, middle = (
        clearance_mm(immersed(site, grid).surface, cortex)
        for site in (box_site(19.5), box_site(0.0, 11.0), box_site(9.0))
    )
    assert beside <= CONTACT_MM < min(under, middle)


def test_limit_of_pressure_stops() -> None:
    weak = replace(box_site(9.0), balloon=replace(XPANDER, max_mpa=0.2))
    done = inflate(bone(), body(), [weak], SMALL)
    assert done.stop == "largest pressure of the balloon reached" and done.volume_ml[-1] < PLANNED_ML


def test_a_step_without_equilibrium_is_no_physical_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(run: InflationRun) -> None:
        raise SolverError("no equilibrium", "residual 1")

    monkeypatch.setattr(InflationRun, "_step", fail)
    monkeypatch.setattr("endplate.repair.kyphoplasty.letting_down.deflate", lambda *given, **named: Went())
    done = inflate(bone(), body(), [box_site(9.0)], SMALL)
    assert not done.converged and done.stop.startswith("the body does not carry the preload")
    assert done.unconverged == f"{done.stop}; deflation ended early, last good state kept: no equilibrium"


@dataclass(frozen=True)
class Went:
    converged: bool = False
    stop: str = "no equilibrium"


@pytest.mark.parametrize(
    ("sites", "planned_ml"), [(0, 1.0), (3, 1.0), (1, 20.0)], ids=["no balloon", "three", "larger than the body"]
)
def test_impossible_orders_are_refused(sites: int, planned_ml: float) -> None:
    with pytest.raises(OptionError):
        inflate(bone(), body(), [box_site(9.0)] * sites, InflationSettings(planned_ml=planned_ml))


@pytest.mark.parametrize("wrong", [{"preload_n": -1.0}, {"planned_ml": -1.0}, {"mobility": "loose"}])
def test_meaningless_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        InflationSettings(**wrong)  # type: ignore[arg-type]

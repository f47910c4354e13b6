"""Signs of broken bone, each at its limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.shapes import endplate, plane, vertebra

from endplate.fracture.height.extent import body_extent
from endplate.fracture.node import breach_area_mm2, find_dents
from endplate.fracture.posterior_wall import bulging, bulging_fraction, wall_involvement
from endplate.fracture.signs import breach_sign, concavity, depression_sign, front_sign, spread_sign
from endplate.level import Level

FLAT = (27.0, 27.0, 27.0)


def test_concavity_is_what_the_middle_lacks():
    assert concavity((20.0, 18.0, 20.0)) == pytest.approx(0.1)
    assert concavity(FLAT) == 0


@pytest.mark.parametrize(("middle", "found"), [(27 * 0.9201, False), (27 * 0.9199, True)])
def test_depression_beyond_eight_points_of_the_intact_levels(middle, found):
    sign = depression_sign((27.0, middle, 27.0), [FLAT, FLAT, FLAT])
    assert (sign is not None) is found
    if sign:
        assert sign.where == "endplate" and "2.2 mm" in sign.text


def test_a_spine_of_hollow_endplates_is_no_sign():
    hollow = (27.0, 24.0, 27.0)
    assert depression_sign(hollow, [hollow, hollow]) is None
    assert depression_sign(hollow, [FLAT, FLAT]) is not None


def test_without_intact_levels_the_usual_concavity_counts():
    assert depression_sign((27.0, 27 * 0.871, 27.0), []) is None
    assert depression_sign((27.0, 27 * 0.869, 27.0), []) is not None


def _cratered(depth_mm: float, radius_mm: float, up: int = 1):
    plate = endplate(plane(27, 27), up)
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    hole = np.hypot(x - 8, y) < radius_mm
    surface = np.where(hole, plate.superior_mm - up * depth_mm, plate.superior_mm)
    return replace(plate, superior_mm=surface, breach=hole)


@pytest.mark.parametrize(("depth", "radius", "found"), [(4, 4, True), (1.8, 4, False), (4, 2, False)])
def test_a_dent_is_deep_and_wide(depth, radius, found):
    for up, side in ((1, "superior"), (-1, "inferior")):
        body = replace(vertebra(), **{side: _cratered(depth, radius, up)})
        assert (len(find_dents(body)) == 1) is found


def test_a_small_dent_is_a_node_and_a_large_one_a_sign():
    node = find_dents(replace(vertebra(), superior=_cratered(4, 4.5)))
    assert node[0].focal and breach_sign(node) is None
    assert node[0].area_mm2 == pytest.approx(np.pi * 4.5**2, rel=0.15) and node[0].depth_mm == pytest.approx(4, abs=0.3)
    broken = find_dents(replace(vertebra(), superior=_cratered(4, 8.5)))
    assert not broken[0].focal and breach_sign(broken) is not None


def test_a_dent_that_reaches_the_rim_is_no_node():
    plate = endplate(plane(27, 27), 1)
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    hole = (np.abs(x) < 4) & (y > 4)
    deep = replace(plate, superior_mm=np.where(hole, plate.superior_mm - 4, plate.superior_mm), breach=hole)
    (dent,) = find_dents(replace(vertebra(), superior=deep))
    assert not dent.focal


def test_steps_of_coarse_voxels_are_no_dent():
    body = replace(vertebra(), superior=_cratered(4, 4.5), label_edges_mm=(3.0, 3.0, 3.0))
    assert find_dents(body) == ()


def test_a_bump_is_no_breach():
    assert breach_area_mm2(_cratered(-4, 4), 1) == 0


def test_a_rolled_off_rim_is_no_breach():
    plate = endplate(plane(27, 27), 1)
    rim = plate.anterior_mm[None, :] < plate.anterior_mm[0] + 2.5
    low = np.where(rim, plate.superior_mm - 4, plate.superior_mm)
    assert breach_area_mm2(replace(plate, superior_mm=low, breach=np.broadcast_to(rim, low.shape)), 1) == 0


def test_front_sign_below_two_sd_of_the_level():
    assert front_sign(Level.L1, (27 * 0.791, 26, 27.0)) is None
    sign = front_sign(Level.L1, (27 * 0.789, 26, 27.0))
    assert sign is not None and sign.where == "cortex"
    assert front_sign(Level.L6, (10, 26, 27.0)) is None


@pytest.mark.parametrize(("depth", "found"), [(34 * 1.09, False), (34 * 1.11, True)])
def test_a_body_that_spread_by_a_tenth(depth, found):
    assert (spread_sign(Level.L2, depth, [(Level.L1, 33.0), (Level.L3, 35.0)]) is not None) is found
    assert spread_sign(Level.L2, depth, []) is None


def test_a_straight_posterior_wall_does_not_bulge():
    body = vertebra()
    assert bulging_fraction(body, body_extent(body), 27) == 0


def test_a_bulging_posterior_wall_is_seen_and_a_hollow_one_is_not():
    body = vertebra()
    extent = body_extent(body)
    grid_mm = body.grid.to_mm(np.stack(np.meshgrid(*map(np.arange, body.grid.shape), indexing="ij"), -1))
    x, y, z = np.moveaxis(body.to_local_mm(grid_mm), -1, 0)
    lump = (np.abs(x) < 12) & (y < 0) & (y > -21) & (np.abs(z) < 5)
    bulged = replace(body, body=body.body | lump)
    assert 0.3 < bulging_fraction(bulged, extent, 27) < 0.7
    dent = (y < -11) & (np.abs(z) < 5)
    assert bulging_fraction(replace(body, body=body.body & ~dent), extent, 27) == 0


@pytest.mark.parametrize(("loss", "share"), [(0.3, 0.3), (-0.1, 0.0), (1.2, 1.0)])
def test_wall_involvement_is_the_lost_share_within_0_and_1(loss, share):
    body = vertebra()
    measured = wall_involvement(body, body_extent(body), 27, loss, 0.02)
    assert measured.value == pytest.approx(share)
    assert 0 <= measured.low <= measured.value <= measured.high <= 1


def test_a_wall_in_thick_slices_is_told_by_its_height_alone_or_not_at_all():
    body = replace(vertebra(), label_edges_mm=(1.0, 1.0, 4.0))
    measured = wall_involvement(body, body_extent(body), 27, 0.1, 0.02)
    assert measured.value == pytest.approx(0.1) and "not measurable" in measured.reason
    assert wall_involvement(body, body_extent(body), 27, None, None).value is None


def test_the_wall_threshold_grows_with_the_voxels():
    fine, coarse = (
        bulging(replace(vertebra(), label_edges_mm=(e, e, 1.0)), body_extent(vertebra()), 27) for e in (1, 3)
    )
    assert fine.threshold_mm == pytest.approx(1, abs=0.3) and coarse.threshold_mm > 1.5


def test_wall_involvement_is_unknown_where_nothing_tells_it():
    measured = wall_involvement(vertebra(), None, 27, None, None)
    assert measured.value is None and measured.reason

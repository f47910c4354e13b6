"""Heights measured on bodies whose heights are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.shapes import DEPTH_MM, WIDTH_MM, endplate, plane, vertebra

from endplate.anatomy.frame import axes_from
from endplate.fracture import HeightSettings, measure_heights
from endplate.level import Level

ONCE = HeightSettings(repeat=False)


def test_heights_are_those_at_an_eighth_a_half_and_seven_eighths_of_the_depth():
    heights = measure_heights(vertebra(upper=plane(20, 28)), ONCE)
    assert heights.anterior.value == pytest.approx(20, abs=0.05)
    assert heights.middle.value == pytest.approx(24, abs=0.05)
    assert heights.posterior.value == pytest.approx(28, abs=0.05)


def test_the_middle_height_shows_a_hollow_that_the_ends_do_not():
    heights = measure_heights(vertebra(upper=plane(26, 26, dip_mm=6)), ONCE)
    assert heights.middle.value == pytest.approx(20, abs=0.3)
    assert heights.anterior.value == pytest.approx(26, abs=0.6)  # the kink at the rim of the hollow is rounded


def test_depth_and_width_are_read_at_mid_height():
    heights = measure_heights(vertebra(), ONCE)
    assert heights.depth_mm == pytest.approx(DEPTH_MM, abs=0.6)
    assert heights.width_mm == pytest.approx(WIDTH_MM, abs=0.6)


@pytest.mark.parametrize(("front", "back", "sign"), [(20, 28, 1), (28, 20, -1)])
def test_wedge_is_positive_where_the_front_is_lower(front, back, sign):
    heights = measure_heights(vertebra(upper=plane(front, back)), ONCE)
    exact = 2 * np.rad2deg(np.arctan(4 / (0.75 * DEPTH_MM)))
    assert heights.wedge_deg.value == pytest.approx(sign * exact, abs=0.3)


def test_a_tilted_body_has_the_same_heights():
    axes = axes_from(np.array([0.1, 0.3, 1.0]), np.array([0.05, -1.0, 0.2]))
    straight = measure_heights(vertebra(upper=plane(22, 27)), ONCE)
    tilted = measure_heights(vertebra(upper=plane(22, 27), axes=axes), ONCE)
    for kind in ("anterior", "middle", "posterior"):
        assert getattr(tilted, kind).value == pytest.approx(getattr(straight, kind).value, abs=0.1)


def test_repeats_give_an_sd_that_is_neither_nothing_nor_a_voxel():
    heights = measure_heights(vertebra(upper=plane(22, 27)))
    for measured in (heights.anterior, heights.middle, heights.posterior):
        assert measured.sd is not None and 0.01 < measured.sd < 1
    assert heights.wedge_deg.sd is not None and heights.wedge_deg.sd > 0


def test_coarser_voxels_give_a_larger_sd():
    fine = measure_heights(vertebra(upper=plane(22, 27), step_mm=0.8))
    coarse = measure_heights(vertebra(upper=plane(22, 27), step_mm=2.5))
    assert coarse.middle.sd > fine.middle.sd


def test_without_repeats_the_sd_is_unknown():
    assert measure_heights(vertebra(), ONCE).anterior.sd is None


def test_a_cut_body_has_no_heights_and_says_why():
    cut = replace(vertebra(cut=True), superior=None)
    heights = measure_heights(cut, ONCE)
    assert heights.anterior.value is None and "border" in heights.anterior.reason


def test_a_missing_endplate_is_named():
    heights = measure_heights(replace(vertebra(), inferior=None), ONCE)
    assert heights.middle.value is None and "inferior" in heights.middle.reason


def test_a_place_without_endplate_is_unknown_and_the_others_stay():
    body = vertebra(level=Level.L1)
    plate = endplate(plane(27, 27), 1)
    hole = np.where(plate.anterior_mm[None, :] > 5, np.nan, plate.superior_mm)
    heights = measure_heights(replace(body, superior=replace(plate, superior_mm=hole)), ONCE)
    assert heights.anterior.value is None and heights.anterior.reason
    assert heights.posterior.value == pytest.approx(27, abs=0.1)


def test_a_wide_rim_moves_the_front_place_in_by_up_to_three_millimetres():
    plate = endplate(plane(27, 27), 1)
    for first_seen, known in ((10.5, True), (7.0, False)):
        rim = np.where(plate.anterior_mm[None, :] > first_seen, np.nan, plate.superior_mm)
        heights = measure_heights(replace(vertebra(), superior=replace(plate, superior_mm=rim)), ONCE)
        assert (heights.anterior.value is not None) is known


def test_a_step_in_one_slice_does_not_move_the_median():
    body = vertebra()
    plate = endplate(plane(27, 27), 1)
    bent = np.where(plate.right_mm[:, None] > 7.9, plate.superior_mm - 5, plate.superior_mm)
    heights = measure_heights(replace(body, superior=replace(plate, superior_mm=bent)), ONCE)
    assert heights.middle.value == pytest.approx(27, abs=0.3)

"""The shape before the fracture: heights given back where they were lost, nothing invented, unknown where it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.shapes import plane, spine, stacked, vertebra

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.biomechanics.model_grid import own_grid
from endplate.biomechanics.sampling import BoneField, sample_bone
from endplate.bone.result import Calibration
from endplate.fracture.reading import grade_fractures
from endplate.image.volume import Volume
from endplate.level import Level
from endplate.repair.site.bone import inside_body
from endplate.repair.site.prefracture_shape import PrefractureShape, estimate_prefracture_shape

CALIBRATION = Calibration(
    slope_mg_cm3_per_hu=0.8, offset_mg_cm3=0.0, route="given", sd_mg_cm3=10.0, source="made for the test"
)
INTACT = {"T12": (26.0, 26.0, 26.0), "L1": (27.0, 27.0, 27.0), "L2": (28.0, 28.0, 28.0), "L3": (28.5, 28.5, 28.5)}


def field_of(bone: Vertebra) -> BoneField:
    volume = Volume(grid=bone.grid, hu=np.full(bone.grid.shape, 200.0, np.float32))
    return sample_bone(bone, volume, CALIBRATION, own_grid(bone, 1.0), 0.0)


def before(level: Level, whole: Spine) -> PrefractureShape:
    bone = whole.at(level)
    assert bone is not None
    return estimate_prefracture_shape(bone, whole, grade_fractures(whole), field_of(bone))


def wedge_below_sound(upper_front_mm: float) -> Spine:
    """L1 whose upper endplate alone came down in front, between sound levels."""
    rows = dict(INTACT)
    del rows["L1"]
    sound = stacked(rows).vertebrae
    at = (sound[0].centroid_mm + sound[1].centroid_mm) / 2
    broken = vertebra(Level.L1, plane(27 - 2 * upper_front_mm, 27), plane(27, 27), at_mm=at)
    return spine(sound[0], broken, *sound[1:])


def test_lost_height_and_volume_come_back() -> None:
    whole = stacked(INTACT | {"L1": (18.0, 22.5, 27.0)})
    found, intact = before(Level.L1, whole), stacked(INTACT).at(Level.L1)
    assert found.heights_mm == pytest.approx((27.0, 27.0, 27.0), abs=1.3)
    assert found.lost_mm == pytest.approx(np.array(found.heights_mm) - (18.0, 22.5, 27.0), abs=0.3)
    assert intact is not None and found.volume_ml is not None and found.lost_ml is not None
    true_ml = float(inside_body(field_of(intact)).sum()) / 1000
    assert found.volume_ml == pytest.approx(true_ml, rel=0.04)
    assert found.lost_ml == pytest.approx(true_ml * (1 - 22.5 / 27), rel=0.2)


def test_endplate_that_came_down_takes_the_loss() -> None:
    found = before(Level.L1, wedge_below_sound(8.0))
    assert found.upper_share is not None and found.upper_share[0] > 0.9
    assert found.superior_mm is not None and found.inferior_mm is not None
    assert np.nanmax(found.superior_mm) == pytest.approx(13.5, abs=1.5)
    assert np.nanmin(found.inferior_mm) == pytest.approx(-13.5, abs=1.0)


def test_ghost_reaches_to_its_outline_and_holds_the_body() -> None:
    whole = stacked(INTACT | {"L1": (18.0, 22.5, 27.0)})
    found = before(Level.L1, whole)
    bone = whole.at(Level.L1)
    assert bone is not None and found.ghost is not None and found.outline_mm is not None
    body = inside_body(field_of(bone))
    assert (found.ghost >= body - 0.3).all()
    line = np.concatenate(found.outline_mm["sagittal"])
    local = bone.to_local_mm(line)
    assert np.ptp(local[:, 1]) == pytest.approx(32, abs=1.2) and np.ptp(local[:, 2]) == pytest.approx(27, abs=2.0)


def test_intact_body_is_its_own_ghost() -> None:
    found = before(Level.L2, stacked(INTACT))
    assert found.lost_mm is not None and max(found.lost_mm) < 1.0
    assert found.lost_ml is not None and found.lost_sd_ml is not None and found.lost_ml < 2 * found.lost_sd_ml


def test_without_neighbours_the_shape_is_unknown_and_says_why() -> None:
    found = before(Level.L1, stacked({"L1": (18.0, 22.5, 27.0)}))
    assert found.ghost is None and found.lost_ml is None and "neighbour" in found.reason


def test_without_an_endplate_the_shape_is_unknown() -> None:
    whole = stacked(INTACT)
    one = whole.at(Level.L1)
    assert one is not None
    found = estimate_prefracture_shape(replace(one, superior=None), whole, grade_fractures(whole), field_of(one))
    assert found.heights_mm is None and "endplate" in found.reason

"""What opens a body: a stent keeps what it was opened to, a jack opens upwards, and a lifted gap carries nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from verification.box_body import UPRIGHT, box_bone, box_vertebra

from endplate.numerics.mpm.foam import FOAM
from endplate.numerics.mpm.return_mapping import across_gap, update
from endplate.repair.device.balloon import BALLOONS, JACK_N
from endplate.repair.kyphoplasty.inflation import InflationSettings, inflate
from endplate.repair.kyphoplasty.placement import immersed, site_at
from endplate.repair.site.bone import inside_body
from endplate.repair.site.crush_law import GAP_STRAIN, bone_foam, with_gaps

VOXEL_MM = 3.0
LAW = with_gaps(bone_foam())


def test_a_stent_keeps_the_height_of_the_full_balloon() -> None:
    bone, body = box_bone(box_vertebra(), VOXEL_MM, 60.0), box_vertebra()
    bone = replace(bone, crushed=np.where(inside_body(bone.field) > 0, 0.3, 0).astype(np.float32))
    tip = body.to_world_mm(np.array([8.0, 7.5, -2.0]))
    site = site_at(BALLOONS["VBS medium"], tip, UPRIGHT[1])
    done = inflate(bone, body, [site], InflationSettings(planned_ml=0.45, max_pushed_mm=None))
    assert done.full.middle_mm > 0 and done.deflated == done.full and done.cavity_ml > 0.3
    assert any("stay as wide" in note for note in done.notes)


def test_a_jack_opens_between_its_plates_with_its_force() -> None:
    jack = BALLOONS["SpineJack 5.8"]
    assert jack.stays and jack.plate_mm is not None
    assert jack.max_mpa * math.pi / 4 * jack.length_mm * jack.plate_mm[0] == pytest.approx(float(JACK_N))
    grid = box_bone(box_vertebra(), VOXEL_MM, 60.0).field.grid
    site = site_at(jack, box_vertebra().to_world_mm(np.array([0.0, 10.0, 0.0])), UPRIGHT[1])
    inside = immersed(site, grid)
    size = np.ptp(inside.surface.vertices, axis=0)
    assert sorted(size.tolist()) == pytest.approx([5.8, 5.8, 25.0], abs=0.2)
    assert inside.max_mm3 == pytest.approx(1000 * jack.max_ml)


@pytest.mark.parametrize(("opened", "least"), [(0.0, 1.0), (float(GAP_STRAIN), 1.0), (0.1, 0.006)])
def test_broken_bone_carries_no_push_across_an_open_gap(opened: float, least: float) -> None:
    """Stresses xx, yy, zz, yz, xz, xy, plastic strain, secant: sound strength 1, cohesion all lost."""
    packed, pushed = LAW.packed(), (0.0, 0.0, -0.9, 0.0, 0.0, 0.0, 0.0, 1.0)
    broken = across_gap(pushed, 1.0, LAW.lost_cohesion, opened, packed)
    assert -broken[2] == pytest.approx(min(0.9, least), abs=1e-3) and broken[0] == 0.0
    sound = across_gap(pushed, 1.0, LAW.cohesion, opened, packed)
    assert sound[2] == -0.9


def test_a_gap_that_closes_carries_again() -> None:
    push = np.array([0, 0, 0, 0, 0, 0, 0, 0, -0.002])
    stress, packed = (0.0,) * 6, LAW.packed()
    args = (0.3, 10.0, LAW.lost_cohesion, 100.0, FOAM, packed, 1.0)
    still_open, closed = (update(push, stress, *args, opened)[2] for opened in (0.1, 0.0))
    assert closed < 10 * still_open < 0

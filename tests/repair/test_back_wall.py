"""The wall towards the canal: found where no pedicle covers it, and followed as a balloon pushes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from verification.box_body import HALF_MM, box_bone, box_site, box_vertebra

from endplate.repair.back_wall import back_wall_mm, pushed_mm
from endplate.repair.balloon_place import to_lps_mm
from endplate.repair.bone import inside_body
from endplate.repair.inflation import InflationSettings, inflate

VOXEL_MM = 3.0


def test_the_wall_is_the_back_of_the_body_and_ends_at_the_pedicles() -> None:
    bone, body = box_bone(box_vertebra(), VOXEL_MM, 60.0), box_vertebra()
    local = body.to_local_mm(to_lps_mm(bone.field.grid, back_wall_mm(bone)))
    assert (np.abs(local[:, 1] + HALF_MM[1]) <= VOXEL_MM).all()
    assert np.ptp(local[:, 0]) > 36 and np.ptp(local[:, 2]) > 20
    inside = np.asarray(inside_body(bone.field) >= 0.5)
    behind = np.roll(inside, 2, axis=1) & ~inside
    behind[inside.shape[0] // 2 :] = False
    share = np.where(behind, 0, bone.field.body).astype(np.float32)
    fill = np.where(behind, 1, bone.field.fill).astype(np.float32)
    covered = replace(bone, field=replace(bone.field, body=share, fill=fill))
    left = back_wall_mm(covered)
    assert 0.4 < len(left) / len(local) < 0.6 and (left[:, 0] > VOXEL_MM * (inside.shape[0] // 2)).all()


def test_moves_are_those_of_the_wall_but_for_crumbs() -> None:
    before = np.random.default_rng(1).uniform(0, 20, (200, 3))
    now = before + np.array([0.4, 1.5, -0.2])
    now[:3, 1] += 30
    assert pushed_mm(before, now) == pytest.approx(1.5) and pushed_mm(
        before, before - np.array([0, 2, 0])
    ) == pytest.approx(-2)
    assert pushed_mm(before[:0], now[:0]) is None


def test_a_balloon_by_the_back_pushes_the_wall_more_than_one_in_front() -> None:
    bone, body = box_bone(box_vertebra(), VOXEL_MM, 60.0), box_vertebra()
    settings = InflationSettings(planned_ml=0.6, mobility="rigid")
    site = box_site(0.0)
    back = replace(site, centre_mm=site.centre_mm + body.axes.T @ np.array([0.0, -5.0, 0.0]))
    pushed = [inflate(bone, body, [place], settings) for place in (site, back)]
    full = [done.pushed_full_mm for done in pushed]
    assert full[0] is not None and full[1] is not None and full[1] > full[0] + 0.02
    left = pushed[1].pushed_left_mm
    assert left is not None and left < full[1]

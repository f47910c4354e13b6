"""The walls of a body: found where no pedicle covers them, and followed as a balloon pushes them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from verification.box_body import HALF_MM, box_bone, box_site, box_vertebra

from endplate.repair.kyphoplasty.inflation import InflationSettings, inflate
from endplate.repair.kyphoplasty.placement import to_lps_mm, to_model_mm
from endplate.repair.kyphoplasty.wall_displacement import BodyWall, back_wall, side_wall
from endplate.repair.site.bone import inside_body

VOXEL_MM = 3.0


def test_the_back_wall_ends_at_the_pedicles() -> None:
    bone, body = box_bone(box_vertebra(), VOXEL_MM, 60.0), box_vertebra()
    local = body.to_local_mm(to_lps_mm(bone.field.grid, back_wall(bone).points_mm))
    assert (np.abs(local[:, 1] + HALF_MM[1]) <= VOXEL_MM).all()
    assert np.ptp(local[:, 0]) > 36 and np.ptp(local[:, 2]) > 20
    inside = np.asarray(inside_body(bone.field) >= 0.5)
    behind = np.roll(inside, 2, axis=1) & ~inside
    behind[inside.shape[0] // 2 :] = False
    share = np.where(behind, 0, bone.field.body).astype(np.float32)
    fill = np.where(behind, 1, bone.field.fill).astype(np.float32)
    covered = replace(bone, field=replace(bone.field, body=share, fill=fill))
    left = back_wall(covered).points_mm
    assert 0.4 < len(left) / len(local) < 0.6 and (left[:, 0] > VOXEL_MM * (inside.shape[0] // 2)).all()


def test_front_and_sides_look_away_from_the_axis() -> None:
    bone, body = box_bone(box_vertebra(), VOXEL_MM, 60.0), box_vertebra()
    wall = side_wall(bone)
    local = body.to_local_mm(to_lps_mm(bone.field.grid, wall.points_mm))
    at_edge = (HALF_MM[:2] - np.abs(local[:, :2]) <= VOXEL_MM).any(axis=1)
    assert at_edge.all() and local[:, 1].min() > -HALF_MM[1] / 2
    middle = to_model_mm(bone.field.grid, body.to_world_mm(np.zeros(3)))
    assert (np.einsum("ij,ij->i", wall.points_mm - middle, wall.outward) > 10).all() and not wall.outward[:, 2].any()


def test_a_wall_has_moved_as_far_as_a_patch_of_it() -> None:
    before = np.random.default_rng(1).uniform(0, 20, (200, 3))
    now = before + np.array([0.4, 1.5, -0.2])
    now[:3, 1] += 30
    wall = BodyWall(
        points_mm=before, outward=np.broadcast_to([0.0, 1.0, 0.0], before.shape), area_mm2=np.full(len(before), 4.0)
    )
    assert wall.pushed_mm(before, now) == pytest.approx(1.5)
    assert wall.pushed_mm(before, before - np.array([0, 2, 0])) == pytest.approx(-2)
    assert wall.pushed_mm(before[:0], now[:0]) is None


def test_a_balloon_by_the_back_pushes_the_wall_more_than_one_in_front() -> None:
    bone, body = box_bone(box_vertebra(), VOXEL_MM, 60.0), box_vertebra()
    settings = InflationSettings(planned_ml=0.6, mobility="rigid")
    site = box_site(0.0)
    back = replace(site, centre_mm=site.centre_mm + body.axes.T @ np.array([0.0, -5.0, 0.0]))
    pushed = [inflate(bone, body, [place], settings) for place in (site, back)]
    full = [done.wall_displacement_inflated_mm[0] for done in pushed]
    assert full[0] is not None and full[1] is not None and full[1] > 2 * full[0]
    left = pushed[1].wall_displacement_deflated_mm[0]
    assert left is not None and left < full[1]

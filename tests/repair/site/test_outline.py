"""The outline of a body lies where the body ends, on every grid alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from verification.box_body import HALF_MM, box_bone, box_vertebra

from endplate.repair.kyphoplasty.placement import to_lps_mm
from endplate.repair.site.bone import Bone
from endplate.repair.site.outline import outline_of


def local(bone: Bone, points_mm: np.ndarray) -> np.ndarray:
    return np.asarray(box_vertebra().to_local_mm(to_lps_mm(bone.field.grid, points_mm)))


@pytest.mark.parametrize("voxel_mm", [3.0, 2.5, 2.0, 1.5])
def test_a_flat_wall_lies_where_it_is_on_every_grid(voxel_mm: float) -> None:
    bone = box_bone(box_vertebra(), voxel_mm, 60.0)
    found = outline_of(bone)
    at = local(bone, found.points_mm)
    middle = (np.abs(at[:, 1]) < 8) & (at[:, 0] > 0)
    assert np.abs(at[middle, 0] - HALF_MM[0]).max() < 0.15
    assert np.abs(local(bone, found.points_mm + found.outward)[middle, 0] - at[middle, 0] - 1).max() < 1e-3
    ring = found.area_mm2.sum() / np.unique(at[:, 2].round(6)).size
    assert ring == pytest.approx(4 * HALF_MM[:2].sum(), rel=0.06) and not found.covered.any()


def test_what_the_arch_joins_is_covered_and_a_hole_is_no_outline() -> None:
    bone = box_bone(box_vertebra(), 2.0, 60.0)
    body = bone.field.fill >= 0.5
    behind = np.roll(body, 2, axis=1) & ~body
    behind[body.shape[0] // 2 :] = False
    hollow = np.array(bone.field.fill)
    centre = tuple(n // 2 for n in body.shape)
    hollow[centre] = 0
    field = replace(
        bone.field,
        body=np.where(behind, 0, bone.field.body).astype(np.float32),
        fill=np.where(behind, 1, hollow).astype(np.float32),
    )
    found = outline_of(replace(bone, field=field))
    at = local(bone, found.points_mm)
    back = (at[:, 1] < -HALF_MM[1] + 1) & (np.abs(at[:, 0]) > 3) & (np.abs(at[:, 0]) < 17)
    left = found.points_mm[:, 0] < 2.0 * (body.shape[0] // 2)
    assert found.covered[back & left].all() and not found.covered[back & ~left].any()
    assert np.linalg.norm(at[:, :2], axis=1).min() > 10


def test_without_a_body_there_is_no_outline() -> None:
    bone = box_bone(box_vertebra(), 3.0, 60.0)
    empty = replace(bone, field=replace(bone.field, fill=np.zeros_like(bone.field.fill)))
    assert not len(outline_of(empty).points_mm)

"""Crushed bone from shape and density: columns lose what they lost, the weakest bone first, noise is no loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from verification.box_body import box_bone, box_vertebra

from endplate.level import Level
from endplate.repair.site.bone import Bone, FractureZone, inside_body
from endplate.repair.site.crushed_bone import BrokenState, broken_state, laid_on
from endplate.repair.site.prefracture_shape import PrefractureShape

VOXEL_MM = 3.0


def state(lost_mm: tuple[float, float, float], bone: Bone | None = None, sd_mm: float | None = None) -> BrokenState:
    intact = PrefractureShape(level=Level.L2, lost_mm=lost_mm, upper_share=(1.0, 1.0), sd_mm=sd_mm)
    return broken_state(box_vertebra(), bone or box_bone(box_vertebra(), VOXEL_MM, 60.0), intact, (), crush=False)


def test_each_column_has_lost_its_height_and_kept_its_mass() -> None:
    bone = box_bone(box_vertebra(), VOXEL_MM, 60.0)
    found = state((9.0, 4.5, 0.0), bone).strain
    assert found is not None
    share = inside_body(bone.field)
    inner = share.sum(axis=2) > 8
    ratio = (share * np.exp(found)).sum(axis=2) / np.maximum(share.sum(axis=2), 1e-6)
    y = box_vertebra().to_local_mm(bone.field.grid.to_mm(np.moveaxis(np.indices(share.shape), 0, -1)))[:, :, 0, 1]
    front, back = ratio[inner & (y > 9)].mean(), ratio[inner & (y < -9)].mean()
    assert front == pytest.approx(1 + 8.5 / 27, abs=0.06) and back == pytest.approx(1.0, abs=0.06)


def test_the_weakest_layer_is_crushed_first() -> None:
    bone = box_bone(box_vertebra(), VOXEL_MM, 120.0)
    local = box_vertebra().to_local_mm(bone.field.grid.to_mm(np.moveaxis(np.indices(bone.field.grid.shape), 0, -1)))
    weak = np.abs(local[..., 2]) < 4
    soft = replace(bone.field, density_mg_cm3=np.where(weak, 50.0, bone.field.density_mg_cm3).astype(np.float32))
    found = state((4.0, 4.0, 4.0), replace(bone, field=soft)).strain
    assert found is not None
    core = (np.abs(local[..., 0]) < 10) & (np.abs(local[..., 1]) < 8)
    assert found[core & (np.abs(local[..., 2]) < 2)].mean() > 5 * found[core & (np.abs(local[..., 2]) > 8)].mean()


def test_a_loss_within_its_error_is_no_loss() -> None:
    sure, unsure = state((1.0, 1.0, 1.0)).strain, state((1.0, 1.0, 1.0), sd_mm=3.0).strain
    assert sure is not None and unsure is not None and unsure.max() < 0.25 * sure.max()


def test_what_the_scan_shows_is_broken_even_without_a_shape_before() -> None:
    bone = box_bone(box_vertebra(), VOXEL_MM, 60.0)
    band = np.zeros(bone.field.grid.shape, bool)
    middle = tuple(np.argwhere(inside_body(bone.field) > 0.9).mean(axis=0).astype(int))
    band[middle] = True
    none = np.zeros_like(band)
    seen = replace(bone, zone=FractureZone(band=band, cleft=none, gap=none, signs=("made for the test",)))
    unknown = PrefractureShape(level=Level.L2, reason="no neighbour")
    found = broken_state(box_vertebra(), seen, unknown, ())
    assert found.strain is not None and (found.strain[band] > 0.3).all() and (found.strain[~band] == 0).all()
    nothing = broken_state(box_vertebra(), bone, unknown, ())
    assert nothing.strain is None and "no neighbour" in nothing.basis


def test_the_crush_repeated_breaks_the_front_of_a_wedge_and_not_its_back() -> None:
    bone = box_bone(box_vertebra(), VOXEL_MM, 60.0)
    intact = PrefractureShape(level=Level.L2, lost_mm=(8.0, 4.0, 0.0), upper_share=(1.0, 1.0))
    found = broken_state(box_vertebra(), bone, intact, ())
    assert found.strain is not None and "crush repeated" in found.basis
    local = box_vertebra().to_local_mm(bone.field.grid.to_mm(np.moveaxis(np.indices(bone.field.grid.shape), 0, -1)))
    inside = inside_body(bone.field) >= 0.5
    front, back = (float(found.strain[inside & part].mean()) for part in (local[..., 1] > 7, local[..., 1] < -7))
    assert front > 0.2 and front > 2 * back


def test_a_state_is_the_same_bone_on_every_grid() -> None:
    coarse, fine = (box_bone(box_vertebra(), size, 60.0) for size in (VOXEL_MM, 2.0))
    read = state((8.0, 4.0, 0.0), coarse)
    laid = laid_on(read, fine)
    assert laid.strain is not None and laid.strain.shape == fine.field.grid.shape
    assert laid.loose_share == pytest.approx(read.loose_share, abs=0.06)

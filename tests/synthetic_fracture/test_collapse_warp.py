"""A moved scan: bone keeps its mass, labels stay on the bone, and nothing changes where nothing moved."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.squeezed_spine import measured, squeezed

from endplate.level import Level
from endplate.synthetic_fracture.displacement_grid import DisplacementGrid
from endplate.synthetic_fracture.inverse_map import Field
from endplate.synthetic_fracture.warp import Warped, warp


@pytest.fixture(scope="module")
def crushed() -> tuple[Warped, Field]:
    case = measured()
    scene, field = squeezed(case, "crush", 0.3)
    return warp(case.volume, case.labels, scene.target, case.calibration, field), field


def mass(volume, labels, line) -> float:
    inside = labels.labels == Level.L2.verse_id
    return float(line.to_mg_cm3(volume.hu[inside].astype(np.float32)).sum(dtype=np.float64))


def test_bone_keeps_its_mass(crushed) -> None:
    case = measured()
    before = mass(case.volume, case.labels, case.calibration)
    after = mass(crushed[0].volume, crushed[0].labels, case.calibration)
    assert after == pytest.approx(before, rel=0.01)
    assert crushed[0].mass_mg[2] == pytest.approx(after * case.volume.grid.voxel_mm3 / 1000)
    # The factor on density has little to make good: the volume ratio has made the bone as dense as it must be.
    assert crushed[0].density_factor == pytest.approx(1, abs=0.03)


def test_crushed_bone_takes_less_room_and_is_denser(crushed) -> None:
    case = measured()
    inside = [labels.labels == Level.L2.verse_id for labels in (case.labels, crushed[0].labels)]
    assert inside[1].sum() < 0.9 * inside[0].sum()
    assert crushed[0].volume.hu[inside[1]].mean() > 1.1 * case.volume.hu[inside[0]].mean()


def test_the_level_below_keeps_its_voxels(crushed) -> None:
    case = measured()
    below = case.labels.labels == Level.L3.verse_id
    # Voxels next to the crushed arch may give way to the smooth field between the two.
    same = crushed[0].labels.labels[below] == Level.L3.verse_id
    assert same.mean() > 0.99
    assert np.mean(crushed[0].volume.hu[below] == case.volume.hu[below]) > 0.97


def test_the_level_above_moves_as_one_piece(crushed) -> None:
    case = measured()
    above = case.spine.at(Level.L1)
    places = above.grid.to_mm(np.argwhere(above.body))
    moved = crushed[1].at(places)
    assert np.ptp(moved, axis=0).max() < 0.5
    assert np.linalg.norm(moved.mean(axis=0)) > 5


def test_a_still_field_changes_no_voxel() -> None:
    case = measured()
    scene, field = squeezed(case, "crush", 0.3)
    still = Field(
        coarse=DisplacementGrid(grid=field.coarse.grid, moved_mm=np.zeros_like(field.coarse.moved_mm)),
        fine=DisplacementGrid(grid=field.fine.grid, moved_mm=np.zeros_like(field.fine.moved_mm)),
    )
    same = warp(case.volume, case.labels, scene.target, case.calibration, still)
    assert np.array_equal(same.volume.hu, case.volume.hu)
    assert not same.unseen.any()
    assert np.array_equal(same.labels.labels, case.labels.labels)
    assert same.density_factor == pytest.approx(1, abs=1e-6)

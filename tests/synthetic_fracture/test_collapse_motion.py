"""Places before and after: what is still stays, what is rigid stays rigid, and every place is found again."""

from __future__ import annotations

import numpy as np
import pytest

from endplate.image.volume import Grid
from endplate.synthetic_fracture.displacement_grid import DisplacementGrid, fill_smoothly
from endplate.synthetic_fracture.inverse_map import Field, origins
from endplate.synthetic_fracture.motion import best_rigid

SCAN = Grid(shape=(20, 24, 22), affine=np.diag([2.0, 1.0, 1.0, 1.0]))
RNG = np.random.default_rng(4711)


def lattice(step: float, moved) -> DisplacementGrid:
    n = [int(np.ceil(length / step)) + 3 for length in (40, 24, 22)]
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = -step
    grid = Grid(shape=tuple(n), affine=affine)
    return DisplacementGrid(grid=grid, moved_mm=moved(grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))))


def squeeze(places):
    """The upper half comes down by up to 5 mm, all of it lost between 8 and 16 mm."""
    moved = np.zeros(places.shape)
    moved[..., 2] = -5 * np.clip((places[..., 2] - 8) / 8, 0, 1)
    return moved


def turn(places):
    angle = 0.3
    matrix = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return (places - 10) @ matrix.T + 10 - places


@pytest.mark.parametrize("motion", [squeeze, turn])
def test_every_place_is_found_again(motion) -> None:
    field = Field(coarse=lattice(4.0, motion), fine=lattice(1.0, motion))
    found = origins(field, SCAN, 0, SCAN.shape[2])
    now = SCAN.to_mm(np.moveaxis(np.indices(SCAN.shape), 0, -1)).reshape(-1, 3)
    before = SCAN.to_mm(found.index.reshape(-1, 3))
    inside = ((before > 1) & (before < [37, 21, 19])).all(axis=1)
    assert found.folded == 0
    assert np.abs(before + field.at(before) - now)[inside].max() < 0.01


def test_the_volume_ratio_is_that_of_the_squeeze() -> None:
    ratio = lattice(1.0, squeeze).volume_ratio()
    assert ratio.min() == pytest.approx(1 - 5 / 8, abs=1e-6)
    assert ratio.max() == pytest.approx(1, abs=1e-6)


def test_a_still_field_keeps_every_place() -> None:
    field = Field(coarse=lattice(4.0, np.zeros_like), fine=lattice(1.0, np.zeros_like))
    found = origins(field, SCAN, 3, 5)
    expected = np.moveaxis(np.indices((20, 24, 5)), 0, -1) + np.array([0, 0, 3])
    assert np.array_equal(found.index, expected.astype(np.float32))
    assert np.all(found.ratio == 1)


def test_a_smooth_filling_keeps_a_linear_field() -> None:
    places = np.moveaxis(np.indices((9, 10, 11)), 0, -1).astype(float)
    linear = places @ RNG.normal(size=(3, 3)) + 2.0
    known = np.ones(linear.shape[:3], bool)
    known[2:7, 3:8, 2:9] = False
    filled = fill_smoothly(np.where(known[..., None], linear, 0.0), known)
    assert np.abs(filled - linear).max() < 0.02 * np.abs(linear).max()


def test_the_rigid_motion_of_points_is_found() -> None:
    points = RNG.normal(scale=20, size=(50, 3))
    motion = best_rigid(points, points + turn(points))
    assert motion.angle_deg == pytest.approx(np.degrees(0.3))
    assert np.abs(motion.displacement(points) - turn(points)).max() < 1e-9

"""Means over cells agree with SciPy's interpolation at the same points, and keep what can be known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from endplate.numerics.voxel.cell_means import cell_means


def turned(scale: float = 1.3) -> np.ndarray:
    angle = 0.4
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine[:3, :3] *= scale
    affine[:3, 3] = [2.2, -1.7, 0.4]
    return affine


@pytest.mark.parametrize("per_edge", [1, 2, 3])
def test_agrees_with_scipy_point_by_point(per_edge: int) -> None:
    rng = np.random.default_rng(4711)
    fields = [rng.normal(size=(11, 9, 7)).astype(np.float32) for _ in range(2)]
    affine, shape = turned(), (8, 8, 6)
    places = (np.arange(per_edge) + 0.5) / per_edge - 0.5
    expected = np.zeros((2, *shape))
    for offset in np.stack(np.meshgrid(places, places, places), axis=-1).reshape(-1, 3):
        shift = affine[:3, :3] @ offset + affine[:3, 3]
        for n, field in enumerate(fields):
            expected[n] += ndimage.affine_transform(field, affine[:3, :3], shift, shape, order=1, mode="constant")
    ours = cell_means(fields, affine, shape, per_edge)
    np.testing.assert_allclose(ours, expected / per_edge**3, atol=2e-6)


def test_a_linear_field_is_exact_inside() -> None:
    index = np.indices((12, 12, 12)).astype(np.float32)
    field = index[0] - 2 * index[1] + 0.5 * index[2]
    affine = np.diag([1.5, 1.5, 1.5, 1.0])
    affine[:3, 3] = 2.0
    (ours,) = cell_means([field], affine, (5, 5, 5), 3)
    i, j, k = 1.5 * np.indices((5, 5, 5)) + 2.0
    np.testing.assert_allclose(ours, i - 2 * j + 0.5 * k, atol=1e-5)


def test_a_field_of_one_slice_and_points_outside() -> None:
    field = np.full((4, 4, 1), 7.0, np.float32)
    (ours,) = cell_means([field], np.eye(4), (6, 4, 1), 1)
    assert (ours[:4] == 7).all() and (ours[4:] == 0).all()

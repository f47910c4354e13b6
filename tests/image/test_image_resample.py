"""Resampling keeps what a linear function, a label and a volume are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.small_spine import grid, spine

from endplate.image.gantry_tilt import skew, straight_grid
from endplate.image.resample import isotropic_grid, resample_labels, resample_volume
from endplate.image.volume import Grid, LabelMap, Volume

VOLUME, LABELS = spine()


def ramp(on: Grid) -> np.ndarray:
    xyz = on.to_mm(np.stack(np.meshgrid(*(np.arange(n) for n in on.shape), indexing="ij"), axis=-1))
    return (xyz @ np.array([1.0, -2.0, 0.5]) + 40).astype(np.float32)


def test_a_linear_field_is_kept_through_a_turned_grid():
    on = grid(shape=(20, 22, 24))
    turn = np.radians(17)
    affine = on.affine.copy()
    affine[:2, :2] = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ affine[:2, :2] * 0.6
    affine[:3, 3] = on.to_mm([10, 5, 4])
    target = Grid(shape=(12, 11, 10), affine=affine)
    moved = resample_volume(Volume(grid=on, hu=ramp(on)), target)
    inside = ((on.to_index(target.to_mm(np.argwhere(np.ones(target.shape)))) > 0).all(axis=1)).reshape(target.shape)
    assert inside.mean() > 0.8
    assert np.allclose(moved.hu[inside], ramp(target)[inside], atol=0.02)


def test_outside_the_scan_is_air_and_background():
    far = grid(shape=(5, 5, 5)).affine.copy()
    far[:3, 3] += 1000
    target = Grid(shape=(5, 5, 5), affine=far)
    assert (resample_volume(VOLUME, target).hu == -1000).all()
    assert (resample_labels(LABELS, target).labels == 0).all()


def test_labels_never_become_other_labels():
    moved = resample_labels(LABELS, isotropic_grid(LABELS.grid, 1.3))
    assert set(np.unique(moved.labels)) == set(np.unique(LABELS.labels))
    assert moved.labels.dtype == np.uint16


@pytest.mark.parametrize("spacing", [1.0, 2.0, 3.0])
def test_an_isotropic_grid_covers_the_same_box_and_keeps_volumes(spacing):
    on = isotropic_grid(LABELS.grid, spacing)
    assert np.allclose(on.spacing_mm, spacing)
    assert np.allclose(on.to_mm([-0.5] * 3), LABELS.grid.to_mm([-0.5] * 3))
    extent = LABELS.grid.spacing_mm * LABELS.grid.shape
    assert (np.abs(on.spacing_mm * on.shape - extent) <= spacing / 2 + 1e-9).all()
    volumes = [np.count_nonzero(m.labels == 22) * m.grid.voxel_mm3 for m in (LABELS, resample_labels(LABELS, on))]
    assert volumes[1] == pytest.approx(volumes[0], rel=0.05)


@settings(deadline=None, max_examples=100)
@given(
    shear=st.tuples(*[st.floats(-0.5, 0.5)] * 2),
    spacing=st.tuples(*[st.floats(0.4, 4)] * 3),
    shape=st.tuples(*[st.integers(2, 40)] * 3),
)
def test_a_straightened_grid_has_right_angles_and_covers_every_voxel(shear, spacing, shape):
    affine = np.diag([*spacing, 1.0])
    affine[:2, 2] = np.array(shear) * spacing[2]
    tilted = Grid(shape=shape, affine=affine)
    straight = straight_grid(tilted)
    assert skew(straight) < 1e-9
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.array(shape) - 1)
    index = straight.to_index(tilted.to_mm(corners))
    assert index.min() > -1e-6
    assert (index <= np.array(straight.shape) - 1 + 1e-6).all()
    assert straight.spacing_mm.min() > 0.8 * min(spacing) * 0.8


def by_simpleitk(array: np.ndarray, source: Grid, target: Grid, interpolator: int, outside: float) -> np.ndarray:
    """The oracle: SimpleITK in index space."""
    import SimpleITK as sitk  # noqa: N813

    to_source = np.linalg.inv(source.affine) @ target.affine
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(to_source[:3, :3].ravel().tolist())
    transform.SetTranslation(to_source[:3, 3].tolist())
    size, direction = list(target.shape), np.eye(3).ravel().tolist()
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    moved = sitk.Resample(image, size, transform, interpolator, [0.0] * 3, [1.0] * 3, direction, outside)
    return sitk.GetArrayFromImage(moved).T


@pytest.mark.parametrize("turn", [0.0, 11.0])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.8, 3.1)])
@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5])
def test_it_is_what_simpleitk_computes(turn, spacing, shift):
    """Ties and the border included: half a voxel below the first counts as inside, half a voxel above the last not."""
    sitk = pytest.importorskip("SimpleITK")
    source = Grid(shape=(30, 34, 26), affine=np.diag([1.0, 1.0, 2.0, 1.0]))
    angle = np.radians(turn)
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing)
    affine[:2, :2] = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ affine[:2, :2]
    affine[:3, 3] = (-3 + shift, -2 + shift, -4 + 2 * shift)
    target = Grid(shape=(41, 52, 40), affine=affine)
    rng = np.random.default_rng(4711)
    hu = rng.integers(-900, 1500, source.shape).astype(np.float32)
    labels = rng.integers(1, 26, source.shape).astype(np.uint16)
    ours = resample_volume(Volume(grid=source, hu=hu), target).hu
    theirs = by_simpleitk(hu, source, target, sitk.sitkLinear, -1000.0)
    assert np.allclose(ours, theirs, atol=1e-3)
    inside = np.mean(ours != -1000)
    assert 0.1 < inside < 0.9
    ours = resample_labels(LabelMap(grid=source, labels=labels, scheme="verse"), target).labels
    assert np.array_equal(ours, by_simpleitk(labels, source, target, sitk.sitkNearestNeighbor, 0))

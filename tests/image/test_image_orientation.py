"""Any axis order, direction, spacing or obliquity of the file gives the same patient."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.small_spine import LEFT_MARK_HU, SHAPE, grid, save_nifti, spine

from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.orient import closest_lps
from endplate.image.volume import Grid

ORDERS = [(order, flips) for order in permutations(range(3)) for flips in product((False, True), repeat=3)]


def stored_in(array, affine, order, flips):
    """The same voxels as a file of that axis order and direction would hold them."""
    moved = array.transpose(order)
    to_source = np.zeros((4, 4))
    to_source[3, 3] = 1
    for new, (old, flip) in enumerate(zip(order, flips, strict=True)):
        to_source[old, new] = -1 if flip else 1
        to_source[old, 3] = array.shape[old] - 1 if flip else 0
    moved = moved[tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)]
    return np.ascontiguousarray(moved), affine @ to_source


@pytest.mark.parametrize(("order", "flips"), ORDERS)
def test_every_axis_order_and_flip_reads_as_the_same_ct_and_labels(tmp_path, order, flips):
    volume, labels = spine()
    for name, array in (("ct", volume.hu), ("labels", labels.labels)):
        moved, affine = stored_in(array, volume.grid.affine, order, flips)
        save_nifti(tmp_path / f"{name}.nii", moved, Grid(shape=moved.shape, affine=affine))
    ct, found = read_ct(tmp_path / "ct.nii"), read_labels(tmp_path / "labels.nii")
    assert np.array_equal(ct.hu, volume.hu)
    assert np.array_equal(found.labels, labels.labels)
    assert ct.grid.matches(volume.grid)
    assert ct.hu.flags.c_contiguous


def test_left_stays_left(tmp_path):
    volume, _ = spine()
    moved, affine = stored_in(volume.hu, volume.grid.affine, (2, 0, 1), (True, True, False))
    ct = read_ct(save_nifti(tmp_path / "ct.nii.gz", moved, Grid(shape=moved.shape, affine=affine)))
    mark = np.argwhere(ct.hu == LEFT_MARK_HU)
    assert len(mark) > 5
    spine_x = ct.grid.to_mm(np.argwhere(ct.hu > 150)).mean(axis=0)[0]
    assert ct.grid.to_mm(mark)[:, 0].min() > spine_x + 15


@pytest.mark.parametrize("degrees", [(0, 0, 12), (25, -10, 5), (44, 0, 0), (0, 50, 0), (30, 30, 30)])
def test_an_oblique_scan_keeps_every_voxel_in_its_place(tmp_path, degrees):
    volume, _ = spine()
    tilted = turned(degrees) @ volume.grid.affine
    path = save_nifti(tmp_path / "ct.nii", volume.hu, Grid(shape=SHAPE, affine=tilted))
    ct = read_ct(path)
    marks = ct.grid.to_mm(np.argwhere(ct.hu == LEFT_MARK_HU)).mean(axis=0)
    expected = Grid(shape=SHAPE, affine=tilted).to_mm(np.argwhere(volume.hu == LEFT_MARK_HU)).mean(axis=0)
    assert np.allclose(marks, expected, atol=1e-3)
    along = np.diag(ct.grid.affine[:3, :3] / ct.grid.spacing_mm)
    assert (along > 0).all()


def turned(degrees):
    matrix = np.eye(4)
    for axis, angle in enumerate(np.radians(degrees)):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(4)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


@settings(deadline=None, max_examples=200)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(0.2, 5)] * 3),
    which=st.integers(0, 47),
)
def test_reorienting_moves_no_voxel_and_keeps_handedness_of_the_patient(angles, spacing, which):
    rng = np.random.default_rng(which)
    array = rng.integers(0, 1000, (3, 4, 5))
    affine = turned(angles) @ np.diag([*spacing, 1.0])
    order, flips = ORDERS[which]
    moved, moved_affine = stored_in(array, affine, order, flips)
    out, out_affine = closest_lps(moved, moved_affine)
    again, again_affine = closest_lps(out, out_affine)
    assert np.array_equal(out, again)
    assert np.allclose(out_affine, again_affine)
    assert out_affine[:3, :3].diagonal().min() > -1e-9
    index = np.argwhere(array == array[2, 3, 4])
    where = {tuple(np.round(affine[:3, :3] @ i + affine[:3, 3], 6)) for i in index}
    found = {tuple(np.round(out_affine[:3, :3] @ i + out_affine[:3, 3], 6)) for i in np.argwhere(out == array[2, 3, 4])}
    assert np.allclose(sorted(where), sorted(found), atol=1e-5)


def test_spacing_and_volume_survive_reorientation():
    g = grid()
    _, affine = closest_lps(*stored_in(np.zeros(SHAPE), g.affine, (1, 2, 0), (True, False, True)))
    assert np.allclose(Grid(shape=SHAPE, affine=affine).spacing_mm, g.spacing_mm)

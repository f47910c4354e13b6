"""Numbers of nodes and elements, and pieces that hang together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from endplate.numerics.voxel.connected_components import largest_piece
from endplate.numerics.voxel.element import CORNERS
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.simd_batches import pack

masks = arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=7)).filter(lambda a: a.any())


@settings(max_examples=60, deadline=None)
@given(masks)
def test_every_corner_of_every_voxel_has_one_number(mask):
    mesh = VoxelMesh.from_active(mask, 0.7)
    assert mesh.n_elements == mask.sum()
    assert len(np.unique(mesh.node_ijk, axis=0)) == mesh.n_nodes
    for corner in range(8):
        np.testing.assert_array_equal(mesh.node_ijk[mesh.element_nodes[:, corner]], mesh.element_ijk + CORNERS[corner])
    np.testing.assert_array_equal(mesh.node_at(mesh.node_ijk), np.arange(mesh.n_nodes))


@settings(max_examples=60, deadline=None)
@given(masks)
def test_lanes_hold_every_element_once(mask):
    lanes = pack(VoxelMesh.from_active(mask, 1.0))
    seen = np.concatenate([np.arange(e, e + n) for e, n in zip(lanes.element, lanes.length, strict=True)])
    np.testing.assert_array_equal(seen, np.arange(mask.sum()))
    assert (lanes.lane + lanes.length < 64).all()


def test_a_place_without_node_is_minus_one():
    mesh = VoxelMesh.from_active(np.array([[[True, False, False]]]), 1.0)
    np.testing.assert_array_equal(mesh.node_at([[0, 0, 1], [0, 0, 3], [-1, 0, 0], [0, 0, 9]]), [1, -1, -1, -1])


@pytest.mark.parametrize("bad", [np.zeros((2, 2, 2), bool), np.ones((2, 2), bool)])
def test_a_mask_that_is_no_body_is_refused(bad):
    with pytest.raises(ValueError, match="mask"):
        VoxelMesh.from_active(bad, 1.0)


@pytest.mark.parametrize("spacing", [0.0, -1.0, np.nan])
def test_a_spacing_that_is_no_length_is_refused(spacing):
    with pytest.raises(ValueError, match="positive"):
        VoxelMesh.from_active(np.ones((1, 1, 1), bool), spacing)


def test_loose_voxels_are_dropped_and_counted():
    mask = np.zeros((6, 6, 6), bool)
    mask[:3, :3, :3] = True
    mask[3, 3, 3] = True  # touches only by a corner
    mask[5, 5, :2] = True
    keep, dropped = largest_piece(mask)
    assert dropped == 3
    assert keep.sum() == 27

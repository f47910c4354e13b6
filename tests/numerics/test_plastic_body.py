"""Internal forces: the elastic operator's where nothing yields, in balance and independent of threads everywhere."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from endplate.numerics.plasticity.body import PlasticBody
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator


@pytest.fixture
def sponge() -> tuple[VoxelMesh, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4711)
    mesh = VoxelMesh.from_active(rng.random((7, 6, 5)) > 0.3, 0.8)
    return mesh, rng.uniform(1, 900, mesh.n_elements), 1e-2 * rng.normal(size=(mesh.n_nodes, 3))


@pytest.mark.parametrize("element", ["full", "bbar"])
def test_unyielding_body_has_the_elastic_operators_forces(sponge, element, backend) -> None:
    mesh, modulus, u = sponge
    body = PlasticBody(mesh, modulus, np.full(mesh.n_elements, np.inf), 0.3, "tresca", element, backend)
    expected = ElasticOperator(mesh, modulus, 0.3, element).apply(u)
    np.testing.assert_allclose(body.internal_force(u), expected, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("criterion", ["tresca", "von_mises"])
def test_forces_balance_and_do_no_work_on_rigid_motion(sponge, criterion, backend) -> None:
    mesh, modulus, u = sponge
    force = PlasticBody(mesh, modulus, 0.002 * modulus, 0.3, criterion, backend=backend).internal_force(u)
    size = np.abs(force).sum()
    assert np.abs(force.sum(axis=0)).max() < 1e-12 * size
    assert np.abs(np.cross(mesh.node_ijk, force).sum(axis=0)).max() < 1e-11 * size


def test_committed_state_gives_the_same_forces(sponge, backend) -> None:
    mesh, modulus, u = sponge
    body = PlasticBody(mesh, modulus, 0.002 * modulus, 0.3, backend=backend)
    before = body.internal_force(u)
    body.commit(u)
    np.testing.assert_allclose(body.internal_force(u), before, atol=1e-5 * np.abs(before).max())


def test_number_of_threads_does_not_change_a_bit(sponge) -> None:
    mesh, modulus, u = sponge
    body = PlasticBody(mesh, modulus, 0.002 * modulus, 0.3)
    many = body.internal_force(u)
    usual = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = body.internal_force(u)
    finally:
        numba.set_num_threads(usual)
    np.testing.assert_array_equal(one, many)


def test_wrong_sizes_are_refused(sponge) -> None:
    mesh, modulus, _ = sponge
    with pytest.raises(ValueError, match="must be"):
        PlasticBody(mesh, modulus[:-1], modulus, 0.3)

"""Return to the yield surface: admissible, closest, and equal to the closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from endplate.numerics.plasticity.body import PlasticBody
from endplate.numerics.plasticity.return_mapping import Criterion, equivalent_stress, return_stress
from endplate.numerics.voxel.mesh import VoxelMesh

E, NU, Y = 300.0, 0.3, 2.0
SHEAR = E / (2 * (1 + NU))
BULK = E / (3 * (1 - 2 * NU))
BOTH: tuple[Criterion, ...] = ("tresca", "von_mises")


def random_stress(count: int, size: float) -> np.ndarray:
    return size * np.random.default_rng(4711).normal(size=(count, 6))


def one_voxel(criterion: Criterion = "tresca", element: str = "full") -> PlasticBody:
    mesh = VoxelMesh.from_active(np.ones((1, 1, 1), bool), 1.0)
    return PlasticBody(mesh, [E], [Y], NU, criterion, element)


def face_force(body: PlasticBody, gradient: np.ndarray, axis: int) -> np.ndarray:
    """Force on the far face of a unit voxel under a uniform displacement gradient: the stress there."""
    force = body.internal_force(body.mesh.node_ijk @ gradient.T)
    return force[body.mesh.node_ijk[:, axis] == 1].sum(axis=0)


@pytest.mark.parametrize("criterion", BOTH)
def test_returned_stress_lies_on_the_surface_and_elastic_stress_is_untouched(criterion: Criterion) -> None:
    trial = random_stress(4000, 2.0)
    before, back = equivalent_stress(trial, criterion), return_stress(trial, Y, criterion)
    yielding = before > Y
    assert yielding.any() and not yielding.all()
    np.testing.assert_allclose(equivalent_stress(back[yielding], criterion), Y, rtol=1e-9)
    np.testing.assert_allclose(back[~yielding], trial[~yielding], atol=1e-12)
    np.testing.assert_allclose(back[:, :3].sum(axis=1), trial[:, :3].sum(axis=1), atol=1e-10)


@pytest.mark.parametrize("criterion", BOTH)
def test_no_admissible_stress_is_closer_than_the_returned_one(criterion: Criterion) -> None:
    trial = random_stress(300, 5.0)
    back = return_stress(trial, Y, criterion)
    others = return_stress(random_stress(300, 3.0), Y, criterion)
    weight = np.array([1, 1, 1, 2, 2, 2])
    inner = ((trial - back) * weight) @ others.T - (((trial - back) * weight) * back).sum(axis=1)[:, None]
    assert inner.max() <= 1e-9  # the variational inequality of a projection onto a convex set


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_tresca_corner_of_two_equal_principal_stresses_is_exact(sign: float) -> None:
    trial = sign * np.array([[9.0, 0, 0, 0, 0, 0], [3.0, 9.0, 9.0, 0, 0, 0]])
    back = return_stress(trial, Y, "tresca")
    mean = trial[:, :3].mean(axis=1)
    expected = np.array([[2 / 3, -1 / 3, -1 / 3], [-2 / 3, 1 / 3, 1 / 3]]) * sign * Y + mean[:, None]
    np.testing.assert_allclose(back[:, :3], expected, atol=1e-7)


@pytest.mark.parametrize(("criterion", "limit"), [("tresca", Y / 2), ("von_mises", Y / math.sqrt(3))])
def test_pure_shear_yields_at_the_closed_form(criterion: Criterion, limit: float) -> None:
    body, gradient = one_voxel(criterion), np.zeros((3, 3))
    gradient[0, 1] = 3 * limit / SHEAR
    assert face_force(body, gradient, 1)[0] == pytest.approx(limit, rel=1e-9)
    gradient[0, 1] = 0.9 * limit / SHEAR
    assert face_force(body, gradient, 1)[0] == pytest.approx(0.9 * limit, rel=1e-9)


@pytest.mark.parametrize("criterion", BOTH)
@pytest.mark.parametrize("element", ["full", "bbar"])
def test_confined_compression_hardens_with_the_bulk_modulus(criterion: Criterion, element: str) -> None:
    body, gradient, strain = one_voxel(criterion, element), np.zeros((3, 3)), -0.03
    gradient[2, 2] = strain
    assert face_force(body, gradient, 2)[2] == pytest.approx(BULK * strain - 2 / 3 * Y, rel=1e-7)
    assert face_force(body, gradient, 0)[0] == pytest.approx(BULK * strain + 1 / 3 * Y, rel=1e-7)


@pytest.mark.parametrize(("criterion", "limit"), [("tresca", Y / 2), ("von_mises", Y / math.sqrt(3))])
def test_cyclic_shear_unloads_elastically_and_yields_in_reverse(criterion: Criterion, limit: float) -> None:
    body, gradient, top = one_voxel(criterion), np.zeros((3, 3)), 3 * limit / SHEAR
    expected = {1.0: limit, 0.5: -0.5 * limit, 0.0: -limit, -1.0: -limit, 0.0001: limit}
    for share, stress in expected.items():
        gradient[0, 1] = share * top
        if share != 0.0001:
            assert face_force(body, gradient, 1)[0] == pytest.approx(stress, rel=2e-6)
        body.commit(body.mesh.node_ijk @ gradient.T)
    assert body.equivalent_plastic_strain()[0] > 0


def test_plastic_strain_keeps_volume() -> None:
    mesh = VoxelMesh.from_active(np.ones((3, 2, 2), bool), 0.7)
    body = PlasticBody(mesh, np.full(12, E), np.full(12, 0.1), NU)
    body.commit(0.01 * np.random.default_rng(77).normal(size=(mesh.n_nodes, 3)))
    assert np.abs(body.plastic).max() > 1e-3
    np.testing.assert_allclose(body.plastic[:, :3].sum(axis=1), 0, atol=1e-8)

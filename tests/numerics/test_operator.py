"""One body of tests for each way to apply the stiffness: in tensor modes (double, single) and assembled."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from verification.dense_reference import assemble

from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator


def assembled(mesh, modulus, poisson, element):
    K = assemble(mesh, modulus, poisson, element)
    return lambda u: (K @ np.asarray(u).ravel()).reshape(-1, 3)


def modal(mesh, modulus, poisson, element, dtype):
    return ElasticOperator(mesh, modulus, poisson, element, dtype).apply


BACKENDS = {
    "assembled": (assembled, 1e-12),
    "double": (partial(modal, dtype=np.float64), 1e-12),
    "single": (partial(modal, dtype=np.float32), 1e-5),
}


@pytest.fixture(params=BACKENDS)
def backend(request):
    return BACKENDS[request.param]


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(4711)
    mesh = VoxelMesh.from_active(rng.random((9, 8, 70)) < 0.6, 0.8)  # longer than a batch of lanes
    return mesh, 10 ** rng.uniform(0, 4, mesh.n_elements)


@pytest.mark.parametrize("element", ["full", "bbar"])
def test_all_agree_with_the_assembled_matrix(backend, model, element):
    make, tolerance = backend
    mesh, modulus = model
    u = np.random.default_rng(7).standard_normal((mesh.n_nodes, 3))
    expected = assemble(mesh, modulus, 0.3, element) @ u.ravel()
    got = make(mesh, modulus, 0.3, element)(u).ravel()
    assert np.abs(got - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("element", ["full", "bbar"])
def test_stiffness_is_symmetric_and_rigid_motion_costs_nothing(backend, model, element):
    make, tolerance = backend
    mesh, modulus = model
    K = make(mesh, modulus, 0.3, element)
    rng = np.random.default_rng(11)
    u, v = rng.standard_normal((2, mesh.n_nodes, 3))
    scale = np.linalg.norm(K(u)) * np.linalg.norm(v)
    assert abs((K(u) * v).sum() - (K(v) * u).sum()) <= tolerance * scale
    x = mesh.node_ijk - mesh.node_ijk.mean(axis=0)
    rigid = np.cross([0.3, -0.2, 0.1], x) + np.array([1.0, 2.0, -1.0])
    assert np.abs(K(rigid)).max() <= tolerance * np.abs(modulus).max() * np.abs(rigid).max()


def test_diagonal_and_modulus_update(model):
    mesh, modulus = model
    operator = ElasticOperator(mesh, modulus, 0.2, "bbar")
    np.testing.assert_allclose(operator.diagonal().ravel(), assemble(mesh, modulus, 0.2, "bbar").diagonal())
    u = np.random.default_rng(3).standard_normal((mesh.n_nodes, 3))
    operator.set_modulus(modulus[::-1])
    np.testing.assert_allclose(operator.apply(u), ElasticOperator(mesh, modulus[::-1], 0.2, "bbar").apply(u))


def test_several_threads_give_the_same_forces(monkeypatch):
    rng = np.random.default_rng(5)
    mesh = VoxelMesh.from_active(rng.random((40, 24, 24)) < 0.9, 1.0)
    modulus = rng.random(mesh.n_elements) + 0.1
    u = rng.standard_normal((mesh.n_nodes, 3))
    answers = []
    for threads in (1, 3):
        monkeypatch.setattr("endplate.numerics.voxel.simd_batches.thread_count", lambda n=threads: n)
        operator = ElasticOperator(mesh, modulus)
        assert operator.lanes.chunk.size == 2 * threads
        answers.append(operator.apply(u))
    np.testing.assert_allclose(answers[0], answers[1], rtol=0, atol=1e-13 * np.abs(answers[0]).max())


@settings(max_examples=40, deadline=None)
@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=6)).filter(lambda a: a.any()), st.integers(0, 10**6))
def test_any_mask_is_applied_right(mask, seed):
    rng = np.random.default_rng(seed)
    mesh = VoxelMesh.from_active(mask, 1.3)
    modulus, u = 10 ** rng.uniform(-1, 4, mesh.n_elements), rng.standard_normal((mesh.n_nodes, 3))
    expected = assemble(mesh, modulus, 0.3) @ u.ravel()
    np.testing.assert_allclose(
        ElasticOperator(mesh, modulus).apply(u).ravel(), expected, rtol=0, atol=1e-12 * np.abs(expected).max()
    )


def test_bad_moduli_are_refused(model):
    mesh, modulus = model
    for bad in (modulus[:-1], np.where(modulus == modulus[0], 0, modulus), np.full_like(modulus, np.nan)):
        with pytest.raises(ValueError, match="modulus"):
            ElasticOperator(mesh, bad)

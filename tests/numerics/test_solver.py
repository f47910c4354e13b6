"""Solutions against closed forms, a direct solver, and balance."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from verification.dense_reference import assemble, solve_directly

from endplate.errors import SolverError
from endplate.numerics.solver import ElasticSolver
from endplate.numerics.voxel.connected_components import largest_piece
from endplate.numerics.voxel.mesh import VoxelMesh


def blob(seed, shape=(11, 10, 12)):
    mask, _ = largest_piece(np.random.default_rng(seed).random(shape) < 0.75)
    return VoxelMesh.from_active(mask, 0.9)


@pytest.mark.parametrize("element", ["full", "bbar"])
def test_patch_of_mixed_shape_takes_a_constant_strain(element, backend):
    mesh = blob(4711)
    x = mesh.node_ijk * mesh.spacing_mm
    gradient = np.random.default_rng(7).uniform(-0.01, 0.01, (3, 3))
    exact = x @ gradient.T
    inside = np.bincount(mesh.element_nodes.ravel(), minlength=mesh.n_nodes) == 8
    fixed = np.repeat(~inside[:, None], 3, axis=1)
    assert inside.sum() > 50
    solver = ElasticSolver(mesh, 730.0, 0.31, fixed, element, backend)
    u, report = solver.solve(prescribed=exact, tolerance=1e-11)
    assert np.abs(u - exact).max() <= 1e-8 * np.abs(exact).max()
    assert report.residual <= 1e-11


@pytest.mark.parametrize("element", ["full", "bbar"])
def test_solution_is_that_of_a_direct_solver(element, backend):
    mesh = blob(31)
    rng = np.random.default_rng(5)
    modulus = 10 ** rng.uniform(0, 4, mesh.n_elements)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    fixed[mesh.nodes_on_plane(2, 0)] = True
    fixed[mesh.nodes_on_plane(2, 12), 2] = True
    force, prescribed = rng.standard_normal((2, mesh.n_nodes, 3))
    u, _ = ElasticSolver(mesh, modulus, 0.3, fixed, element, backend).solve(force, prescribed, tolerance=1e-10)
    expected = solve_directly(assemble(mesh, modulus, 0.3, element), fixed, force, prescribed)
    assert np.abs(u - expected).max() <= 1e-6 * np.abs(expected).max()
    np.testing.assert_array_equal(u[fixed], prescribed[fixed])


@settings(max_examples=25, deadline=None)
@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=9)), st.integers(1, 10**6))
def test_any_body_that_is_held_is_solved(mask, seed):
    assume(mask.any())
    mask, _ = largest_piece(mask)
    mesh = VoxelMesh.from_active(mask, 1.0)
    rng = np.random.default_rng(seed)
    modulus = 10 ** rng.uniform(0, 4, mesh.n_elements)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    fixed[mesh.element_nodes[rng.integers(mesh.n_elements)]] = True
    force = rng.standard_normal((mesh.n_nodes, 3))
    solver = ElasticSolver(mesh, modulus, 0.3, fixed)
    u, _ = solver.solve(force, tolerance=1e-9)
    residual = (force - solver.operator.apply(u))[~fixed]
    assert np.linalg.norm(residual) <= 1e-9 * np.linalg.norm(force[~fixed]) * (1 + 1e-6) + 1e-12
    expected = solve_directly(assemble(mesh, modulus, 0.3), fixed, force, np.zeros_like(force))
    assert np.abs(u - expected).max() <= 1e-4 * np.abs(expected).max()


def pressed(mesh, height):
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    low, top = mesh.nodes_on_plane(2, 0), mesh.nodes_on_plane(2, height)
    fixed[low, 2] = fixed[top, 2] = True
    prescribed = np.zeros(fixed.shape)
    prescribed[top, 2] = -0.1
    return fixed, prescribed, low, top


def test_reactions_balance_even_when_rigid_motion_is_free():
    mesh = blob(17)
    fixed, prescribed, low, top = pressed(mesh, 12)
    solver = ElasticSolver(mesh, 500.0, 0.3, fixed)
    u, _ = solver.solve(prescribed=prescribed, tolerance=1e-10)
    below, above = solver.operator.reaction(u, low), solver.operator.reaction(u, top)
    assert below[2] > 0
    np.testing.assert_allclose(below, -above, atol=1e-8 * below[2])


def test_bars_in_series_and_in_parallel():
    mesh = VoxelMesh.from_active(np.ones((4, 6, 10), bool), 0.5)
    fixed, prescribed, low, _ = pressed(mesh, 10)
    for axis, mean in ((2, lambda e: 1 / np.mean(1 / e)), (1, np.mean)):
        layers = np.linspace(100, 2000, mesh.shape[axis])
        solver = ElasticSolver(mesh, layers[mesh.element_ijk[:, axis]], 0.0, fixed)
        u, _ = solver.solve(prescribed=prescribed, tolerance=1e-12)
        expected = mean(layers) * (4 * 6 * 0.5**2) / (10 * 0.5) * 0.1
        assert solver.operator.reaction(u, low)[2] == pytest.approx(expected, rel=1e-8)


def test_a_good_guess_saves_iterations_and_new_moduli_are_taken():
    mesh = blob(23)
    fixed, prescribed, _, _ = pressed(mesh, 12)
    modulus = np.full(mesh.n_elements, 300.0)
    solver = ElasticSolver(mesh, modulus, 0.3, fixed)
    u, cold = solver.solve(prescribed=prescribed)
    _, warm = solver.solve(prescribed=prescribed, initial=u)
    assert warm.iterations == 0 < cold.iterations
    modulus[::2] = 30.0
    solver.set_modulus(modulus)
    again, report = solver.solve(prescribed=prescribed, tolerance=1e-9)
    fresh = ElasticSolver(mesh, modulus, 0.3, fixed)
    expected, fresh_report = fresh.solve(prescribed=prescribed, tolerance=1e-9)
    assert report.iterations == fresh_report.iterations
    np.testing.assert_allclose(fresh.operator.apply(again), fresh.operator.apply(expected), atol=1e-6)


def test_a_body_held_nowhere_under_load_is_an_error_that_says_so():
    mesh = blob(29)
    force = np.zeros((mesh.n_nodes, 3))
    force[0, 2] = 1.0
    with pytest.raises(SolverError, match="supported"):
        ElasticSolver(mesh, 100.0, 0.3, np.zeros((mesh.n_nodes, 3), bool)).solve(force)


def test_no_load_is_no_displacement():
    mesh = blob(37)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    fixed[:8] = True
    u, report = ElasticSolver(mesh, 100.0, 0.3, fixed).solve()
    assert not u.any()
    assert report.iterations == 0


def test_memory_is_at_most_120_bytes_per_unknown():
    mesh = VoxelMesh.from_active(np.ones((48, 48, 48), bool), 1.0)
    fixed, prescribed, _, _ = pressed(mesh, 48)
    _, report = ElasticSolver(mesh, 100.0, 0.3, fixed).solve(prescribed=prescribed)
    assert report.memory_bytes <= 120 * report.unknowns

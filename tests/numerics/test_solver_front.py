"""The solver for others: SciPy's operators, a callback, a repr that says what was built, and nothing to solve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import cg
from verification.dense_reference import assemble

import endplate as ep
from endplate.numerics import ElasticSolver, VoxelMesh


@pytest.fixture(scope="module")
def body() -> tuple[VoxelMesh, np.ndarray, np.ndarray, np.ndarray]:
    """A block with a hole: mesh, moduli, supports, and a push from above."""
    active = np.ones((9, 8, 13), bool)
    active[3:6, 3:5, 4:9] = False
    mesh = VoxelMesh.from_active(active, 1.5)
    modulus = 10 ** np.random.default_rng(4711).uniform(2, 4, mesh.n_elements)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    fixed[mesh.nodes_on_plane(2, 0)] = fixed[mesh.nodes_on_plane(2, 13)] = True
    pushed = np.zeros((mesh.n_nodes, 3))
    pushed[mesh.nodes_on_plane(2, 13), 2] = -0.1
    return mesh, modulus, fixed, pushed


def test_the_stiffness_operator_is_the_assembled_matrix(body) -> None:
    mesh, modulus, fixed, _ = body
    A = ElasticSolver(mesh, modulus, 0.3, fixed).aslinearoperator()
    K = assemble(mesh, modulus, 0.3).toarray()
    held = fixed.ravel()
    K[held] = K[:, held] = 0.0
    K[held, held] = 1.0
    v = np.random.default_rng(5).standard_normal(K.shape[0])
    np.testing.assert_allclose(A @ v, K @ v, rtol=1e-9, atol=1e-9 * np.abs(K @ v).max())
    np.testing.assert_allclose(A.T @ v, K @ v, rtol=1e-9, atol=1e-9 * np.abs(K @ v).max())


def test_the_preconditioner_is_symmetric_and_positive(body) -> None:
    mesh, modulus, fixed, _ = body
    M = ElasticSolver(mesh, modulus, 0.3, fixed).aspreconditioner()
    rng = np.random.default_rng(7)
    for _ in range(5):
        a, b = rng.standard_normal((2, M.shape[0]))
        assert a @ (M @ b) == pytest.approx(b @ (M @ a), rel=1e-3, abs=1e-5 * np.linalg.norm(a) * np.linalg.norm(b))
        assert a @ (M @ a) > 0
    unit = np.zeros(M.shape[0])
    unit[np.flatnonzero(fixed.ravel())[0]] = 1.0
    np.testing.assert_array_equal(M @ unit, unit)


def test_scipy_with_the_preconditioner_finds_the_solution_of_solve(body) -> None:
    mesh, modulus, fixed, pushed = body
    solver = ElasticSolver(mesh, modulus, 0.3, fixed)
    expected, _ = solver.solve(prescribed=pushed, tolerance=1e-9)
    plain, with_cycle = list[int](), list[int]()
    A, b = solver.aslinearoperator(), solver.right_side(prescribed=pushed)
    u, failed = cg(A, b, rtol=1e-8, M=solver.aspreconditioner(), callback=lambda _: with_cycle.append(1))
    assert failed == 0
    assert np.abs(u.reshape(-1, 3) - expected).max() <= 1e-5 * np.abs(expected).max()
    _, failed = cg(A, b, rtol=1e-8, callback=lambda _: plain.append(1))
    assert failed == 0
    assert len(with_cycle) < len(plain) / 5


def test_the_callback_counts_every_iteration_and_falls_to_the_tolerance(body) -> None:
    mesh, modulus, fixed, pushed = body
    seen: list[tuple[int, float]] = []
    _, report = ElasticSolver(mesh, modulus, 0.3, fixed).solve(
        prescribed=pushed, tolerance=1e-8, callback=lambda number, residual: seen.append((number, residual))
    )
    assert [number for number, _ in seen] == list(range(1, report.iterations + 1))
    assert seen[0][1] > 1e-3
    assert seen[-1][1] <= 1e-8
    assert report.residual == pytest.approx(seen[-1][1], rel=0.5)


def test_without_any_load_a_guess_is_not_kept(body) -> None:
    mesh, modulus, fixed, _ = body
    u, report = ElasticSolver(mesh, modulus, 0.3, fixed).solve(initial=np.ones((mesh.n_nodes, 3)))
    assert not u.any()
    assert report.iterations == 0


def test_the_solver_prints_levels_and_complexities(body) -> None:
    mesh, modulus, fixed, _ = body
    text = repr(ElasticSolver(mesh, modulus, 0.3, fixed))
    assert f"{mesh.n_elements} voxels of 1.5 mm" in text
    assert "grid complexity 1." in text
    assert "operator complexity 1." in text
    assert "direct" in text
    assert len(text.splitlines()) < 12


def test_the_numerics_are_reached_from_the_package() -> None:
    assert ep.numerics.VoxelMesh is VoxelMesh
    for name in ep.numerics.__all__:
        assert getattr(ep.numerics, name).__module__.startswith("endplate.numerics.")
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = ep.numerics.Nothing

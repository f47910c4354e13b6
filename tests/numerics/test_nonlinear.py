"""Load-displacement curves: limit loads of bars, honesty about failure, and a tolerance that hardly matters."""

from __future__ import annotations

import numpy as np
import pytest

from endplate.numerics.anderson import Anderson
from endplate.numerics.plasticity.body import PlasticBody
from endplate.numerics.plasticity.load_path import LoadPath, PathSettings, follow_path
from endplate.numerics.solver import ElasticSolver
from endplate.numerics.voxel.mesh import VoxelMesh

E, NU = 200.0, 0.3


def compress(
    active: np.ndarray,
    yield_mpa: np.ndarray,
    strains: np.ndarray,
    settings: PathSettings,
    criterion: str = "tresca",
    modulus: np.ndarray | None = None,
) -> tuple[LoadPath, PlasticBody]:
    """Squeeze a block between frictionless plates."""
    mesh = VoxelMesh.from_active(active, 1.0)
    stiff = np.full(mesh.n_elements, E) if modulus is None else modulus
    top = mesh.node_ijk[:, 2] == active.shape[2]
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    fixed[top | (mesh.node_ijk[:, 2] == 0), 2] = True
    corner, beside = mesh.node_at([0, 0, 0]), mesh.node_at([active.shape[0], 0, 0])
    fixed[corner, :2] = fixed[beside, 1] = True  # no rigid motion; such supports carry nothing
    prescribed = np.zeros((mesh.n_nodes, 3))
    prescribed[top, 2] = -1.0
    solver = ElasticSolver(mesh, stiff, NU, fixed, "bbar")
    unit, _ = solver.solve(prescribed=prescribed, tolerance=1e-9)
    body = PlasticBody(mesh, stiff, yield_mpa, NU, criterion, "bbar")
    return follow_path(body, solver.precondition, fixed, unit, strains * active.shape[2], settings), body


@pytest.mark.parametrize("criterion", ["tresca", "von_mises"])
def test_uniform_bar_is_elastic_then_flat_at_yield_times_area(criterion: str) -> None:
    bar = np.ones((4, 4, 8), bool)
    path, _ = compress(bar, np.full(bar.size, 1.5), np.array([0.005, 0.01, 0.02]), PathSettings(), criterion)
    assert path.converged
    np.testing.assert_allclose(path.force_n, [0, 200 * 0.005 * 16, 1.5 * 16, 1.5 * 16], rtol=1e-3)


def test_strong_and_weak_halves_side_by_side_add_their_yields() -> None:
    bar = np.ones((6, 4, 6), bool)
    strength = np.where(np.argwhere(bar)[:, 0] < 3, 1.0, 2.0)
    path, _ = compress(bar, strength, np.array([0.003, 0.008, 0.015]), PathSettings(tolerance=1e-3))
    assert path.converged
    assert path.force_n[-1] == pytest.approx(12 * 1.0 + 12 * 2.0, rel=5e-3)


def test_weakest_layer_decides_in_a_stack() -> None:
    bar = np.ones((4, 4, 10), bool)
    weak = np.argwhere(bar)[:, 2] < 6
    strength = np.where(weak, 1.0, 3.0)
    path, body = compress(bar, strength, np.array([0.004, 0.01, 0.02]), PathSettings(tolerance=1e-3))
    assert path.force_n[-1] == pytest.approx(16 * 1.0, rel=0.02)
    assert body.equivalent_plastic_strain()[weak].min() > 5 * body.equivalent_plastic_strain()[~weak].max()


def test_looser_equilibrium_hardly_moves_the_force() -> None:
    rng = np.random.default_rng(4711)
    active = rng.random((8, 8, 10)) > 0.15
    active[:, :, [0, -1]] = True
    modulus = rng.uniform(50, 400, active.sum())
    strains = np.array([0.003, 0.006, 0.01, 0.02])
    forces = []
    for tolerance in (1e-2, 1e-4):
        path, _ = compress(active, 0.006 * modulus, strains, PathSettings(tolerance=tolerance), modulus=modulus)
        assert path.converged
        forces.append(path.force_n[np.isin(path.travel_mm, strains * active.shape[2])])
    np.testing.assert_allclose(forces[0], forces[1], rtol=2e-3)


def test_curve_that_cannot_converge_ends_with_a_reason() -> None:
    bar = np.ones((4, 4, 4), bool)
    strength = np.where(np.argwhere(bar)[:, 0] < 2, 0.2, 2.0)
    settings = PathSettings(tolerance=1e-9, max_iterations=1, max_halvings=1)
    path, _ = compress(bar, strength, np.array([0.0005, 0.02]), settings)
    assert not path.converged
    assert "no equilibrium" in path.reason
    assert len(path.travel_mm) < 3


def test_progress_reaches_one() -> None:
    bar = np.ones((2, 2, 3), bool)
    mesh = VoxelMesh.from_active(bar, 1.0)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    fixed[:, 2] = True
    unit = np.zeros((mesh.n_nodes, 3))
    unit[:, 2] = -mesh.node_ijk[:, 2] / 3
    solver = ElasticSolver(mesh, np.full(12, E), 0.0, fixed)
    seen: list[float] = []
    body = PlasticBody(mesh, np.full(12, E), np.full(12, 1e9), 0.0)
    follow_path(body, solver.precondition, fixed, unit, [0.1, 0.2], progress=seen.append)
    assert seen == [0.5, 1.0]


def test_anderson_solves_a_linear_problem_in_as_many_steps_as_unknowns() -> None:
    rng = np.random.default_rng(4711)
    q, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    matrix, right = q @ np.diag([1.0, 0.8, 0.5, 0.3, 0.1]) @ q.T, rng.normal(size=5)
    accelerated, plain, mixer = np.zeros(5), np.zeros(5), Anderson(5)
    for _ in range(8):
        accelerated = mixer.next(accelerated, right - matrix @ accelerated)
        plain = plain + right - matrix @ plain
    exact = np.linalg.solve(matrix, right)
    assert np.linalg.norm(accelerated - exact) < 1e-3 * np.linalg.norm(plain - exact)

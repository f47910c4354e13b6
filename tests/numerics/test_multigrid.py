"""The hierarchy: exact Galerkin on every level, no glue, the same iterations at every size."""

from itertools import pairwise

import numpy as np
import pytest
from verification.dense_reference import assemble

from endplate.numerics.solver import ElasticSolver
from endplate.numerics.voxel.element import CORNERS
from endplate.numerics.voxel.mesh import VoxelMesh


def interpolation(step):
    """Dense (3N, 3M) interpolation of a coarsening, straight from its table of places."""
    place, nodes = step.place, step.coarse.element_nodes
    P = np.zeros((place.size, step.coarse.node_ijk.shape[0]))
    for n, code in enumerate(place):
        element, position = divmod(int(code), 27)
        at = np.array([position // 9, position // 3 % 3, position % 3]) / 2
        for corner, weight in enumerate(np.prod(np.where(CORNERS == 1, at, 1 - at), axis=1)):
            P[n, nodes[element, corner]] += weight
    return np.kron(P, np.eye(3))


def as_matrix(level, count):
    """Dense matrix of a level's `subtract`, degrees of freedom 3 * node + component."""
    K = np.empty((3 * count, 3 * count))
    for column in range(3 * count):
        d, r = np.zeros((2, 3, count), dtype=np.float32)
        d[column % 3, column // 3] = 1
        level.subtract(d, r)
        K[:, column] = -r.T.ravel()
    return K


@pytest.fixture(scope="module")
def sponge():
    rng = np.random.default_rng(4711)
    mesh = VoxelMesh.from_active(rng.random((6, 7, 8)) < 0.5, 1.0)
    modulus = 10 ** rng.uniform(1, 3, mesh.n_elements)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    fixed[mesh.nodes_on_plane(2, 0)] = True
    fixed[mesh.nodes_on_plane(2, 8), 2] = True
    fixed[mesh.nodes_on_plane(1, 5)[::3], 0] = True
    return mesh, modulus, fixed


def test_coarse_stiffness_is_exactly_galerkin(sponge, monkeypatch):
    monkeypatch.setattr("endplate.numerics.multigrid.cycle.DIRECT_BELOW", 10)
    mesh, modulus, fixed = sponge
    hierarchy = ElasticSolver(mesh, modulus, 0.3, fixed).multigrid
    free = ~fixed.ravel()
    K = assemble(mesh, modulus, 0.3).toarray() * np.outer(free, free)
    assert len(hierarchy.levels) >= 3
    for step, level in zip(hierarchy.steps, hierarchy.levels[1:], strict=False):
        P = interpolation(step) * free[:, None]
        K = P.T @ K @ P
        got = as_matrix(level, step.coarse.node_ijk.shape[0])
        assert np.abs(got - K).max() <= 1e-5 * np.abs(K).max()
        free = np.ones(K.shape[0], bool)


def test_pieces_that_share_single_corners_still_coarsen_to_the_end():
    mask = np.indices((24, 24, 24)).sum(axis=0) % 2 == 0
    mesh = VoxelMesh.from_active(mask, 1.0)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    fixed[mesh.nodes_on_plane(2, 0)] = True
    hierarchy = ElasticSolver(mesh, 1.0, 0.3, fixed).multigrid
    assert hierarchy.steps[-1].coarse.node_ijk.shape[0] <= 200


def test_transfers_are_each_others_transpose(sponge):
    mesh, modulus, fixed = sponge
    hierarchy = ElasticSolver(mesh, modulus, 0.3, fixed).multigrid
    transfer, step = hierarchy.transfers[0], hierarchy.steps[0]
    P = interpolation(step) * ~fixed.ravel()[:, None]
    rng = np.random.default_rng(7)
    coarse = rng.standard_normal((3, step.coarse.node_ijk.shape[0])).astype(np.float32)
    fine = np.zeros((3, mesh.n_nodes), dtype=np.float32)
    transfer.prolong(coarse, fine)
    np.testing.assert_allclose(fine.T.ravel(), P @ coarse.T.ravel(), atol=1e-5)
    back = np.empty_like(coarse)
    transfer.restrict(fine, back)
    np.testing.assert_allclose(back.T.ravel(), P.T @ fine.T.ravel(), atol=1e-4)


def test_a_gap_is_never_glued():
    """Two sheets with a gap of one voxel share no node on any level that still tells them apart by fine nodes."""
    mask = np.ones((32, 32, 7), bool)
    mask[:, :, 3] = False
    mesh = VoxelMesh.from_active(mask, 1.0)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    hierarchy = ElasticSolver(mesh, 1.0, 0.3, fixed).multigrid
    sheet = mesh.element_ijk[:, 2] > 3
    for step in hierarchy.steps:
        parents = np.zeros(step.coarse.element_nodes.shape[0], int)
        np.bitwise_or.at(parents, step.parent, np.where(sheet, 2, 1))
        assert set(parents) == {1, 2}
        sheet = parents == 2
        below, above = (np.unique(step.coarse.element_nodes[part]) for part in (~sheet, sheet))
        assert np.intersect1d(below, above).size == 0


def test_the_cycle_is_symmetric_and_positive(sponge):
    mesh, modulus, fixed = sponge
    solver = ElasticSolver(mesh, modulus, 0.3, fixed)
    a, b = np.random.default_rng(3).standard_normal((2, mesh.n_nodes, 3))
    left, right = (solver.precondition(a) * b).sum(), (solver.precondition(b) * a).sum()
    scale = np.linalg.norm(solver.precondition(a)) * np.linalg.norm(b)
    assert abs(left - right) <= 1e-4 * scale  # single precision on a sponge full of hinges
    assert (solver.precondition(a) * a).sum() > 0
    assert not solver.precondition(a)[fixed].any()


def test_the_lighter_cycle_converges_by_itself(sponge):
    mesh, modulus, fixed = sponge
    solver = ElasticSolver(mesh, modulus, 0.3, fixed)
    load = np.random.default_rng(3).standard_normal((mesh.n_nodes, 3)) * ~fixed
    wanted, _ = solver.solve(force=load, tolerance=1e-8)
    u, energies = np.zeros_like(load), []
    for _ in range(4):
        away = u - wanted
        energies.append(float((away * solver.operator.apply(away)).sum()))
        u = u + solver.correct((load - solver.operator.apply(u)) * ~fixed)
    assert all(after < 0.7 * before for before, after in pairwise(energies)), energies
    assert not u[fixed].any()


def ball(n):
    x = np.arange(n) - (n - 1) / 2
    r2 = x[:, None, None] ** 2 + x[None, :, None] ** 2 + x[None, None, :] ** 2
    return (r2 < (n / 2) ** 2)[:, :, n // 8 : -(n // 8)]


@pytest.mark.parametrize("n", [12, 24, 48])
def test_iterations_do_not_grow_with_size(n):
    mask = ball(n)
    mesh = VoxelMesh.from_active(mask, 24 / n)
    modulus = 10 ** np.random.default_rng(4711).uniform(1, 3, mesh.n_elements)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    top = mesh.nodes_on_plane(2, mask.shape[2])
    fixed[mesh.nodes_on_plane(2, 0)] = fixed[top] = True
    prescribed = np.zeros(fixed.shape)
    prescribed[top, 2] = -0.1
    _, report = ElasticSolver(mesh, modulus, 0.3, fixed).solve(prescribed=prescribed)
    assert report.iterations <= 15
    assert report.residual <= 1e-6


@pytest.mark.parametrize("insert", [0.1, 2500.0])
def test_a_cleft_or_a_cement_ball_costs_few_iterations(insert):
    mask = ball(40)
    mesh = VoxelMesh.from_active(mask, 1.0)
    place = mesh.element_ijk - np.array(mask.shape) / 2
    inside = (np.abs(place) < [12, 12, 2]).all(axis=1) if insert < 1 else (place**2).sum(axis=1) < 64
    modulus = np.where(inside, insert, 150.0)
    fixed = np.zeros((mesh.n_nodes, 3), bool)
    top = mesh.nodes_on_plane(2, mask.shape[2])
    fixed[mesh.nodes_on_plane(2, 0)] = fixed[top] = True
    prescribed = np.zeros(fixed.shape)
    prescribed[top, 2] = -0.1
    _, report = ElasticSolver(mesh, modulus, 0.3, fixed).solve(prescribed=prescribed)
    assert report.iterations <= 20

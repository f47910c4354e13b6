"""Every device gives the processor's answers; one that is not there is refused."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from benchmarks._models import bone_ball

from endplate.errors import OptionError
from endplate.numerics import ElasticSolver, PlasticBody, follow_path
from endplate.numerics.backend import choose as choosing
from endplate.numerics.backend.choose import check, choose
from endplate.numerics.multigrid.stored_blocks import block_pattern, fill_blocks
from endplate.numerics.voxel.mesh import VoxelMesh


@pytest.fixture(scope="module")
def bone():
    model = bone_ball(1500)
    mesh = model.mesh()
    return mesh, model.element_modulus(mesh), *model.supports(mesh)


def test_bone_has_the_solution_of_the_processor(bone, backend) -> None:
    mesh, modulus, fixed, prescribed = bone
    expected, usual = ElasticSolver(mesh, modulus, 0.3, fixed).solve(prescribed=prescribed, tolerance=1e-9)
    seen: list[float] = []
    solver = ElasticSolver(mesh, modulus, 0.3, fixed, backend=backend)
    u, report = solver.solve(prescribed=prescribed, tolerance=1e-9, callback=lambda _, r: seen.append(r))
    assert np.abs(u - expected).max() < 1e-8 * np.abs(expected).max()
    assert len(seen) == report.iterations and abs(report.iterations - usual.iterations) <= 1
    again, warm = solver.solve(prescribed=prescribed, tolerance=1e-9, initial=u)
    assert warm.iterations <= 1 and np.abs(again - u).max() < 1e-8 * np.abs(u).max()


def test_new_moduli_reach_the_device(bone, backend) -> None:
    mesh, modulus, fixed, prescribed = bone
    changed = modulus * np.linspace(0.2, 3.0, mesh.n_elements)
    solver = ElasticSolver(mesh, modulus, 0.3, fixed, backend=backend)
    solver.set_modulus(changed)
    fresh = ElasticSolver(mesh, changed, 0.3, fixed)
    u, report = solver.solve(prescribed=prescribed, tolerance=1e-9)
    expected, usual = fresh.solve(prescribed=prescribed, tolerance=1e-9)
    assert abs(report.iterations - usual.iterations) <= 1
    assert np.abs(u - expected).max() < 1e-8 * np.abs(expected).max()


def test_cycle_is_the_processors_and_symmetric(bone, backend) -> None:
    mesh, modulus, fixed, _ = bone
    solver = ElasticSolver(mesh, modulus, 0.3, fixed, backend=backend)
    a, b = np.random.default_rng(4711).normal(size=(2, mesh.n_nodes, 3)) * ~fixed
    for_a, for_b = solver.precondition(a), solver.precondition(b)
    assert np.vdot(a, for_b) == pytest.approx(np.vdot(b, for_a), rel=1e-4)
    expected = ElasticSolver(mesh, modulus, 0.3, fixed).precondition(a)
    assert np.abs(for_a - expected).max() < 1e-5 * np.abs(expected).max()
    np.testing.assert_array_equal(solver.precondition(a), for_a)  # sums never vary
    assert not for_a[fixed].any()


def test_lighter_cycle_is_the_processors(bone, backend) -> None:
    mesh, modulus, fixed, _ = bone
    a = np.random.default_rng(4711).normal(size=(mesh.n_nodes, 3)) * ~fixed
    found = ElasticSolver(mesh, modulus, 0.3, fixed, backend=backend).correct(a)
    expected = ElasticSolver(mesh, modulus, 0.3, fixed).correct(a)
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
    assert not found[fixed].any()


@pytest.mark.parametrize("criterion", ["tresca", "von_mises"])
@pytest.mark.parametrize("element", ["full", "bbar"])
def test_yielding_bone_has_the_forces_of_the_processor(bone, backend, criterion, element) -> None:
    mesh, modulus, _, _ = bone
    u = 1e-2 * np.random.default_rng(5).normal(size=(mesh.n_nodes, 3))
    limit = np.where(np.arange(mesh.n_elements) % 7, 0.004 * modulus, np.inf)
    bodies = [PlasticBody(mesh, modulus, limit, 0.3, criterion, element, b) for b in (None, backend)]
    for scale in (0.3, 1.0, -0.5):
        expected, found = (body.internal_force(scale * u) for body in bodies)
        assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
        for body in bodies:
            body.commit(scale * u)
        expected, found = (body.plastic for body in bodies)
        assert expected.any() and np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
    expected, found = (body.equivalent_plastic_strain() for body in bodies)
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())


def test_curve_is_that_of_the_processor(bone, backend) -> None:
    mesh, modulus, fixed, prescribed = bone
    forces = []
    for where in (None, backend):
        solver = ElasticSolver(mesh, modulus, 0.3, fixed, "bbar", where)
        unit, _ = solver.solve(prescribed=prescribed)
        body = PlasticBody(mesh, modulus, 0.01 * modulus, 0.3, backend=where)
        path = follow_path(body, solver.precondition, fixed, unit, (0.6, 1.2, 2.0))
        assert path.converged and path.force_n[-1] < 1.5 * path.force_n[1]
        forces.append(path.force_n)
    np.testing.assert_allclose(forces[1], forces[0], rtol=2e-4)


def test_stored_blocks_are_the_assembled_matrix() -> None:
    mesh = VoxelMesh.from_active(np.random.default_rng(3).random((4, 3, 4)) > 0.4, 1.0)
    nodes, rng = mesh.element_nodes, np.random.default_rng(4)
    matrices = rng.normal(size=(mesh.n_elements, 24, 24)).astype(np.float32)
    whole = np.zeros((mesh.n_nodes, 3, mesh.n_nodes, 3))
    for e, at in enumerate(nodes):
        whole[np.ix_(at, range(3), at, range(3))] += matrices[e].reshape(8, 3, 8, 3)
    pattern = block_pattern(nodes, mesh.n_nodes)
    blocks = fill_blocks(pattern, nodes, matrices)
    for n, count in enumerate(pattern.count):
        row = np.zeros((3, mesh.n_nodes, 3))
        for s in range(count):
            row[:, pattern.column[s, n]] += blocks[s, n]
        np.testing.assert_allclose(row, whole[n], atol=1e-5)


def test_device_that_is_not_there_is_refused(monkeypatch) -> None:
    assert choose("cpu").name == "cpu"
    with pytest.raises(OptionError, match="choose cpu or cuda"):
        check("tpu")  # type: ignore[arg-type]
    monkeypatch.setattr(choosing, "find_spec", lambda name: None)
    with pytest.raises(OptionError, match=r"endplate\[gpu\]"):
        check("cuda")


def test_card_without_driver_or_driver_without_card_is_refused(monkeypatch) -> None:
    pytest.importorskip("warp", reason="the extra gpu is not installed")
    from endplate.numerics.backend import warp_backend

    def no_driver(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", no_driver)
    with pytest.raises(OptionError, match="no NVIDIA driver"):
        check("cuda")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
    monkeypatch.setattr(warp_backend, "cards", list)
    with pytest.raises(OptionError, match="no graphics card"):
        check("cuda")

"""The law of the foam, the return of a point, the cloud and its deposit, and the radial reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from verification.cavity_expansion import expand_cavity

from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.foam import ELASTIC, FOAM, J2, FoamLaw
from endplate.numerics.mpm.load import Load, PointForce, Settings
from endplate.numerics.mpm.particles import fill_cloud
from endplate.numerics.mpm.particles_to_voxels import particles_to_voxels
from endplate.numerics.mpm.return_mapping import growth, return_point
from endplate.numerics.mpm.splines import SplineGrid

LAW = FoamLaw(modulus_mpa=2980, modulus_power=1.05, strength_mpa=37.4, strength_power=1.39)


def test_crushing_lowers_yield_to_the_plateau_and_compaction_raises_it() -> None:
    law = FoamLaw(
        modulus_mpa=1000, modulus_power=1, strength_mpa=10, strength_power=2, crush_factor=0.4, compaction_power=0.5
    )
    rho, none, much = np.full(2, 0.1), np.zeros(2), np.full(2, 10.0)
    assert law.strength(rho, rho, none) == pytest.approx(0.1)
    assert law.strength(rho, rho, much) == pytest.approx(0.04)
    assert law.strength(4 * rho, rho, none) == pytest.approx(0.2)
    assert law.cohesion_left(none) == pytest.approx(0.9)
    assert law.cohesion_left(much) == pytest.approx(0.03)
    assert law.modulus(rho, much) == pytest.approx(50)


def test_only_foam_without_cohesion_loosens_when_it_is_pulled_apart() -> None:
    law = FoamLaw(modulus_mpa=1000, modulus_power=1, strength_mpa=10, strength_power=2, loosening_power=20)
    before, none, much = np.full(1, 0.1), np.zeros(1), np.full(1, 10.0)
    assert law.strength(0.9 * before, before, none) == pytest.approx(0.1 * 0.9**2)
    assert law.strength(0.9 * before, before, much) == pytest.approx(0.1 * 0.9**20)
    assert law.strength(2 * before, before, much) == pytest.approx(0.1 * 2**2)
    for hardening in (none, much):
        cohesion = law.cohesion_left(hardening)[0]
        factor = growth(0.95, 0.9, cohesion, law.packed())
        apart = law.strength(0.95 * 0.9 * before, before, hardening) / law.strength(0.95 * before, before, hardening)
        assert factor == pytest.approx(apart[0])


@pytest.mark.parametrize("bad", [{"crush_factor": 0}, {"cohesion": 1.2}, {"poisson": 0.5}, {"pressure_weight": -1}])
def test_impossible_laws_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        FoamLaw(modulus_mpa=1, modulus_power=1, strength_mpa=1, strength_power=1, **bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("cohesion", [1.0, 0.5, 0.03])
def test_a_returned_stress_lies_on_its_ellipse(cohesion: float) -> None:
    rng = np.random.default_rng(4711)
    for _ in range(50):
        trial = rng.standard_normal(6) * 10
        out = np.array(return_point(*trial, 2.0, cohesion, 300.0, FOAM, LAW.packed()))
        mean = out[:3].mean()
        deviator = out[:3] - mean
        equivalent = 1.5 * ((deviator**2).sum() + 2 * (out[3:6] ** 2).sum())
        shifted = mean + 0.5 * (1 - cohesion) * 2.0 * math.sqrt(1.5 / 4.5)
        size = equivalent + 4.5 * shifted**2
        limit = 1.5 * (0.5 * (1 + cohesion) * 2.0) ** 2
        assert size == pytest.approx(limit, rel=1e-8) if out[6] > 0 else size <= limit * (1 + 1e-12)


def test_friction_limits_shear_by_pressure() -> None:
    law = FoamLaw(modulus_mpa=1, modulus_power=1, strength_mpa=1, strength_power=1, friction=0.5).packed()
    out = return_point(-0.5, -0.5, -0.5, 5.0, 0.0, 0.0, 2.0, 0.03, 300.0, FOAM, law)
    mean = (out[0] + out[1] + out[2]) / 3
    assert math.sqrt(3) * abs(out[3]) <= -0.5 * mean + 3 * 0.03 * 2.0 + 1e-9


def test_j2_points_keep_their_pressure_and_elastic_points_never_yield() -> None:
    law = LAW.packed()
    trial = (-30.0, -20.0, -10.0, 5.0, 0.0, 0.0)
    out = return_point(*trial, 2.0, 1.0, 300.0, J2, law)
    assert sum(out[:3]) == pytest.approx(-60)
    assert return_point(*trial, 2.0, 1.0, 300.0, ELASTIC, law)[:6] == pytest.approx(trial)


def test_splines_hold_linear_fields_and_hand_on_every_force() -> None:
    grid = SplineGrid((9, 8, 7), 1.5, -3.0)
    node = (np.moveaxis(np.indices(grid.dims), 0, -1) * 1.5 - 3.0).reshape(-1, 3)
    points = np.random.default_rng(4711).uniform(-1, 4, (40, 3))
    slope = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 10]])
    assert grid.at(points, node @ slope) == pytest.approx(points @ slope)
    values = np.random.default_rng(13).standard_normal((40, 3))
    total = grid.sum(points, values)
    assert total.sum(axis=0) == pytest.approx(values.sum(axis=0))
    assert np.cross(node, total).sum(axis=0) == pytest.approx(np.cross(points, values).sum(axis=0))


def test_a_cloud_that_has_not_moved_gives_back_its_voxels() -> None:
    rng = np.random.default_rng(4711)
    shape = (5, 4, 6)
    density, fill = rng.uniform(0.05, 0.5, shape), rng.uniform(0.2, 1, shape) * (rng.random(shape) < 0.8)
    laid = particles_to_voxels(Engine(fill_cloud(density, fill, 1.5), LAW, shape, 1.5))
    assert laid.fill == pytest.approx(fill, abs=1e-12)
    assert laid.density_g_cm3 == pytest.approx(np.where(fill > 0, density, 0), abs=1e-12)
    assert np.isnan(laid.came_from_mm).all(axis=-1)[fill == 0].all()
    assert np.nanmax(np.abs(laid.came_from_mm)) == 0
    assert not laid.cavity.any()


@pytest.mark.parametrize(
    ("density", "fill", "others", "told"),
    [
        (np.ones((2, 2)), np.ones((2, 2)), {}, "three-dimensional"),
        (np.ones((2, 2, 2)), np.zeros((2, 2, 2)), {}, "no voxel"),
        (np.zeros((2, 2, 2)), np.ones((2, 2, 2)), {}, "positive density"),
        (np.full((2, 2, 2), np.nan), np.ones((2, 2, 2)), {}, "finite"),
        (np.ones((2, 2, 2)), np.ones((2, 2, 2)), {"kind": np.zeros((2, 2, 2), int)}, "positive modulus"),
    ],
)
def test_impossible_clouds_are_refused(density: np.ndarray, fill: np.ndarray, others: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        fill_cloud(density, fill, 1.0, **others)


def test_material_that_leaves_the_box_is_named() -> None:
    ones = np.ones((3, 3, 3))
    cloud = fill_cloud(0.1 * ones, ones, 1.0)
    cloud.position += 20
    with pytest.raises(SolverError, match="left the box"):
        Engine(cloud, LAW, (3, 3, 3), 1.0).step(Load())


def test_the_sum_of_forces_does_not_hang_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4711)
    shape = (20, 6, 6)
    engine = Engine(fill_cloud(rng.uniform(0.1, 0.3, shape), np.ones(shape), 1.0), LAW, shape, 1.0)
    engine.prepare()
    move = rng.standard_normal((engine.domain.nodes.size, 3)) * 0.01
    forces = []
    for threads in (1, 2, 3):
        monkeypatch.setattr("endplate.numerics.mpm.engine.thread_count", lambda threads=threads: threads)
        forces.append(engine.internal_force(move))
    assert np.array_equal(forces[0], forces[1])
    assert np.array_equal(forces[0], forces[2])


def test_a_linear_motion_of_the_border_is_followed_inside() -> None:
    shape, ones = (6, 5, 5), np.ones((6, 5, 5))
    cloud = fill_cloud(0.1 * ones, ones, 1.3, kind=ELASTIC * ones.astype(int), modulus_mpa=700 * ones)
    engine = Engine(cloud, LAW, shape, 1.3, settings=Settings(tolerance=1e-8, void_mpa=1e-9, max_iterations=200))
    node = engine.node_mm
    inner = ((node > 1.4) & (node < (np.array(shape) - 1) * 1.3 - 0.1)).all(axis=-1)
    gradient = np.random.default_rng(4711).uniform(-0.01, 0.01, (3, 3))
    engine.step(Load(constrained=np.repeat(~inner[..., None], 3, axis=-1), move=node @ gradient.T))
    stress = engine.particles.stress
    assert np.ptp(stress, axis=0).max() <= 1e-6 * np.abs(stress).max()


def test_the_radial_solution_meets_hills_limit() -> None:
    modulus, strength = 1000.0, 3.0
    course = expand_cavity(LAW, 0.1, 1.0, 40.0, [4 / 3 * math.pi * 27], j2_mpa=(modulus, strength), shells=60)
    expected = 2 * strength / 3 * (1 + math.log(modulus / (3 * 0.7 * strength)))
    assert course.pressure_mpa[-1] == pytest.approx(expected, rel=0.05)


def test_a_damped_body_creeps_to_where_it_goes_undamped() -> None:
    def ends_mm(*voids: float | None) -> list[float]:
        fill = np.ones((4, 4, 4), np.float32)
        kind, stiff = np.full(fill.shape, ELASTIC, np.int8), np.full(fill.shape, 500.0)
        cloud = fill_cloud(np.zeros(fill.shape), fill, 2.0, kind=kind, modulus_mpa=stiff)
        engine = Engine(cloud, LAW, fill.shape, 2.0, settings=Settings(tolerance=1e-5))
        top = np.flatnonzero(cloud.position[:, 2] > 7)
        held = np.broadcast_to((engine.node_mm[..., 2] <= 0)[..., None], (*engine.node_mm.shape[:3], 3))
        load, went = Load(constrained=held, traction=(PointForce(top, (0.0, 0.0, 20.0)),)), []
        for void in voids:
            engine.damp(void)
            engine.step(load)
            went.append(float(engine.particles.position[top, 2].mean() - cloud.start[top, 2].mean()))
        assert engine.domain.void_mpa == engine.settings.void_mpa
        return went

    (at_once,) = ends_mm(None)
    slow = ends_mm(5000.0, 500.0, None, None)
    assert 0 < slow[0] < slow[1] < 0.5 * at_once < slow[2] <= 1.001 * slow[3]
    assert slow[3] == pytest.approx(at_once, rel=1e-3)

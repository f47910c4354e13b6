"""The front of a fluid in pores: closed forms, balances, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from verification.point_source import inject_point

from endplate.errors import SolverError
from endplate.numerics.porous_flow.body import PorousBody, porous_body
from endplate.numerics.porous_flow.front import Flow, FrontSolver, Source
from endplate.numerics.porous_flow.needle_source import place_tip
from endplate.numerics.porous_flow.poisson import Poisson
from endplate.numerics.porous_flow.rheology import pipe_drop_mpa, pore_viscosity, radial_drop_mpa

RNG = np.random.default_rng(4711)


def tube(length: int, permeability: np.ndarray, exponent: float, open_end: bool = False) -> PorousBody:
    """A row of voxels of 1 mm, pores 0.8 of them, all displaced."""
    even = np.ones((length, 1, 1))
    opened = np.zeros_like(even)
    opened[-1] = float(open_end)
    return porous_body(
        spacing_mm=1.0,
        exponent=exponent,
        filled=even,
        porosity=0.8 * even,
        uptake=even,
        permeability_mm2=permeability.reshape(length, 1, 1),
        opened_mm2=opened,
    )


def pushed(body: PorousBody, volume_mm3: float, steps: int = 1, rate: float = 2.0, k: float = 1e-4) -> Flow:
    """Fluid into the first voxel of a tube."""
    stepper, flow = FrontSolver(body), Flow.empty(body)
    cells = body.flat_index(np.zeros((1, 3), int))
    thick = np.full(body.capacity_mm3.size, k)
    duration = volume_mm3 / rate / steps
    for step in range(steps):
        source = Source(cells=cells, flow_mm3_s=np.array([rate]), time_s=step * duration, duration_s=duration)
        flow = stepper.step(flow, source, thick)
    return flow


@pytest.mark.parametrize("exponent", [1.0, 0.5])
def test_pressure_along_layers_in_series_adds_up(exponent: float) -> None:
    permeability = np.where(np.arange(30) % 4 < 2, 0.03, 0.003)
    body = tube(30, permeability, exponent)
    flow = pushed(body, 20.4, steps=3)
    pressure = body.unflat(flow.pressure).ravel()
    # |u|^n = k / mu |grad p| in each half voxel from centre to centre; faces see the series of both halves.
    mu = 1e-4 * pore_viscosity(permeability, np.full(30, 0.8), exponent)
    gradient = mu / permeability * 2.0**exponent
    expected = (gradient[4:24] + gradient[5:25]) / 2
    assert -np.diff(pressure)[4:24] == pytest.approx(expected, rel=1e-4)


def test_front_of_a_newtonian_fluid_does_not_hang_on_the_steps() -> None:
    one, many = (inject_point(1.0, 1.0, steps).radius_mm for steps in (1, 16))
    assert one == pytest.approx(many, abs=2e-3)


@pytest.mark.parametrize("exponent", [1.0, 0.5])
def test_ball_from_a_point_has_the_radius_and_pressure_of_the_closed_form(exponent: float) -> None:
    ball = inject_point(1.0, exponent, 12)
    assert abs(ball.mean_error) < 0.02
    assert ball.worst_error < 0.03
    assert np.abs(ball.drop_error).max() < 0.05
    assert abs(ball.volume_error) < 1e-5


def test_front_runs_farther_along_the_better_axis() -> None:
    ball = inject_point(1.0, 1.0, 6, (0.78, 0.78, 1.0))
    assert ball.axis_ratio == pytest.approx(0.88, abs=0.03)


def test_what_is_not_in_the_pores_has_left_through_the_opening() -> None:
    body = tube(12, np.full(12, 0.03), 0.5, open_end=True)
    flow = pushed(body, 30.0, steps=5)
    held = float((flow.saturation * body.capacity_mm3).sum())
    assert held == pytest.approx(12 * 0.8)
    assert float(flow.leaked_mm3.sum()) == pytest.approx(30.0 - 12 * 0.8, rel=1e-6)
    assert np.flatnonzero(flow.leaked_mm3).tolist() == body.flat_index(np.array([[11, 0, 0]])).tolist()


def test_fluid_with_nowhere_to_go_is_told_and_not_lost() -> None:
    with pytest.raises(SolverError):
        pushed(tube(6, np.full(6, 0.03), 1.0), 20.0)


def test_older_fluid_lies_farther_and_none_is_older_than_the_first() -> None:
    body = tube(40, np.full(40, 0.03), 1.0)
    flow = pushed(body, 24.0, steps=12)
    wet = body.unflat(flow.saturation).ravel() > 0
    entered = body.unflat(flow.entered_s).ravel()[wet]
    assert (np.diff(entered) <= 1e-9).all()
    assert entered.min() >= 0 and entered.max() <= 12.0
    # The mean time of entry is carried exactly: fluid came in evenly from 0 to 12 s.
    assert np.average(entered, weights=(flow.saturation * body.capacity_mm3)[flow.saturation > 0]) == pytest.approx(6.0)


def test_pushing_more_never_dries_a_voxel() -> None:
    shape = (14, 12, 10)
    body = porous_body(
        spacing_mm=1.0,
        exponent=0.5,
        filled=np.ones(shape),
        porosity=np.full(shape, 0.85),
        uptake=np.full(shape, 0.9),
        permeability_mm2=0.03 * np.exp(RNG.normal(size=shape)),
    )
    tip = place_tip(body, np.array([6.4, 5.7, 4.2]), 1.2)
    assert tip is not None
    stepper, flow = FrontSolver(body), Flow.empty(body)
    for step in range(10):
        before = flow.saturation
        source = Source(cells=tip.cells, flow_mm3_s=20.0 * tip.share, time_s=float(step), duration_s=1.0)
        flow = stepper.step(flow, source, np.full(body.capacity_mm3.size, 1e-4))
        assert (flow.saturation >= before).all()
    assert float((flow.saturation * body.capacity_mm3).sum()) == pytest.approx(200.0, rel=1e-6)


def test_multigrid_iterations_hardly_grow_with_size_and_contrast() -> None:
    counts = []
    for n in (12, 24, 48):
        even = np.ones((n, n, n))
        body = porous_body(
            spacing_mm=1.0,
            exponent=1.0,
            filled=even,
            porosity=0.9 * even,
            uptake=even,
            permeability_mm2=0.03 * np.exp(1.5 * RNG.normal(size=even.shape)),
        )
        inner = np.zeros(even.shape, bool)
        inner[1:-1, 1:-1, 1:-1] = True
        cells = np.flatnonzero(body.flat(inner))
        diagonal = np.zeros(body.capacity_mm3.size)
        for axis, stride in enumerate(body.stride):
            diagonal[cells] += body.face[axis, cells] + body.face[axis, cells - stride]
        right = np.zeros_like(diagonal)
        right[cells[len(cells) // 2]] = 1.0
        x = np.zeros_like(right)
        system = Poisson(body.shape, cells, body.face, diagonal)
        system.solve(right, x, 1e-8)
        counts.append(system.iterations)
    assert max(counts) <= 25


def test_tip_outside_the_bone_is_none() -> None:
    body = tube(5, np.full(5, 0.03), 1.0)
    assert place_tip(body, np.array([20.0, 0.0, 0.0]), 1.0) is None


def test_newtonian_limits_of_the_power_law() -> None:
    k, phi = np.array([0.03]), np.array([0.9])
    assert pore_viscosity(k, phi, 1.0) == pytest.approx(1.0)
    assert radial_drop_mpa(2e-4 / 0.03, 100.0, 1.0, 1.3, 12.0) == pytest.approx(0.0364, rel=0.01)  # 36 kPa
    # Hagen-Poiseuille: 8 eta L Q / (pi r^4), 3.5 MPa for the cannula of the reference.
    assert pipe_drop_mpa(2e-4, 1.0, 100.0, 120.0, 2.3) == pytest.approx(8 * 2e-4 * 120 * 100 / (np.pi * 1.15**4))

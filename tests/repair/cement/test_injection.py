"""Injection into a body: what the plan asks, what ends it, and what comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from verification.cylinder_body import HALF_WIDTH_MM, cylinder_body, tip_at, with_gap

from endplate.errors import OptionError, SolverError
from endplate.numerics.porous_flow.front import Flow, FrontSolver, Source
from endplate.repair.cement.cement_fill import CementFill
from endplate.repair.cement.injection import inject
from endplate.repair.cement.injection_plan import InjectionPlan, planned_volume_ml, portions_of
from endplate.repair.cement.permeability import permeability_of, porosity_of
from endplate.repair.cement.sphere_baseline import agreement
from endplate.repair.device.cement import CEMENTS

CEMENT = CEMENTS["standard PMMA"]
FREE = InjectionPlan(volume_ml=3.0, stop_at_opening=False, stop_at_posterior_quarter=False)
VOXEL_MM = 2.0
MIDDLE = tip_at(0.0, 4.0, 0.0)
SIDES = (tip_at(7.0, 4.0, 0.0), tip_at(-7.0, 4.0, 0.0))


def fill_of(plan: InjectionPlan = FREE, tips=(MIDDLE,), cement=CEMENT, voxel_mm: float = VOXEL_MM) -> CementFill:
    vertebra, bone = cylinder_body(voxel_mm)
    return inject(bone, vertebra, tips, cement, plan)


def test_volume_goes_in_as_planned_and_none_is_lost() -> None:
    fill = fill_of()
    assert fill.stop == "planned volume" and fill.converged
    assert fill.volume_ml == pytest.approx(3.0, rel=1e-5)
    assert fill.balance < 1e-5 and fill.leaked_ml == 0
    assert fill.injected_curve_ml[-1] == pytest.approx(3.0)
    assert fill.time_s[-1] == pytest.approx(30.0)
    assert (np.diff(fill.injected_curve_ml) > 0).all()


def test_finer_voxels_give_the_same_fill_and_pressure() -> None:
    coarse, fine = fill_of(), fill_of(voxel_mm=1.0)
    assert coarse.fill_fraction == pytest.approx(fine.fill_fraction, rel=0.03)
    assert coarse.bone_pressure_mpa[-1] == pytest.approx(fine.bone_pressure_mpa[-1], rel=0.1)


def test_planned_volume_is_a_fifth_of_the_body_and_at_most_seven_ml() -> None:
    plan = InjectionPlan()
    assert planned_volume_ml(plan, 30.0) == pytest.approx(6.0)
    assert planned_volume_ml(plan, 60.0) == 7.0
    assert planned_volume_ml(plan, 10.0, cavity_ml=3.0) == 3.0


def test_more_than_the_pores_hold_is_refused() -> None:
    with pytest.raises(OptionError, match=r"60\.0 mL.*plan less"):
        fill_of(replace(FREE, volume_ml=60.0))


def test_tip_outside_the_body_is_refused() -> None:
    with pytest.raises(OptionError, match="needle's tip"):
        fill_of(tips=(tip_at(60.0, 0.0, 0.0),))


def test_no_needle_is_refused() -> None:
    with pytest.raises(OptionError, match="no needle"):
        fill_of(tips=())


@pytest.mark.parametrize(
    "wrong",
    [
        {"volume_ml": -1.0},
        {"flow_ml_s": 0.0},
        {"flow_ml_s": 5.0},
        {"portions": (0.5, 0.6)},
        {"portions": ()},
        {"order": "both"},
        {"pause_s": -1.0},
        {"max_mpa": 0.0},
        {"permeability_factor": 0.0},
    ],
)
def test_plans_without_meaning_are_refused(wrong: dict) -> None:
    with pytest.raises(OptionError):
        InjectionPlan(**wrong)


def test_two_needles_at_once_share_the_sides_evenly() -> None:
    fill = fill_of(tips=SIDES)
    assert fill.right_share == pytest.approx(0.5, abs=0.01)


def test_one_needle_on_the_left_fills_the_left() -> None:
    assert fill_of(tips=SIDES[:1]).right_share < 0.2


def test_needles_in_turn_rest_between_and_fill_as_much() -> None:
    fill = fill_of(replace(FREE, order="in turn", pause_s=45.0), SIDES)
    assert fill.volume_ml == pytest.approx(3.0, rel=1e-5)
    assert np.diff(fill.time_s).max() > 45.0
    assert fill.right_share == pytest.approx(0.5, abs=0.05)


def test_portions_come_needle_by_needle_when_in_turn() -> None:
    pushes = portions_of(InjectionPlan(portions=(0.5, 0.5), order="in turn"), 4.0, 2)
    assert [push.needles for push in pushes] == [(0,), (0,), (1,), (1,)]
    assert sum(push.volume_ml for push in pushes) == pytest.approx(4.0)
    assert [push.rest_s > 0 for push in pushes] == [False, True, True, True]


def test_cement_of_the_first_portion_ends_up_outside() -> None:
    fill = fill_of(replace(FREE, portions=(0.5, 0.5), pause_s=100.0))
    wet = np.argwhere(fill.saturation > 0.5)
    radius = np.linalg.norm(fill.grid.to_mm(wet) - MIDDLE.at_mm, axis=1)
    age = fill.age_s[tuple(wet.T)]
    assert age[radius > np.quantile(radius, 0.9)].mean() > age[radius < np.quantile(radius, 0.1)].mean() + 60
    assert np.isnan(fill.age_s[fill.saturation == 0]).all()


def test_pressure_limit_ends_it() -> None:
    fill = fill_of(replace(FREE, max_mpa=0.33))
    assert fill.stop == "pressure limit" and 0 < fill.injected_ml < 3.0


def test_time_limit_ends_it() -> None:
    fill = fill_of(replace(FREE, max_s=10.0))
    assert fill.stop == "time limit" and fill.time_s[-1] == pytest.approx(10.0, abs=0.8)


def test_cement_sets_in_a_long_pause() -> None:
    fill = fill_of(replace(FREE, portions=(0.5, 0.5), pause_s=1200.0, max_mpa=1e6))
    assert fill.stop == "end of handling" and fill.injected_ml < 1.7


def test_solver_without_solution_ends_it_with_the_last_good_state(monkeypatch: pytest.MonkeyPatch) -> None:
    step = FrontSolver.step

    def failing(self: FrontSolver, flow: Flow, source: Source, consistency: np.ndarray) -> Flow:
        if source.time_s + source.duration_s > 15.0:
            raise SolverError("the pressure did not settle")
        return step(self, flow, source, consistency)

    monkeypatch.setattr(FrontSolver, "step", failing)
    fill = fill_of()
    assert fill.stop.startswith("no solution beyond 1.") and "did not settle" in fill.stop and not fill.converged
    assert fill.volume_ml == pytest.approx(1.5, abs=0.03) and fill.balance < 1e-5


def test_posterior_quarter_ends_it() -> None:
    plan = replace(FREE, stop_at_posterior_quarter=True)
    fill = fill_of(plan, (tip_at(0.0, -4.0, 0.0),))
    assert fill.stop == "posterior quarter reached" and fill.injected_ml < 3.0


def test_gap_ends_it_or_leaks_as_the_plan_says() -> None:
    vertebra, bone = cylinder_body(VOXEL_MM)
    bone = with_gap(bone, (HALF_WIDTH_MM, 0.0, 0.0), 6.0)
    tips = [tip_at(15.0, 0.0, 0.0)]
    stopped = inject(bone, vertebra, tips, CEMENT, replace(FREE, stop_at_opening=True))
    leaky = inject(bone, vertebra, tips, CEMENT, FREE)
    assert stopped.stop.startswith("opening reached") and stopped.injected_ml < 3.0
    assert stopped.leaked_ml < 0.05 < leaky.leaked_ml
    assert leaky.balance < 1e-5
    first = leaky.reached[0]
    assert first.opening.route in ("S", "C") and "left wall" in first.opening.name
    assert first.injected_ml == pytest.approx(stopped.reached[0].injected_ml, abs=0.15)
    assert sum(reached.leaked_ml for reached in leaky.reached) == pytest.approx(leaky.leaked_ml)


def test_thicker_cement_needs_more_pressure_and_a_hundredth_of_the_bone_more_still() -> None:
    thin, thick = (fill_of(cement=CEMENTS[name]) for name in ("low viscosity PMMA", "high viscosity PMMA"))
    assert thick.bone_pressure_mpa[-1] > 5 * thin.bone_pressure_mpa[-1]
    tight = fill_of(replace(FREE, permeability_factor=1 / 3))
    assert tight.bone_pressure_mpa[-1] > 1.5 * fill_of().bone_pressure_mpa[-1]


def test_pressure_falls_in_the_cannula_and_hardly_in_the_bone() -> None:
    fill = fill_of()
    share = fill.cannula_pressure_mpa[1:] / (fill.cannula_pressure_mpa + fill.bone_pressure_mpa)[1:]
    assert (share > 0.9).all()


def test_cavity_is_filled_before_the_rim() -> None:
    vertebra, bone = cylinder_body(VOXEL_MM)
    grid = bone.field.grid
    radius = np.linalg.norm(grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)) - MIDDLE.at_mm, axis=-1)
    hollow = replace(bone, cavity=(radius < 8.0).astype(np.float32))
    cavity_ml = float(hollow.cavity.sum()) * grid.voxel_mm3 / 1000
    fill = inject(hollow, vertebra, [MIDDLE], CEMENT, replace(FREE, volume_ml=0.9 * cavity_ml))
    inside = float((fill.saturation * hollow.cavity).sum() / hollow.cavity.sum())
    assert inside > 0.85
    more = inject(hollow, vertebra, [MIDDLE], CEMENT, replace(FREE, volume_ml=1.5 * cavity_ml))
    assert (more.saturation[hollow.cavity > 0] > 0.999).all()
    assert (more.saturation[hollow.cavity == 0] > 0.5).any()


def test_sphere_beside_it_holds_the_same_volume() -> None:
    fill = fill_of()
    porous = porosity_of(np.array([80.0]))[0] * 0.9
    ball_mm3 = float(fill.sphere.sum()) * fill.grid.voxel_mm3
    assert ball_mm3 * porous / 1000 == pytest.approx(fill.volume_ml, rel=0.02)
    overlap = 2 * np.minimum(fill.sphere, fill.saturation).sum() / (fill.sphere.sum() + fill.saturation.sum())
    assert overlap > 0.85  # even bone: nearly a ball
    assert not fill.notes


def test_agreement_of_two_balls_is_that_of_their_geometry() -> None:
    at = np.moveaxis(np.indices((40, 40, 40)), 0, -1) - 19.5
    ball, moved, larger = (
        (np.linalg.norm(at - shift, axis=-1) <= radius).astype(np.float32)
        for shift, radius in ((0, 10.0), (np.array([4.0, 0, 0]), 10.0), (0, 12.0))
    )
    same = agreement(ball, ball, 0.5)
    assert same.dice == 1 and same.centroid_mm == same.mean_mm == same.max_mm == same.volume_error == 0
    aside = agreement(moved, ball, 0.5)
    # Two balls of radius r at distance d share 1 - 3d/4r + d^3/16r^3 of their volume.
    assert aside.dice == pytest.approx(1 - 0.3 + 0.004, abs=0.02)
    assert aside.centroid_mm == pytest.approx(2.0, abs=0.01) and aside.volume_error == pytest.approx(0, abs=0.01)
    outside = agreement(larger, ball, 0.5)
    assert outside.mean_mm == pytest.approx(1.0, abs=0.25) and outside.max_mm == pytest.approx(1.0, abs=0.35)
    assert outside.volume_error == pytest.approx(1.2**3 - 1, abs=0.05)
    assert agreement(np.zeros_like(ball), ball, 0.5) is None


def test_clipped_sphere_says_so() -> None:
    fill = fill_of(replace(FREE, volume_ml=8.0))
    assert any("clipped" in note for note in fill.notes)


def test_endplates_are_touched_where_cement_lies() -> None:
    high = fill_of(replace(FREE, volume_ml=4.0), (tip_at(0.0, 4.0, 9.0),))
    assert high.endplate_contact["superior"] > 0.05
    assert high.endplate_contact["inferior"] == 0.0


def test_progress_is_told_up_to_the_end() -> None:
    vertebra, bone = cylinder_body(VOXEL_MM)
    told: list[float] = []
    inject(bone, vertebra, [MIDDLE], CEMENT, FREE, told.append)
    assert told == sorted(told) and told[0] == 0.0 and told[-1] == pytest.approx(1.0)


def test_porosity_and_permeability_pass_through_the_reference_point() -> None:
    porosity = porosity_of(np.array([-50.0, 76.5, 200.0, 1500.0]))
    assert porosity[1] == pytest.approx(0.90, abs=0.005)
    assert (np.diff(porosity) < 0).all() and porosity[0] < 1 and porosity[-1] > 0
    assert permeability_of(np.array([0.9]))[0] == pytest.approx(0.03)

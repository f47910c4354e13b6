"""What a rehearsal tells: what did not converge, neighbours without numbers, what bands span, how deep needles go."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from tests.support.synthetic_rehearsal import rehearsed_case

from endplate.errors import OptionError
from endplate.level import Level
from endplate.repair.band import Band
from endplate.repair.kyphoplasty.inflation_result import Gain
from endplate.repair.rehearsal.findings import ALONE, cautions, findings, gaps, span
from endplate.repair.rehearsal.rehearse import _all_bands, _Ensemble, _Nominal, _refuse_nothing
from endplate.repair.rehearsal.result import Rehearsal
from endplate.repair.rehearsal.single_run import RunResult


@cache
def told() -> Rehearsal:
    return rehearsed_case(members=16).rehearsals[0]


def changed(**changes: object) -> Rehearsal:
    """The rehearsal with something changed in its kyphoplasty's balloon."""
    kypho = told().nominal[1]
    assert kypho.inflation is not None
    return replace(told(), nominal=(told().nominal[0], replace(kypho, inflation=replace(kypho.inflation, **changes))))


def test_what_did_not_converge_is_a_gap_and_a_caution() -> None:
    assert not [gap for gap in gaps(told()) if gap.code == "repair_stopped"] and not cautions(told())
    failed = changed(unconverged="no equilibrium beyond this volume")
    gap = next(gap for gap in gaps(failed) if gap.code == "repair_stopped")
    assert gap.reason == "kyphoplasty: balloon: no equilibrium beyond this volume"
    caution = cautions(failed)[0]
    assert caution.level is Level.L1 and "did not converge" in caution.text and "no equilibrium" in caution.text


def test_cement_that_did_not_converge_is_told_as_well() -> None:
    plasty = told().nominal[0]
    assert plasty.fill is not None
    failed = replace(plasty, fill=replace(plasty.fill, converged=False, stop="no solution beyond 1.20 mL: x"))
    assert failed.unconverged == "cement: no solution beyond 1.20 mL: x" and not plasty.unconverged


def test_a_neighbour_without_numbers_is_a_gap_once() -> None:
    missing = tuple(replace(done, missing=("no vertebra is labelled above L1",)) for done in told().nominal)
    found = [gap for gap in gaps(replace(told(), nominal=missing)) if gap.code == "neighbour_load_ratio"]
    assert [gap.reason for gap in found] == ["no vertebra is labelled above L1"]


def test_a_needle_is_as_deep_as_its_channel() -> None:
    depth = {f.condition: f for f in findings(told()) if f.code == "needle_depth"}
    kypho = told().nominal[1]
    assert kypho.access is not None
    path = kypho.access.paths[0]
    tip = path.target_mm + 7.5 * (path.target_mm - path.entry_mm) / path.depth_mm
    longer = replace(kypho, access=replace(kypho.access, paths=(replace(path, tip_mm=tip),)))
    found = {f.condition: f for f in findings(replace(told(), nominal=(longer,))) if f.code == "needle_depth"}
    where = f"kyphoplasty, {path.side} {path.approach}"
    assert found[where].value == pytest.approx(float(depth[where].value) + 7.5)
    assert "front end of the balloon" in found[where].method
    assert "the needle's tip" in depth[f"vertebroplasty, {path.side} {path.approach}"].method


def test_what_the_preload_took_is_told_beside_the_gains() -> None:
    settled = Gain(anterior_mm=-0.3, middle_mm=-0.2, posterior_mm=-0.1, wedge_deg=0.2)
    bands = {"kyphoplasty": {"settled_anterior_mm": Band(value=settled.anterior_mm)}}
    found = findings(replace(changed(settled=settled), bands=bands))
    assert [(f.value, f.unit) for f in found if f.code == "repair_settled_anterior"] == [(-0.3, "mm")]


def test_a_band_says_how_many_runs_lie_in_it_and_what_they_span() -> None:
    band = Band(value=1.0, low=0.5, high=2.0, members=13)
    assert "of 13 members" in span(told(), "strength_ratio", band)
    two = replace(told(), members=2)
    spanned = replace(band, members=2)
    assert span(two, "cured_anterior_mm", spanned).startswith("spans a run with a healed fracture")
    assert ALONE in span(two, "strength_ratio", spanned) and ALONE not in span(two, "cured_anterior_mm", spanned)
    assert span(two, "strength_ratio", replace(band, members=0)) == ALONE
    few = replace(two, failed=("member 3",) * 14)
    assert "of 2 members" in span(few, "strength_ratio", spanned)


def test_two_runs_widen_the_band_of_a_force_and_give_a_height_its_own() -> None:
    single = {
        "kyphoplasty": {
            "strength_n": Band(value=5.0, low=4.0, high=6.0),
            "stiffness_ratio": Band(value=1.0, low=0.9, high=1.1),
            "cured_anterior_mm": Band(value=2.0, reason="a single run"),
        }
    }
    spanned = {
        "kyphoplasty": {
            "strength_n": Band(value=5.0, low=4.5, high=7.0, members=2),
            "stiffness_ratio": Band(value=1.0, reason="no member of the ensemble has this result"),
            "cured_anterior_mm": Band(value=2.0, low=0.1, high=3.0, members=2),
        }
    }
    found = _all_bands(2, _Ensemble(bands=spanned, ended=2), single)["kyphoplasty"]
    assert found["strength_n"] == Band(value=5.0, low=4.0, high=7.0, members=2)
    assert found["stiffness_ratio"] == single["kyphoplasty"]["stiffness_ratio"]
    assert found["cured_anterior_mm"] == spanned["kyphoplasty"]["cured_anterior_mm"]


def test_no_band_stands_about_a_last_good_state() -> None:
    failed = changed(unconverged="no equilibrium")
    run = RunResult(before=failed.before, done={done.procedure: done for done in failed.nominal}, changes={})
    numbers = {"vertebroplasty": {"strength_n": 5.0}, "kyphoplasty": {"strength_n": 6.0}}
    found = _Nominal(run, numbers, {}).bands(numbers, [numbers, numbers])
    assert found["vertebroplasty"]["strength_n"].members == 2
    assert found["kyphoplasty"]["strength_n"].low is None
    assert "did not converge" in found["kyphoplasty"]["strength_n"].reason


def test_where_nothing_came_of_any_repair_that_is_one_line() -> None:
    nothing = [
        replace(done, inflation=None, fill=None, stopped=f"cement: no {n}.") for n, done in enumerate(told().nominal)
    ]
    run = RunResult(before=told().before, done={done.procedure: done for done in nothing}, changes={})
    with pytest.raises(OptionError, match="no repair of L1 could be rehearsed; vertebroplasty: cement: no 0"):
        _refuse_nothing(run)
    kept = {**run.done, "kyphoplasty": told().nominal[1]}
    _refuse_nothing(replace(run, done=kept))

"""What is planned fits its balloon, its cannula and the body, or is refused before any work; what was done is kept."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from verification.box_body import box_bone, box_vertebra

from endplate.bone.result import Calibration
from endplate.errors import LabelError, OptionError
from endplate.level import Level
from endplate.repair.access import PathSettings
from endplate.repair.access.access_result import Access, NeedlePath, Procedure
from endplate.repair.access.needle_choice import balloon_through, check_balloon, needles_for
from endplate.repair.augmented.motion_segment import SegmentChange
from endplate.repair.cement.injection_plan import InjectionPlan
from endplate.repair.device.balloon import BALLOONS
from endplate.repair.device.needle import NEEDLES, reaching
from endplate.repair.rehearsal import rehearsal_input as scene
from endplate.repair.rehearsal import rehearse as rehearsal
from endplate.repair.rehearsal import single_run as run
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.rehearsal.planned_volumes import check_volumes, each_balloon_ml, planned_limits
from endplate.repair.rehearsal.rehearsal_input import PreparedBone, prepare_bone
from endplate.repair.rehearsal.result import ProcedureResult
from endplate.repair.rehearsal.run_settings import RunSettings
from endplate.repair.rehearsal.single_run import _SingleRun
from endplate.repair.site.bone import Bone, body_ml
from endplate.repair.site.crushed_bone import BrokenState

BALLOON: tuple[Procedure, ...] = ("kyphoplasty",)
CEMENT: tuple[Procedure, ...] = ("vertebroplasty",)
CALIBRATION = Calibration(
    slope_mg_cm3_per_hu=0.8, offset_mg_cm3=-2.0, route="given", sd_mg_cm3=9.0, source="made for the test"
)


@cache
def bone() -> Bone:
    """A box of about 33 mL."""
    return box_bone(box_vertebra(), 3.0, 60.0)


def small(ml: float) -> Bone:
    """The same bone with a share of its body, as large as asked."""
    share = np.float32(ml / body_ml(bone()))
    return replace(bone(), field=replace(bone().field, fill=bone().field.fill * share))


def path(needle: str = "8G") -> NeedlePath:
    return NeedlePath(
        level=Level.L2,
        side="left",
        approach="transpedicular",
        needle=NEEDLES[needle],
        skin_mm=None,
        entry_mm=np.array([10.0, 30.0, 0.0]),
        target_mm=np.array([8.0, -2.0, 0.0]),
        axial_deg=10.0,
        sagittal_deg=0.0,
        clearance_mm={"medial": 1.0},
        min_clearance_mm=1.0,
        length_mm=40.0,
    )


def access(procedure: Procedure, count: int = 2, **changes: Any) -> Access:
    return Access(level=Level.L2, procedure=procedure, paths=(path(),) * count, **changes)


@pytest.mark.parametrize(("ml", "each"), [(7.0, 0.875), (15.9, 1.9875), (16.0, 2.0), (30.0, 2.0)])
def test_usual_balloons_are_as_large_as_the_body_allows(ml: float, each: float) -> None:
    assert each_balloon_ml(None, small(ml), 2) == pytest.approx(each, rel=1e-4)
    check_volumes(RunSettings(procedures=BALLOON), small(ml), {"kyphoplasty": access("kyphoplasty")})


def test_what_was_asked_for_is_shared_by_the_balloons() -> None:
    assert each_balloon_ml(3.0, bone(), 2) == 1.5


@pytest.mark.parametrize(
    ("settings", "paths", "told"),
    [
        (RunSettings(procedures=BALLOON, balloon_ml=8.0), 1, "8 mL of balloon; one balloon holds 4 mL at most here"),
        (RunSettings(procedures=BALLOON, balloon_ml=6.0), 2, "6 mL of balloon in a body of 11.0 mL; it would burst"),
        (
            RunSettings(procedures=CEMENT, injection=InjectionPlan(volume_ml=15.0)),
            1,
            "15 mL of cement in a body of 11.0",
        ),
    ],
    ids=["more than one balloon", "more than the body", "more than the pores"],
)
def test_volumes_that_cannot_be_are_refused_before_any_work(settings: RunSettings, paths: int, told: str) -> None:
    procedure = settings.procedures[0]
    with pytest.raises(OptionError, match=told):
        check_volumes(settings, small(11.0), {procedure: access(procedure, paths)})
    check_volumes(settings, small(11.0), {procedure: replace(access(procedure), paths=())})


def test_the_most_of_a_result_is_what_was_planned() -> None:
    done = ProcedureResult(
        procedure="vertebroplasty", access=None, inflation=None, fill=None, strength=None, after_cement=None
    )
    assert planned_limits(RunSettings(), done, bone()) == {}
    filled = replace(done, fill=SimpleNamespace())  # type: ignore[arg-type]
    most = planned_limits(RunSettings(injection=InjectionPlan(volume_ml=3.0)), filled, bone())
    assert most["cement_ml"] == most["leaked_ml"] == 3.0
    assert most["fill_fraction"] == pytest.approx(3.0 / body_ml(bone()))


def test_a_balloon_goes_with_its_cannula() -> None:
    assert balloon_through(NEEDLES["8G"], PathSettings()).name == "Xpander 15/3"
    assert balloon_through(NEEDLES["10G"], PathSettings()).name == "Express 15/2"
    assert [needle.name for needle in needles_for(Level.L1, "kyphoplasty", PathSettings())] == ["8G", "10G"]
    for name, gauge in (("Xpander 20/3", "8G"), ("Express 10/2", "10G")):
        assert [n.name for n in needles_for(Level.L1, "kyphoplasty", PathSettings(balloon=name))] == [gauge]


@pytest.mark.parametrize(
    ("needle", "balloon", "told"),
    [
        ("15G", None, "through a 15G needle; a balloon needs 8G or 10G"),
        ("11G", None, "needs 8G or 10G"),
        ("10G", "Xpander 15/3", "Xpander 15/3 needs 8G"),
        ("11G", "Express 10/2", "Express 10/2 needs 10G"),
    ],
)
def test_a_needle_too_thin_for_its_balloon_is_refused(needle: str, balloon: str | None, told: str) -> None:
    settings = PathSettings(needle=needle, balloon=balloon)
    with pytest.raises(OptionError, match=told):
        check_balloon(settings)
    with pytest.raises(OptionError, match=told):
        RunSettings(path=settings)
    assert RunSettings(procedures=CEMENT, path=settings).path.needle == needle


def test_the_second_make_of_xpander_bears_more() -> None:
    assert BALLOONS["Xpander II 15/3"].max_mpa == pytest.approx(4.83, abs=0.01)
    assert BALLOONS["Xpander 15/3"].max_mpa == pytest.approx(2.76, abs=0.01)


@pytest.mark.parametrize(("far", "length"), [(60, 100), (100, 100), (101, 120), (120.5, 150), (180, 150)])
def test_a_needle_is_as_long_as_its_path_needs(far: float, length: float) -> None:
    assert reaching(NEEDLES["11G"], far).length_mm == length


def test_a_needle_asked_for_that_fits_nowhere_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = replace(access("vertebroplasty"), paths=(), alternatives=(path(),), reason="no safe path into L2: left: x")
    monkeypatch.setattr(rehearsal, "plan_access", lambda *given: closed)
    where = SimpleNamespace(spine=None, vertebra=None, volume=None)
    asked = RunSettings(procedures=CEMENT, path=PathSettings(needle="8G"))
    with pytest.raises(OptionError, match="8G needle; no safe path into L2: left: x; choose a thinner one"):
        rehearsal._accesses(where, asked, lambda *told: None)  # type: ignore[arg-type]
    free = RunSettings(procedures=CEMENT)
    found = rehearsal._accesses(where, free, lambda *told: None)  # type: ignore[arg-type]
    assert found == {"vertebroplasty": closed}


def a_run() -> _SingleRun:
    return _SingleRun(
        scene=SimpleNamespace(spine="spine", vertebra=SimpleNamespace(level=Level.L2), volume="volume"),  # type: ignore[arg-type]
        settings=RunSettings(),
        draw=ParameterSet(),
        tell=lambda *told: None,
        prepared=PreparedBone(bone=bone(), calibration=CALIBRATION, intact=None),  # type: ignore[arg-type]
        model=None,  # type: ignore[arg-type]
    )


def test_what_cannot_be_measured_ends_its_procedure_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: _SingleRun, done: ProcedureResult) -> ProcedureResult:
        raise LabelError("the endplates of L2 no longer reach the places where heights are read")

    monkeypatch.setattr(_SingleRun, "_inflate", fail)
    done = a_run().through("kyphoplasty", access("kyphoplasty"))
    assert done.stopped.startswith("balloon: the endplates of L2 no longer reach") and done.inflation is None


def test_neighbours_share_the_draw_of_the_density_and_say_who_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    change = SegmentChange(neighbours=(), stiffness_n_per_mm=None, stiffness_ratio=None, missing=("nobody above",))
    monkeypatch.setattr(run, "find_neighbours", lambda spine, level, volume, calibration: seen.append(calibration))
    monkeypatch.setattr(run, "segment_change", lambda *given: change)
    done = ProcedureResult(
        procedure="vertebroplasty", access=None, inflation=None, fill=None, strength=None, after_cement=None
    )
    assert a_run()._neighbours(done).missing == ("nobody above",)
    assert len(seen) == 1 and seen[0] is CALIBRATION


def test_the_draw_shifts_the_calibration_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = BrokenState(strain=None, loose_share=None, basis="")
    given_by = {
        "repair_bone": bone(),
        "estimate_prefracture_shape": None,
        "find_zone": SimpleNamespace(bone=bone(), reason=""),
        "crushed_state": unknown,
        "shell_mineral": None,
    }
    for name, answer in given_by.items():
        monkeypatch.setattr(scene, name, lambda *given, answer=answer, **named: answer)
    where = scene.RehearsalInput(vertebra=None, spine=None, volume=None, calibration=CALIBRATION, fracture=None)  # type: ignore[arg-type]
    assert prepare_bone(where, 2.0, ParameterSet(density_sd=-1.0)).calibration == replace(
        CALIBRATION, offset_mg_cm3=-11.0
    )

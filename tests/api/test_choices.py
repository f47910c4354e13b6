"""Keywords reach the settings they stand for; what has no meaning is refused with what to give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import endplate as ep
from endplate.api.choices import MeasuringChoices, RepairChoices, measuring_settings, rehearsal_settings
from endplate.errors import InputError
from endplate.repair.device.balloon import BALLOONS
from endplate.repair.device.needle import NEEDLES

OWN_CEMENT = ep.Cement(name="mine", consistency_pa_s=300.0)
OWN_NEEDLE = replace(NEEDLES["11G"], name="mine", outer_mm=2.9)
OWN_BALLOON = replace(BALLOONS["Xpander 15/3"], name="mine", max_ml=5.0)


def test_the_call_of_the_issue_needs_no_nested_imports() -> None:
    run = rehearsal_settings(None, {"procedure": "kyphoplasty", "cement_ml": 4, "balloon_ml": 2}).run
    assert run.procedures == ("kyphoplasty",)
    assert run.injection.volume_ml == 4.0 and run.balloon_ml == 2


@pytest.mark.parametrize(
    ("choices", "members"),
    [({}, 16), ({"procedure": "both"}, 16), ({"procedure": "kyphoplasty"}, 2), ({"procedure": "vertebroplasty"}, 0),
     ({"procedure": "kyphoplasty", "members": 8}, 8)],
)  # fmt: skip
def test_members_are_those_of_the_command(choices: dict[str, Any], members: int) -> None:
    assert rehearsal_settings(None, choices).members == members


def test_settings_that_were_given_keep_what_no_keyword_changes() -> None:
    base = ep.RehearsalSettings(members=32, seed=99)
    found = rehearsal_settings(base, {"procedure": "kyphoplasty", "mobility": "rigid"})
    assert (found.members, found.seed, found.nominal.mobility) == (32, 99, "rigid")
    assert rehearsal_settings(base, {}) == base
    assert measuring_settings(None, {}) == ep.AssessSettings()


def test_every_choice_of_a_repair_reaches_the_settings() -> None:
    wanted: RepairChoices = {
        "procedure": "both", "cement": OWN_CEMENT, "cement_ml": 3.0, "flow_ml_s": 0.05, "portions": (0.5, 0.5),
        "stop_at_opening": False, "balloon": OWN_BALLOON, "balloon_ml": 5.0, "needle": "8G", "sides": "both",
        "route": "transpedicular", "voxel_mm": 1.5, "mobility": "rigid", "preload_n": 50.0, "members": 8,
        "member_voxel_mm": 2.5, "seed": 7,
    }  # fmt: skip
    assert set(wanted) == set(RepairChoices.__annotations__)
    found = rehearsal_settings(None, wanted)
    run, path, injection = found.run, found.run.path, found.run.injection
    assert (run.cement, run.balloon_ml, run.voxel_mm, run.model.voxel_mm) == (OWN_CEMENT, 5.0, 1.5, 1.5)
    assert (path.balloon, path.needle, path.sides, path.route) == (OWN_BALLOON, "8G", "both", "transpedicular")
    assert (injection.volume_ml, injection.flow_ml_s, injection.portions) == (3.0, 0.05, (0.5, 0.5))
    assert injection.stop_at_opening is False
    assert (found.members, found.member_voxel_mm, found.seed) == (8, 2.5, 7)
    assert (found.nominal.mobility, found.nominal.preload_n) == ("rigid", 50.0)


def test_every_choice_of_measuring_reaches_the_settings() -> None:
    from endplate.bone.settings import RodSettings

    rods = RodSettings(mg_cm3=(0.0, 100.0))
    wanted: MeasuringChoices = {
        "voxel_mm": 1.5, "law": "kopperdahl", "criterion": "von_mises", "load_case": "flexed", "layer": "disc",
        "cortex": "kept", "mechanics": False, "nonlinear": False, "kvp": 100.0, "calibration": (0.7, -2.0),
        "rods": rods, "device": "cpu",
    }  # fmt: skip
    assert set(wanted) == set(MeasuringChoices.__annotations__)
    found = measuring_settings(None, wanted)
    line = found.calibration
    assert (line.slope_mg_cm3_per_hu, line.offset_mg_cm3, line.kvp, line.rods) == (0.7, -2.0, 100.0, rods)
    assert (found.model.voxel_mm, found.model.law, found.model.layer) == (1.5, "kopperdahl", "disc")
    assert found.model.cortex == "kept"
    assert (found.strength.criterion, found.strength.load_case, found.strength.nonlinear) == (
        "von_mises",
        "flexed",
        False,
    )
    assert found.mechanics is False


@pytest.mark.parametrize(
    ("choices", "kind", "why"),
    [
        ({"cement_mL": 4}, KeyError, "did you mean cement_ml"),
        ({"anaesthetic": 1}, KeyError, "known: balloon"),
        ({"procedure": "both of them"}, ValueError, "choose 'vertebroplasty', 'kyphoplasty' or 'both'"),
        ({"cement_ml": -1}, ValueError, "choose 0 to 15 mL"),
        ({"cement_ml": 40}, ValueError, "choose 0 to 15 mL"),
        ({"cement_ml": "4 mL"}, TypeError, "a volume is a number of mL"),
        ({"cement_ml": True}, TypeError, "a volume is a number of mL"),
        ({"balloon_ml": 9}, ValueError, "choose 0 to 8 mL"),
        ({"balloon_ml": 5, "sides": "left"}, ValueError, "choose 0 to 4 mL"),
        ({"cement": "plaster"}, ValueError, "standard PMMA"),
        ({"needle": "99G"}, ValueError, "no such gauge"),
        ({"balloon": "red"}, ValueError, "no such balloon"),
        ({"needle": "13G", "procedure": "kyphoplasty"}, ValueError, "needs 8G or 10G"),
        ({"procedure": "vertebroplasty", "balloon_ml": 2}, ValueError, "no balloon is used"),
        ({"members": 5}, ValueError, "no balanced design"),
    ],
)
def test_a_choice_without_meaning_is_refused(choices: dict[str, Any], kind: type[Exception], why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        rehearsal_settings(None, choices)
    assert kind is ValueError or isinstance(caught.value, kind)


@pytest.mark.parametrize(
    ("choices", "why"),
    [
        ({"voxel_mm": 40}, "voxel size"),
        ({"law": "mine"}, "law"),
        ({"calibration": "0.8,-2"}, r"give \(0.8, -2.5\)"),
        ({"calibration": (0.8,)}, "a slope and an offset"),
        ({"kVp": 120}, "did you mean kvp"),
        ({"criterion": "x"}, "tresca"),
    ],
)
def test_a_measuring_choice_without_meaning_is_refused(choices: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        measuring_settings(None, choices)


def test_settings_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError, match=r"settings=dict; give endplate.AssessSettings\("):
        measuring_settings({"voxel_mm": 2}, {})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"settings=AssessSettings; give endplate.RehearsalSettings\("):
        rehearsal_settings(ep.AssessSettings(), {})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"give endplate\.PlanSettings"):
        ep.plan(None, settings=ep.AssessSettings())  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="did you mean repairs"):
        ep.plan(None, repair=False)


def test_a_needle_of_ones_own_is_tried_alone() -> None:
    from endplate.repair.access.needle_choice import balloon_through, needles_for

    path = rehearsal_settings(None, {"procedure": "vertebroplasty", "needle": OWN_NEEDLE}).run.path
    assert needles_for(ep.Level.L1, "vertebroplasty", path) == (OWN_NEEDLE,)
    wide = rehearsal_settings(None, {"balloon": OWN_BALLOON}).run.path
    assert balloon_through(NEEDLES["8G"], wide) is OWN_BALLOON
    assert needles_for(ep.Level.L1, "kyphoplasty", wide) == (NEEDLES["8G"],)

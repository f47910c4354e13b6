"""The conservative plan and the sheet for after a procedure: lines by patient, each with a source; techniques."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from endplate.cited import Trust
from endplate.cli.follow.options import Kind
from endplate.decision.recovery.care_plan import PlanName, plan_book, plan_lines
from endplate.decision.recovery.expected_course import Procedure, course_models_for
from endplate.decision.recovery.techniques import techniques
from endplate.patient.health import RepairKind

OLD = {"age_yr": 82, "sex": "female", "mechanism": "minimal"}
PLANS: tuple[PlanName, ...] = get_args(PlanName)


def lines(plan: PlanName, **facts: Any) -> dict[str, bool]:
    return {line.id: line.sure for line in plan_lines(plan, facts)}


@pytest.mark.parametrize("plan", PLANS)
def test_every_line_has_a_source_that_a_reader_can_follow(plan: PlanName) -> None:
    for line in plan_book(plan).flags:
        assert line.when.citation.references and line.when.citation.source and line.when.words


@pytest.mark.parametrize(
    ("facts", "sure"),
    [({"age_yr": 65}, True), ({"age_yr": 64, "egfr": 59, "anticoagulant": False}, True),
     ({"age_yr": 64, "egfr": 60, "anticoagulant": True}, True), ({"age_yr": 64}, False)],
)  # fmt: skip
def test_nsaids_are_cautioned_in_the_old_in_kidney_disease_and_on_an_anticoagulant(
    facts: dict[str, Any], sure: bool
) -> None:
    assert lines("conservative", **facts)["nsaid"] is sure
    assert "nsaid" not in lines("conservative", age_yr=64, egfr=60, anticoagulant=False)


def test_falls_bed_rest_and_trauma_change_the_plan() -> None:
    assert "opioid_falls" in lines("conservative", fell_past_year=True)
    assert "opioid_falls" not in lines("conservative", fell_past_year=False, unsteady=False)
    assert lines("conservative", bed_rest_days=20)["rest_is_harm"] is True
    assert "rest_is_harm" not in lines("conservative", bed_rest_days=4)
    assert lines("conservative", **OLD)["prevention_now"] is True
    assert "prevention_now" not in lines("conservative", age_yr=28, sex="male", mechanism="high_energy",
                                         malignancy=False)  # fmt: skip


def test_the_plan_says_what_how_long_when_to_review_and_when_it_has_failed_by_whom() -> None:
    told = {line.id: f"{line.what} {line.how}" for line in plan_lines("conservative", OLD)}
    assert "2 to 4 weeks" in told["review"] and "12 weeks" in told["brace"]
    for words in ("SIR", "24 h", "CIRSE", "3 weeks", "eviCore", "6 weeks"):
        assert words in told["failed"]
    assert "withdrawn" in told["calcitonin_end"] and "twice a week" in told["exercise_balance"]


def test_the_sheet_names_wound_driving_lifting_work_warning_signs_and_the_first_review() -> None:
    told = {line.topic: line.what for line in plan_lines("after_procedure", OLD)}
    for topic in ("Going home the same day", "Wound", "Driving", "Lifting", "Work", "Call an ambulance",
                  "First review"):  # fmt: skip
        assert topic in told
    assert "2 days" in told["Driving"] and "3 months" in told["Lifting"] and "Chest pain" in told["Call an ambulance"]


def test_each_technique_has_what_guidelines_say_and_numbers_and_can_be_followed() -> None:
    known = {technique.id: technique for technique in techniques()}
    kinds = set(get_args(RepairKind))
    assert kinds - set(known) == {"vertebroplasty", "kyphoplasty"}
    assert set(known) - kinds == {"basivertebral-nerve-ablation"}
    for technique in techniques():
        assert technique.says and all(one.reference and one.trust in get_args(Trust) for one in technique.says)
        if technique.id in kinds:
            assert any(char.isdigit() for one in technique.found for char in one.text)
    assert "does not treat fractures" in known["basivertebral-nerve-ablation"].what
    assert "79.7 against 59.3" in known["titanium-implant"].found[0].text


def test_the_command_and_the_record_know_the_same_repairs_and_only_followed_ones_have_a_course() -> None:
    assert get_args(Kind) == get_args(RepairKind)
    assert max(map(len, get_args(RepairKind))) <= 20, "as long as the database's column"
    assert course_models_for("kyphoplasty", "nrs") and course_models_for("kiva", "nrs") == ()
    assert "sacroplasty" in str(Procedure)

"""What is taken and tried over time: conservative care and glucocorticoids, now and before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from endplate.decision.facts.case_facts import level_facts
from endplate.decision.facts.conservative_care import care_facts
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.prevention.facts import prevention_facts
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import decide_level
from endplate.level import Level
from endplate.patient import PatientRecord, parse_record

MONTH = 30.4375
STEP1, STEP2, PHYSIO = "analgesia step 1", "analgesia step 2", "physiotherapy"


def record(**more: Any) -> PatientRecord:
    return parse_record(json.dumps({"age_yr": 76, "sex": "F", "recorded_on": "2026-03-15", **more}))


def care(*treatments: dict[str, Any]) -> dict[str, Any]:
    return dict(care_facts(record(care={"treatments": treatments})))


def steroids(*courses: dict[str, Any], **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    told = record(drugs={"glucocorticoids": courses, **more}, levels={"L1": {"fracture": True}})
    both = dict(level_facts(told, (), Level.L1).values), prevention_facts(told)
    return tuple({name: value for name, value in facts.items() if "glucocorticoid_" in name} for facts in both)


def test_care_is_read_from_its_treatments() -> None:
    facts = care({"measure": STEP2, "started_on": "2026-02-01"}, {"measure": PHYSIO, "days": 10, "supervised": True})
    assert facts["analgesic_step2_tried"] and facts["mobilisation_offered"]
    assert (facts["nsm_days"], facts["drug_days"], facts["exercise_days"]) == (42, 42, 10)
    assert derive(facts)["nsm_optimised"] is True
    assert care() == {"analgesic_step2_tried": False, "analgesics_contraindicated": False,
                      "mobilisation_offered": False, "nsm_days": 0, "drug_days": 0, "bed_rest_days": 0,
                      "exercise_days": 0}  # fmt: skip
    assert dict(care_facts(record())) == {}


def test_what_is_contraindicated_was_not_tried() -> None:
    refused = {"outcome": "contraindicated", "days": 60}
    facts = care({"measure": STEP2, **refused}, {"measure": PHYSIO, "supervised": True, **refused})
    assert facts["analgesics_contraindicated"] is True
    assert not facts["analgesic_step2_tried"] and not facts["mobilisation_offered"]
    assert (facts["nsm_days"], facts["drug_days"], facts["exercise_days"]) == (0, 0, 0)


def test_rest_in_bed_is_no_drug_and_exercise_counts_only_under_supervision() -> None:
    facts = care({"measure": "bed rest", "days": 42}, {"measure": STEP1, "days": 7})
    assert (facts["nsm_days"], facts["drug_days"]) == (42, 7)
    for supervised, days in ((True, 30), (False, 0), (None, None)):
        told = {} if supervised is None else {"supervised": supervised}
        assert care({"measure": PHYSIO, "days": 30, **told})["exercise_days"] == days


@pytest.mark.parametrize(
    ("treatments", "days"),
    [
        ([(STEP1, "2026-02-01", "2026-02-15"), (STEP2, "2026-02-15", "2026-03-01")], 28),
        ([(STEP1, "2026-02-01", "2026-02-20"), (STEP2, "2026-02-10", "2026-03-01")], 28),
        ([(STEP1, "2026-02-01", "2026-02-06"), (STEP2, "2026-02-20", "2026-02-25")], 10),
        ([(STEP1, "2026-02-01", "2026-03-01"), (STEP2, "2026-02-10", "2026-02-12")], 28),
    ],
)
def test_one_drug_after_another_adds_up_and_a_day_under_two_counts_once(treatments: Any, days: int) -> None:
    told = [{"measure": name, "started_on": start, "stopped_on": stop} for name, start, stop in treatments]
    assert care(*told)["drug_days"] == days


@pytest.mark.parametrize(
    ("told", "today", "days"),
    [
        ({"started_on": "2026-02-01", "days": 10}, "2026-03-15", 10),
        ({"started_on": "2026-02-01"}, None, None),
        ({"started_on": "2026-03-15"}, "2026-03-15", 0),
        ({"days": 10}, None, 10),
    ],
)
def test_a_treatment_lasts_its_days_or_until_today(told: dict[str, Any], today: str | None, days: int | None) -> None:
    for measure, name in ((STEP1, "drug_days"), (PHYSIO, "exercise_days"), ("bed rest", "nsm_days")):
        treatments = {"treatments": [{"measure": measure, "supervised": True, **told}]}
        assert dict(care_facts(record(recorded_on=today, care=treatments)))[name] == days


def test_an_end_that_nobody_wrote_down_leaves_the_length_open_where_it_matters() -> None:
    given_up = {"measure": STEP2, "started_on": "2026-02-10", "outcome": "not tolerated"}
    assert care(given_up)["drug_days"] is None
    assert care({"measure": STEP1, "started_on": "2026-02-01"}, given_up)["drug_days"] == 42
    assert care({"measure": STEP1})["drug_days"] is None


@pytest.mark.parametrize(
    ("drugs", "exercise", "adequate"),
    [(28, 28, "adequate"), (27, 28, "not adequate"), (28, 27, "not adequate"), (60, None, None)],
)
def test_payer_a_wants_four_weeks_of_each(drugs: int, exercise: int | None, adequate: str | None) -> None:
    facts = {"nsm_optimised": True, "drug_days": drugs, "exercise_days": exercise}
    grades = {grade.id: grade.value for grade in decide_level(LevelFacts(values=facts)).conservative}
    assert grades["care_payer_a"] == adequate


def test_the_heaviest_long_course_of_glucocorticoid_counts() -> None:
    heavy, light, middle = ({"prednisone_mg_day": mg, "months": m} for mg, m in ((40, 0.5), (5, 12), (10, 3)))
    for facts in steroids(heavy, light, middle):
        assert (facts["glucocorticoid_mg_d"], facts["glucocorticoid_months"]) == (10, 3)
    for facts in steroids(heavy, light, middle | {"months": 2.99}):
        assert (facts["glucocorticoid_mg_d"], facts["glucocorticoid_months"]) == (5, 12)
    for facts in steroids({"prednisone_mg_day": 20, "started_on": "2025-07-15", "ongoing": True}):
        assert facts["glucocorticoid_months"] == pytest.approx(243 / MONTH)


def test_courses_that_have_ended_are_none_now_and_a_past_exposure() -> None:
    ended = {"prednisone_mg_day": 20, "started_on": "2024-01-01", "stopped_on": "2024-09-01"}
    past = {"glucocorticoid_past_mg_d": 20, "glucocorticoid_past_months": pytest.approx(244 / MONTH)}
    none_now = {"glucocorticoid_mg_d": 0, "glucocorticoid_months": 0}
    assert steroids(ended) == (past | none_now, past | none_now)
    undated = steroids({"prednisone_mg_day": 20, "started_on": "2024-01-01", "ongoing": False})[0]
    assert undated["glucocorticoid_mg_d"] == 0 and "glucocorticoid_past_months" not in undated


def test_both_readers_agree_on_none_and_on_unknown() -> None:
    zero = dict.fromkeys(("glucocorticoid_mg_d", "glucocorticoid_months", "glucocorticoid_past_mg_d",
                          "glucocorticoid_past_months", "glucocorticoid_g_yr"), 0)  # fmt: skip
    assert steroids() == (zero, zero)
    assert steroids({"prednisone_mg_day": 5, "months": 6}, cumulative_prednisone_g_year=1.5)[0][
        "glucocorticoid_g_yr"
    ] == pytest.approx(1.5)
    assert not any("glucocorticoid" in name for name in level_facts(record(), (), Level.L1).values)


@pytest.mark.parametrize(
    ("dose", "lasted", "grade"),
    [(2.5, 3.1, "possible"), (2.4, 3.1, "absent"), (2.5, 3.0, "absent"), (20, 8, "possible")],
)
def test_a_past_course_is_a_possible_cause_only(dose: float, lasted: float, grade: str) -> None:
    facts = {"glucocorticoid_mg_d": 0, "glucocorticoid_months": 0, "glucocorticoid_courses": False,
             "glucocorticoid_past_mg_d": dose, "glucocorticoid_past_months": lasted}  # fmt: skip
    cause = next(one for one in rulebook().gradings if one.id == "glucocorticoid")
    assert cause.ladder.settled(facts) == grade

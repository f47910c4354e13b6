"""The reading of a day: every score that a record holds, and nothing that it does not."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import pytest

from endplate.decision.recovery.visit_scores import SCORES, visit_scores
from endplate.patient import parse_record

DAY = date(2026, 3, 4)
FULL = {
    "pain": {"under_analgesia": 7},
    "height_cm": 161.5,
    "questionnaires": {
        "rmdq": {"ticked": 11},
        "odi": {"percent": 42},
        "eq5d": {"version": "5L", "index": 0.4},
        "qualeffo": {"total": 55},
        "sf36": {"physical": 31, "mental": 60},
    },
}
TOLD = {"nrs": 7, "rmdq": 11, "odi": 42, "eq5d": 0.4, "qualeffo": 55, "pcs": 31, "height_cm": 161.5}


def known(**fields):
    """What a reading tells, its day apart."""
    reading = visit_scores(parse_record(json.dumps({"age_yr": 76, "sex": "F", **fields})), DAY)
    assert reading.on == DAY
    return {name: value for name, value in asdict(reading).items() if value is not None and name != "on"}


def test_a_bare_record_has_no_score():
    assert known() == {}
    assert known(questionnaires={}) == {}


def test_every_score_is_read():
    assert known(**FULL) == TOLD and set(TOLD) == set(SCORES)


@pytest.mark.parametrize(
    ("name", "score"), [("rmdq",) * 2, ("odi",) * 2, ("eq5d",) * 2, ("qualeffo",) * 2, ("sf36", "pcs")]
)
def test_each_questionnaire_tells_its_own_score_only(name, score):
    assert known(questionnaires={name: FULL["questionnaires"][name]}) == {score: TOLD[score]}


def test_signs_are_asked_at_the_visit_and_never_read_from_the_record():
    assert known(infection={"fever": True}, neurology={"new_deficit": True}) == {}

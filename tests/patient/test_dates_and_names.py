"""Dates in their order, names that were meant, and one patient a file."""

from __future__ import annotations

import json

import pytest

from endplate.errors import RecordError
from endplate.level import Level
from endplate.patient import PatientRecord, parse_record, read_record

BASE = {"age_yr": 76, "sex": "F"}


def parsed(**fields):
    return parse_record(json.dumps(BASE | fields))


def refused(**fields):
    with pytest.raises(RecordError) as error:
        parsed(**fields)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("fields", "first", "second"),
    [
        ({"recorded_on": "2026-03-01", "episode": {"onset_on": "2026-03-02"}}, "recorded_on", "episode.onset_on"),
        (
            {"episode": {"onset_on": "2026-03-02", "admitted_on": "2026-03-01"}},
            "episode.onset_on",
            "episode.admitted_on",
        ),
        (
            {"drugs": {"bone_drugs": [{"drug": "denosumab", "started_on": "2025-05-01", "stopped_on": "2025-04-01"}]}},
            "start of denosumab",
            "end of denosumab",
        ),
        (
            {"recorded_on": "2026-03-01", "levels": {"L1": {"fracture_on": "2026-03-05"}}},
            "recorded_on",
            "levels.L1.fracture_on",
        ),
        (
            {
                "episode": {"onset_on": "2026-02-01"},
                "procedures": [{"kind": "kyphoplasty", "levels": ["L1"], "on": "2026-01-01"}],
            },
            "episode.onset_on",
            "procedures.0.on",
        ),
    ],
)
def test_a_date_before_one_that_it_must_follow_is_an_error_naming_both(fields, first, second):
    said = refused(**fields)
    assert first in said and second in said


def test_the_same_day_is_in_order():
    assert parsed(recorded_on="2026-03-01", episode={"onset_on": "2026-03-01"}).episode.onset_on


def test_days_since_onset_that_contradict_the_dates_are_refused():
    said = refused(recorded_on="2026-03-01", episode={"onset_on": "2026-02-01", "onset_days": 90})
    assert "28 days" in said and "90" in said


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({"wieght_kg": 3, "pain": {}}, ""),
        ({"pain": {"at_rst": 3}}, "did you mean at_rest?"),
        ({"mas_kg": 60}, "did you mean mass_kg?"),
        ({"inr": 2.8}, "did you mean laboratory.inr?"),
        ({"levels": {"L1": {"oedma": True}}}, "did you mean oedema?"),
    ],
)
def test_an_unknown_field_comes_with_the_name_that_was_meant(fields, meant):
    said = refused(**fields)
    assert "is not a known field" in said and meant in said


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"pain": {"at_rest": 11}}, "pain.at_rest is 11"),
        ({"levels": {"L7": {"oedema": True}}}, "levels.L7"),
        ({"laboratory": {"inr": "high"}}, "laboratory.inr.value is 'high'"),
        ({"sex": "M", "pregnant": True}, "pregnant is true, but sex is male"),
        ({"bone": {"tests": [{"site": "spine"}]}}, "without a value"),
        ({"questionnaires": {"rmdq": {"version": 23, "ticked": 24}}}, "more than the 23 items"),
        ({"questionnaires": {"rmdq": {"items": [True] * 23}}}, "has 23 answers"),
        ({"questionnaires": {"odi": {"percent": 20, "items": [1] * 10}}}, "leave one out"),
        ({"recorded_on": "31.12.2026"}, "recorded_on is '31.12.2026'"),
    ],
)
def test_impossible_values_are_told_by_name(fields, says):
    assert says in refused(**fields)


@pytest.mark.parametrize("data", [[BASE, BASE], {"patients": [BASE, BASE]}])
def test_two_patients_in_one_file_are_told(data):
    with pytest.raises(RecordError, match="holds several patients"):
        parse_record(json.dumps(data))


def test_a_toml_record_may_hold_dates_lists_and_levels(tmp_path):
    path = tmp_path / "patient.toml"
    path.write_text(
        "age_yr = 76\nsex = 'female'\nrecorded_on = 2026-03-01\n"
        "[laboratory]\ninr = 1.1\ncrp_mg_l = {value = 4, on = 2026-02-27}\n"
        "[levels.L1]\noedema = true\n"
        "[[care.treatments]]\nmeasure = 'analgesia step 2'\nstarted_on = 2026-02-01\n"
    )
    record = read_record(path)
    assert record.levels[Level.L1].oedema is True and record.laboratory.inr.value == 1.1
    assert record.care.treatments[0].started_on.isoformat() == "2026-02-01"


def test_a_record_survives_its_own_json():
    record = parsed(levels={"L1": {"oedema": True}}, laboratory={"inr": 1.2}, drugs={"names": []})
    again = parse_record(record.model_dump_json(exclude_unset=True))
    assert again == record and again.drugs.names == () and again.drugs.glucocorticoids is None


def test_what_is_not_told_is_unknown_not_no():
    record = PatientRecord(age_yr=76, sex="female")
    assert record.pregnant is None and record.infection.systemic is None and record.drugs.anticoagulant is None

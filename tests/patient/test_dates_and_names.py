"""Dates in their order, names that were meant, and one patient a file."""

from __future__ import annotations

import json
from datetime import date, timedelta

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
        (
            {
                "episode": {"onset_on": "2026-02-01"},
                "studies": {"mri_on": "2026-01-31"},
                "levels": {"L1": {"oedema": False}},
            },
            "levels.L1.oedema is told, but studies.mri_on (2026-01-31)",
            "episode.onset_on (2026-02-01)",
        ),
        (
            {
                "recorded_on": "2026-03-01",
                "episode": {"onset_days": 28},
                "studies": {"bone_scan_on": "2026-01-31"},
                "levels": {"L1": {"uptake": True}},
            },
            "levels.L1.uptake is told, but studies.bone_scan_on (2026-01-31)",
            "the onset by episode.onset_days (2026-02-01)",
        ),
        (
            {"studies": {"mri_on": "2026-01-31"}, "levels": {"L1": {"oedema": True, "fracture_on": "2026-02-01"}}},
            "studies.mri_on",
            "levels.L1.fracture_on",
        ),
    ],
)
def test_a_date_before_one_that_it_must_follow_is_an_error_naming_both(fields, first, second):
    said = refused(**fields)
    assert first in said and second in said


def test_the_same_day_is_in_order():
    assert parsed(recorded_on="2026-03-01", episode={"onset_on": "2026-03-01"}).episode.onset_on


@pytest.mark.parametrize(
    "fields",
    [
        {"levels": {"L1": {"loss_percent": 20}}},
        {"levels": {"L1": {"uptake": True}}},
        {"levels": {"L1": {"oedema": True, "fracture_on": "2025-06-01"}}},
        {"levels": {"L1": {"oedema": True}}, "episode": {"onset_on": "2026-01-31"}},
    ],
)
def test_a_study_older_than_the_pain_may_be_named_where_nothing_is_taken_from_it(fields):
    told = {"episode": {"onset_on": "2026-02-01"}, "studies": {"mri_on": "2026-01-31"}} | fields
    assert parsed(**told).studies.mri_on == date(2026, 1, 31)


@pytest.mark.parametrize(
    "place",
    [
        lambda on: {"episode": {"onset_on": on}},
        lambda on: {"recorded_on": on},
        lambda on: {"pain": {"rated_on": on}},
        lambda on: {"laboratory": {"inr": {"value": 1.0, "on": on}}},
        lambda on: {"levels": {"L1": {"fracture_on": on}}},
        lambda on: {"procedures": [{"kind": "kyphoplasty", "levels": ["L1"], "on": on}]},
        lambda on: {"bone": {"tests": [{"site": "spine", "t_score": -3, "on": on}]}},
    ],
)
def test_a_day_to_come_is_refused_everywhere_and_so_is_one_of_another_age(place):
    today = date.today()
    assert parsed(**place((today + timedelta(1)).isoformat()))
    assert "lies in the future" in refused(**place((today + timedelta(2)).isoformat()))
    assert parsed(**place("1900-01-01"))
    assert "lies before 1900" in refused(**place("1899-12-31"))


@pytest.mark.parametrize(
    ("grade", "states"),
    [
        ("N0", ("none",)),
        ("N1", ("none", "radicular", "deficit")),
        ("N2", ("radicular", "deficit")),
        ("N3", ("deficit",)),
        ("N4", ("deficit",)),
    ],
)
def test_neurology_in_words_and_by_grade_must_agree(grade, states):
    for state in ("none", "radicular", "deficit"):
        told = {"neurology": {"state": state, "grade": grade}}
        if state in states:
            assert parsed(**told).neurology.state == state
        else:
            said = refused(**told)
            assert f"state is '{state}'" in said and f"grade is '{grade}'" in said


@pytest.mark.parametrize("nothing", [{"state": "none"}, {"grade": "N0"}])
def test_a_new_deficit_contradicts_no_deficit(nothing):
    assert "new_deficit is true, but" in refused(neurology={"new_deficit": True} | nothing)
    assert parsed(neurology={"new_deficit": False} | nothing)


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
        ({"nrs": 8}, "did you mean pain.under_analgesia?"),
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

"""`endplate record`: asked step by step, or read from FHIR; nothing half-written."""

from __future__ import annotations

import io
import json
import os

import pytest

from endplate.cli.app import main
from endplate.cli.record.ask import Interview
from endplate.decision.explanation.record_draft import MAX
from endplate.patient import read_record
from endplate.patient.fhir import record_resources

IDENTITY = {"id": "p1", "recorded on": "2026-06-01", "Age": "76", "Sex": "female", "Body mass": "61"}


def told(answers):
    """A record told by somebody who answers a prompt that begins so, once or (a list) one after the other."""
    left = {start: list(given) if isinstance(given, list) else [given] for start, given in answers.items()}
    prompts, said = [], []

    def ask(prompt):
        prompts.append(prompt.strip())
        for start, given in left.items():
            if prompt.strip().startswith(start) and given:
                return given.pop(0)
        return ""

    return Interview(ask, said.append).record(), prompts, said


def asked(tmp_path, monkeypatch, capsys, *answers, code=0):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    assert main(["record", "new", "--out", str(tmp_path / "r.json")]) == code
    return capsys.readouterr().err


def test_what_is_answered_is_written_and_enter_stays_unknown(tmp_path, monkeypatch, capsys):
    asked(tmp_path, monkeypatch, capsys, "p1", "2026-06-01", "76", "female", "61", *[""] * 60)
    record = read_record(tmp_path / "r.json")
    assert (record.id, record.age_yr, record.sex, record.mass_kg, record.height_cm) == ("p1", 76, "female", 61, None)
    assert record.levels == {} and record.pain.at_rest is None


def test_parts_are_asked_and_what_came_first_is_not_asked_again():
    pain = {"More about pain": "yes", "at rest": "4", "Course of the symptoms": "worse"}
    record, prompts, _ = told(
        IDENTITY
        | {"Which vertebra": "l1", "Pain mainly": "yes", "Pain under": "7", "Marrow": "yes", "Cause": "osteoporotic"}
        | pain
    )
    assert (record.pain.under_analgesia, record.pain.trend, record.pain.at_rest) == (7, "worse", 4)
    assert [(str(level), read.fracture) for level, read in record.levels.items()] == [("L1", True)]
    assert sum(prompt.startswith("Pain under") for prompt in prompts) == 1


def test_the_answers_that_settle_most_verdicts_come_first():
    _, prompts, _ = told(IDENTITY | {"Which vertebra": "L1"})
    place = {start: next(i for i, p in enumerate(prompts) if p.startswith(start)) for start in
             ("Which vertebra", "Pain mainly", "Cause of", "Cancer now", "Anything about episode")}  # fmt: skip
    first, *settling, rest = place.values()
    assert first < min(settling) and max(settling) < rest
    assert place["Anything about episode"] - place["Which vertebra"] <= MAX + 2


def test_a_question_mark_says_why_and_back_returns_to_the_question_before():
    record, _, said = told(IDENTITY | {"Body mass": ["60", "61"], "Height": ["?", "back", "160"]})
    assert (record.mass_kg, record.height_cm) == (61, 160)
    assert "It describes the patient." in "".join(said)
    record, _, said = told(IDENTITY | {"Which vertebra": "L1", "Pain mainly": ["?", "yes"]})
    assert record.pain.from_fracture is True
    assert any("Asked for by ACR Appropriateness Criteria 2018" in text and "more." in text for text in said)


def test_what_was_skipped_can_be_come_back_to():
    answers = IDENTITY | {"Which vertebra": "L1", "Pain mainly": ["", "yes"]}
    record, prompts, _ = told(answers)
    assert record.pain.from_fracture is None
    assert any("of these were skipped" in prompt for prompt in prompts)
    came_back = {f"{count} of these were skipped": "yes" for count in range(1, 20)}
    assert told(answers | came_back)[0].pain.from_fracture is True


def test_an_answer_that_contradicts_another_is_refused_at_once():
    record, _, said = told({"Age": "34", "Sex": "male", "Which vertebra": "L1"})
    assert not any("Pregnant" in text for text in said) and record.pregnant is None


@pytest.mark.parametrize(("sex", "age", "wanted"), [("male", "30", 0), ("female", "76", 0), ("female", "59", 1)])
def test_pregnancy_is_asked_only_where_it_is_possible(sex, age, wanted):
    _, prompts, _ = told({"Age": age, "Sex": sex})
    assert sum(prompt.startswith("Pregnant") for prompt in prompts[:8]) == wanted


def test_an_impossible_answer_is_asked_again_with_what_is_possible(tmp_path, monkeypatch, capsys):
    err = asked(tmp_path, monkeypatch, capsys, "p1", "31.6.26", "", "760", "76", "x", "female", "", "", "", *[""] * 60)
    assert "Recorded on is '31.6.26', but should be a day" in err
    assert "Age, years is '760', but should be a number from 0 to 120" in err
    assert "Sex is 'x', but should be female / male" in err
    assert read_record(tmp_path / "r.json").age_yr == 76


def test_age_and_sex_cannot_be_left_out(tmp_path, monkeypatch, capsys):
    err = asked(tmp_path, monkeypatch, capsys, "", "", "", "76", "", "male", "", "", "", *[""] * 60)
    assert err.count("Age, years (") == 2
    assert "Age, years is needed: a number from 0 to 120" in err


def test_an_input_that_ends_writes_nothing(tmp_path, monkeypatch, capsys):
    err = asked(tmp_path, monkeypatch, capsys, "p1", "2026-06-01", code=2)
    assert "ended before the record was whole" in err and not list(tmp_path.iterdir())


def test_a_bundle_becomes_a_record(tmp_path, capsys):
    entries = [{"resource": {"resourceType": "Patient", "id": "x", "gender": "male", "birthDate": "1950-01-01"}}]
    (tmp_path / "b.json").write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    assert main(["record", "new", "--from-fhir", str(tmp_path / "b.json"), "--out", str(tmp_path / "r.json")]) == 0
    record = read_record(tmp_path / "r.json")
    assert record.sex == "male" and record.age_yr > 75
    assert len(record_resources(record)) >= 2
    (tmp_path / "b.json").write_text("{}")
    assert main(["record", "new", "--from-fhir", str(tmp_path / "b.json"), "--out", str(tmp_path / "r.json")]) == 2
    assert read_record(tmp_path / "r.json") == record


def test_a_bundle_without_sex_asks_for_it_and_says_what_it_left(tmp_path, capsys):
    old = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "valueQuantity": {"value": 61, "code": "kg"},
        "effectiveDateTime": "2010-01-01",
    }
    resources = [{"resourceType": "Patient", "id": "x", "birthDate": "1950-01-01"}, old, {"resourceType": "Device"}]
    entries = [{"resource": one} for one in resources]
    (tmp_path / "b.json").write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    command = ["record", "new", "--from-fhir", str(tmp_path / "b.json"), "--out", str(tmp_path / "r.json")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "sex is missing" in said and "--sex female or --sex male" in said and said.count("\n") == 1
    assert main([*command, "--sex", "female", "--age", "77"]) == 0
    said = capsys.readouterr().out
    assert "not used: Device: no record is read from this kind of resource" in said
    assert "please check: mass_kg 61 is of 2010-01-01" in said
    assert (read_record(tmp_path / "r.json").sex, read_record(tmp_path / "r.json").age_yr) == ("female", 77)
    assert main(["record", "new", "--sex", "male", "--out", str(tmp_path / "s.json")]) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_is_no_bundle(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    assert main(["record", "new", "--from-fhir", str(tmp_path / "pipe"), "--out", str(tmp_path / "r.json")]) == 2
    assert "no plain file" in capsys.readouterr().err


def test_a_check_says_what_is_known(tmp_path, capsys):
    (tmp_path / "r.json").write_text('{"age_yr": 70, "sex": "F", "pain": {"at_rest": 3}}')
    assert main(["record", "check", str(tmp_path / "r.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["known"]["pain"] == [1, 13]


@pytest.mark.parametrize("of", ["case", "record"])
def test_both_schemas_are_published(of, capsys):
    assert main(["schema", of]) == 0
    assert "properties" in json.loads(capsys.readouterr().out)

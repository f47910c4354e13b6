"""`endplate record`: asked step by step, or read from FHIR; nothing half-written."""

from __future__ import annotations

import io
import json

import pytest

from endplate.cli.app import main
from endplate.patient import read_record
from endplate.patient.fhir import record_resources

BY_SECTION = ["p1", "2026-06-01", "76", "female", "61", "", "", "no"]
"""Identity, then nothing about the episode."""


def asked(tmp_path, monkeypatch, capsys, *answers, code=0):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    assert main(["record", "new", "--out", str(tmp_path / "r.json")]) == code
    return capsys.readouterr().err


def test_what_is_answered_is_written_and_enter_stays_unknown(tmp_path, monkeypatch, capsys):
    pain = ["yes", "", "", "7", "worse", *[""] * 9]
    asked(tmp_path, monkeypatch, capsys, *BY_SECTION, *pain, *["no"] * 15, "l1", *[""] * 3, "yes", *[""] * 40)
    record = read_record(tmp_path / "r.json")
    assert (record.id, record.age_yr, record.sex, record.mass_kg, record.height_cm) == ("p1", 76, "female", 61, None)
    assert (record.pain.under_analgesia, record.pain.trend, record.pain.at_rest) == (7, "worse", None)
    assert [(str(level), read.oedema) for level, read in record.levels.items()] == [("L1", True)]


def test_an_impossible_answer_is_asked_again_with_what_is_possible(tmp_path, monkeypatch, capsys):
    err = asked(tmp_path, monkeypatch, capsys, "p1", "31.6.26", "", "760", "76", "x", "female", "", "", "", *[""] * 30)
    assert "recorded on is '31.6.26', but should be a day" in err
    assert "age, years is '760', but should be a number from 0 to 120" in err
    assert "sex is 'x', but should be female / male" in err
    assert read_record(tmp_path / "r.json").age_yr == 76


def test_age_and_sex_cannot_be_left_out(tmp_path, monkeypatch, capsys):
    err = asked(tmp_path, monkeypatch, capsys, "", "", "", "76", "", "male", "", "", "", *[""] * 30)
    assert err.count("age, years (") == 2


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


def test_a_check_says_what_is_known(tmp_path, capsys):
    (tmp_path / "r.json").write_text('{"age_yr": 70, "sex": "F", "pain": {"at_rest": 3}}')
    assert main(["record", "check", str(tmp_path / "r.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["known"]["pain"] == [1, 13]


@pytest.mark.parametrize("of", ["case", "record"])
def test_both_schemas_are_published(of, capsys):
    assert main(["schema", of]) == 0
    assert "properties" in json.loads(capsys.readouterr().out)

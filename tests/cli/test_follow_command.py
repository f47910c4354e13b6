"""`endplate follow` end to end: what a clinic would type, and what it must be told."""

from __future__ import annotations

import json

import pytest
from tests.support.small_case import small_document, small_finding

from endplate.cli.app import main

RECORD = {
    "id": "p 4711",
    "age_yr": 76,
    "sex": "F",
    "recorded_on": "2026-06-01",
    "episode": {"onset_on": "2026-05-10", "mechanism": "fall from standing"},
    "pain": {"under_analgesia": 8},
    "questionnaires": {"rmdq": {"ticked": 18}},
}


@pytest.fixture
def clinic(tmp_path, monkeypatch, capsys):
    """A folder with one episode, and a way to run a command there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(json.dumps(RECORD))

    def run(*words, code=0):
        assert main(["follow", *words, "--json"]) == code
        answer = json.loads(capsys.readouterr().out)
        return answer["result"] if code == 0 else answer["error"]["message"]

    run("start", "p.json", "--level", "L1", "--who", "anna")
    return run


def case(level, front, patient="p 4711"):
    height = small_finding("anterior_height", front, level, low=front - 0.4, high=front + 0.4)
    broken = small_finding("fracture", "yes", level, unit="")
    return small_document(height, broken, patient=patient, levels=(level,))


def test_a_course_is_kept_shown_and_drawn(clinic, tmp_path):
    clinic("repair", "1", "vertebroplasty", "--level", "l1", "--on", "2026-06-10")
    clinic("visit", "1", "--nrs", "7", "--rmdq", "16", "--on", "2026-07-30")
    shown = clinic("show", "1", "--page", "c.html", "--on", "2026-11-22")
    assert [flag["code"] for flag in shown["flags"]] == ["no_improvement", "off_trajectory", "lost_to_follow_up"]
    assert shown["due"]["visit"] == "6 months" and shown["procedure"] == "vertebroplasty"
    page = (tmp_path / "c.html").read_text()
    assert page.count("<svg") == 2 and "VERTOS IV" in page and "no promise" in page
    assert "not a medical device" in page


def test_a_sign_is_history_once_a_later_visit_denies_it(clinic, tmp_path, capsys):
    clinic("visit", "1", "--fever", "--on", "2026-06-03")
    assert clinic("due", "--on", "2026-06-05")["due"][0]["visit"] == "same day"
    told = clinic("visit", "1", "--no-fever", "--on", "2026-06-16")
    assert told["flags"] == [] and clinic("due", "--on", "2026-06-16")["total"] == 0
    shown = clinic("show", "1", "--page", "c.html", "--on", "2026-06-16")
    assert shown["flags"] == [] and shown["settled"][0]["settled_on"] == "2026-06-16"
    assert "settled 2026-06-16" in (tmp_path / "c.html").read_text()
    assert main(["follow", "show", "1", "--on", "2026-06-16"]) == 0
    assert "settled 2026-06-16: fever (since 2026-06-03)" in capsys.readouterr().out


def test_each_scale_is_told_to_have_changed_beyond_its_error_or_not(clinic, tmp_path, capsys):
    clinic("visit", "1", "--rmdq", "10", "--nrs", "7", "--eq5d", "0.4", "--on", "2026-06-30")
    clinic("visit", "1", "--rmdq", "14", "--on", "2026-07-30")
    shown = clinic("show", "1", "--page", "c.html", "--on", "2026-08-01")
    assert {change["scale"]: (change["before"], change["after"], change["answer"]) for change in shown["changed"]} == {
        "nrs": (8, 7, "no important change"),
        "rmdq": (18, 14, "no important change"),
        "eq5d": (None, 0.4, "unknown"),
    }
    assert "within measurement error" in (tmp_path / "c.html").read_text()
    assert main(["follow", "show", "1", "--on", "2026-08-01"]) == 0
    text = capsys.readouterr().out
    assert "Roland-Morris 0-24: 18 to 14 by 2026-07-30: within measurement error" in text and "EQ-5D" in text


def test_a_correction_keeps_the_old_value_and_its_author(clinic):
    clinic("visit", "1", "--nrs", "6.5", "--on", "2026-06-30")
    clinic("correct", "visit", "2", "nrs=unknown", "--who", "ben")
    last = clinic("history", "1")["changes"][-1]
    assert (last["who"], last["before"]["nrs"], last["after"]["nrs"]) == ("ben", 6.5, None)


def test_scans_of_the_patient_are_compared_and_of_another_refused(clinic, tmp_path):
    for name, document in {"a": case("L1", 25.0), "b": case("L1", 18.0), "c": case("L1", 25.0, "other")}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "case.json").write_text(json.dumps(document))
    clinic("scan", "1", "a", "--on", "2026-06-02")
    assert clinic("scan", "1", "b", "--on", "2026-09-02")["changes"][0]["worse"] == "yes"
    assert "is of patient other, not p 4711" in clinic("scan", "1", "c", code=2)
    assert len(clinic("history", "1")["changes"]) == 5


def test_levels_come_from_the_scan_where_nobody_names_them(clinic, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "case.json").write_text(json.dumps(case("T12", 20.0)))
    assert clinic("start", "p.json", "--case", "a")["levels"] == ["T12"]


def test_the_due_list_and_the_key_figures_answer(clinic):
    assert clinic("due", "--on", "2026-06-20")["total"] == 1
    assert clinic("list")["episodes"][0]["patient_id"] == "p 4711"
    clinic("milestone", "1", "falls assessed", "--on", "2026-06-20")
    figures = {figure["name"]: figure for figure in clinic("kpi", "--on", "2026-06-20")["figures"]}
    assert figures["falls assessed"]["percent"] == 100
    clinic("close", "1", "--on", "2026-06-21")
    assert clinic("due", "--on", "2026-06-22")["total"] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["visit", "9", "--nrs", "3"], "there is no episode 9"),
        (["visit", "1", "--nrs", "13"], "nrs is 13; it runs from 0 to 10"),
        (["visit", "1", "--nrs", "3", "--on", "2026-05-09"], "lies before the onset"),
        (["repair", "1", "kyphoplasty", "--level", "L9"], "'L9' is no vertebra"),
        (["correct", "visit", "1", "nrz=5"], "fields: on, nrs"),
        (["correct", "visit", "1", "nrs=bad"], "'bad' is no value of nrs"),
        (["correct", "visit", "1", "version=9"], "changes nothing"),
        (["start", "p.json"], "no fractured level is known"),
        (["start", "p.json", "--level", "L1"], "already has episode 1"),
        (["show", "1", "--database", "absent.db"], "does not exist"),
        (["scan", "1", "nowhere"], "cannot read"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(clinic, words, says):
    before = clinic("history", "1")
    message = clinic(*words, code=2)
    assert says in message and "\n" not in message
    assert clinic("history", "1") == before


def test_a_record_without_an_id_cannot_be_followed(clinic, tmp_path):
    (tmp_path / "q.json").write_text('{"age_yr": 70, "sex": "M"}')
    assert "has no id" in clinic("start", "q.json", "--level", "L1", code=2)


def test_what_people_read_names_flags_and_visits(clinic, capsys):
    clinic("visit", "1", "--nrs", "8", "--on", "2026-07-30")
    assert main(["follow", "show", "1", "--on", "2026-08-01"]) == 0
    text = capsys.readouterr().out
    assert "less than 2 points" in text and "2026-07-30" in text
    for command in (["list"], ["due"], ["kpi"], ["history", "1"]):
        assert main(["follow", *command]) == 0
        assert capsys.readouterr().out.strip()

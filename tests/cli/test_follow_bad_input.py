"""`endplate follow` against what a clinic may do wrong: one line, exit 2, and nothing half-written."""

from __future__ import annotations

import json
import sqlite3

import pytest
from tests.support.small_case import small_document, small_finding

from endplate.cli.app import main

RECORD = {
    "id": "p 4711",
    "age_yr": 76,
    "sex": "F",
    "recorded_on": "2026-05-10",
    "episode": {"onset_days": 20},
    "pain": {"under_analgesia": 8},
    "levels": {"L1": {"fracture": True}},
}


@pytest.fixture
def clinic(tmp_path, monkeypatch, capsys):
    """A folder with a record and an episode, and a way to run a command there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(json.dumps(RECORD))

    def run(*words, code=0):
        assert main(["follow", *words, "--json"]) == code, capsys.readouterr()
        answer = json.loads(capsys.readouterr().out)
        return answer["result"] if code == 0 else answer["error"]["message"]

    run("start", "p.json")
    return run


def scan(tmp_path, name, front, sd=0.2, code="anterior_height"):
    band = {} if sd is None else {"low": front - 1.96 * sd, "high": front + 1.96 * sd}
    document = small_document(small_finding(code, front, **band), patient=None)
    (tmp_path / name).write_text(json.dumps(document))
    return name


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["visit", "1"], "says nothing"),
        (["visit", "1", "--nrs", "3", "--on", "2999-01-01"], "lies in the future"),
        (["visit", "9" * 20, "--nrs", "3"], "too large"),
        (["correct", "visit", "1", "on=unknown"], "always known"),
        (["correct", "visit", "1", "on=1990-01-01"], "before the onset"),
        (["correct", "episode", "1", "closed_on=1990-01-01"], "before the onset"),
        (["correct", "episode", "1", "onset_on=2026-06-01"], "before the onset"),
        (["correct", "episode", "1", "levels=Z9"], "no vertebra"),
        (["correct", "repair", "1", "kind=glue"], "no kind of repair"),
        (["correct", "episode", "1", "closed_on=2026-05-01"], "the start on 2026-05-10 lies after the end"),
        (["repair", "1", "kyphoplasty", "--level", "T4"], "a repair of T4 is none of episode 1 (L1)"),
        (["visit", "1", "--note", " "], "says nothing"),
        (["start", "p.json", "--level", "L2", "--on", "2026-06-10"], "is of 2026-05-10"),
        (["start", "p.json", "--level", ""], "no vertebra"),
        (["due", "--limit", "-1"], "--limit"),
        (["list", "--limit", "-1"], "--limit"),
        (["list", "--database", ""], "is a folder"),
        (["list", "--database", "sqlite://"], "names no file"),
        (["list", "--database", "sqlite:///no.db"], "does not exist"),
        (["list", "--database", "/dev/null"], "is not a file"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(clinic, words, says):
    before = clinic("history", "1")
    told = clinic(*words, code=2)
    assert says in told and "\n" not in told
    assert clinic("history", "1") == before


def test_an_episode_ends_after_all_that_it_holds(clinic):
    clinic("visit", "1", "--nrs", "5", "--on", "2026-06-10")
    told = clinic("close", "1", "--on", "2026-06-09", code=2)
    assert "the visit on 2026-06-10 lies after the end on 2026-06-09" in told
    clinic("close", "1", "--on", "2026-06-10")
    assert "was closed" in clinic("visit", "1", "--nrs", "5", "--on", "2026-06-05", code=2)
    assert "lies after the end" in clinic("correct", "visit", "2", "on=2026-06-11", code=2)
    clinic("correct", "visit", "2", "on=2026-06-09")


def test_a_repair_is_of_a_level_of_the_episode_before_and_after_a_correction(clinic):
    clinic("repair", "1", "kyphoplasty", "--level", "L1", "--level", "L2", "--on", "2026-06-10")
    assert "none of episode 1" in clinic("correct", "repair", "1", "levels=L2,L3", code=2)
    clinic("correct", "repair", "1", "levels=L1")


def test_a_level_named_twice_counts_once_and_an_onset_after_the_start_is_refused(clinic, tmp_path):
    undated = {"id": "b", "age_yr": 76, "sex": "F", "episode": {"onset_on": "2026-05-20"}}
    (tmp_path / "b.json").write_text(json.dumps(undated))
    words = ("start", "b.json", "--level", "L3", "--level", "l3", "--on")
    assert "the start on 2026-05-19 lies before the onset" in clinic(*words, "2026-05-19", code=2)
    assert clinic("list", "--patient", "b")["episodes"] == []
    assert clinic(*words, "2026-05-20")["levels"] == ["L3"]


def test_a_start_that_fails_leaves_no_episode(clinic, tmp_path):
    other = RECORD | {"id": "b", "levels": {"T9": {"fracture": True}}}
    (tmp_path / "b.json").write_text(json.dumps(other))
    (tmp_path / "c.json").write_text('{"format": "endplate-case", "levels": ["T9"], "findings": [3]}')
    assert "not whole" in clinic("start", "b.json", "--case", "c.json", code=2)
    assert len(clinic("list")["episodes"]) == 1


def test_an_older_repair_and_one_elsewhere_are_no_part_of_the_course(clinic, tmp_path):
    done = [("L1", "2026-05-01"), ("L1", "2026-01-01"), ("T8", "2026-05-02")]
    procedures = [{"kind": "kyphoplasty", "levels": [level], "on": on} for level, on in done]
    (tmp_path / "b.json").write_text(json.dumps(RECORD | {"id": "b", "procedures": procedures}))
    told = clinic("start", "b.json")
    assert told["not_part_of_it"] == ["kyphoplasty of L1, 2026-01-01", "kyphoplasty of T8, 2026-05-02"]
    assert clinic("show", "2")["counts_from"] == "2026-05-01"


def test_brackets_in_a_note_are_shown_as_they_were_typed(clinic, capsys):
    clinic("visit", "1", "--note", "[/x] [red]hi", "--on", "2026-06-01")
    assert main(["follow", "show", "1"]) == 0 and main(["follow", "history", "1"]) == 0
    assert "[/x] [red]hi" in capsys.readouterr().out


def test_a_scan_added_late_is_compared_with_its_neighbour_in_time(clinic, tmp_path):
    clinic("scan", "1", scan(tmp_path, "first", 25.0), "--on", "2026-05-11")
    clinic("scan", "1", scan(tmp_path, "last", 15.0), "--on", "2026-09-11")
    (late,) = clinic("scan", "1", scan(tmp_path, "middle", 15.1), "--on", "2026-07-11")["changes"]
    assert (late["worse"], round(late["change"], 1)) == ("yes", -9.9)
    found = [flag for flag in clinic("show", "1")["flags"] if flag["code"] == "deformity"]
    assert [flag["since"] for flag in found] == ["2026-07-11"]


def test_a_scan_without_its_error_leaves_the_answer_open(clinic, tmp_path):
    clinic("scan", "1", scan(tmp_path, "first", 25.0), "--on", "2026-05-11")
    (change,) = clinic("scan", "1", scan(tmp_path, "last", 15.0, sd=None), "--on", "2026-09-11")["changes"]
    assert change["worse"] == "indeterminate" and change["change"] == -10 and "error" in change["reason"]


def test_a_wedge_that_the_repair_straightened_is_no_recollapse(clinic, tmp_path):
    clinic("scan", "1", scan(tmp_path, "first", 25.0, code="wedge_angle"), "--on", "2026-05-11")
    clinic("repair", "1", "kyphoplasty", "--level", "L1", "--on", "2026-05-12")
    clinic("scan", "1", scan(tmp_path, "second", 8.0, code="wedge_angle"), "--on", "2026-05-13")
    assert not [f for f in clinic("show", "1")["flags"] if f["code"] == "deformity"]


def test_breathless_on_the_day_of_the_repair_raises_the_alarm(clinic):
    clinic("repair", "1", "kyphoplasty", "--level", "L1", "--on", "2026-06-10")
    clinic("visit", "1", "--breathless", "--on", "2026-06-10")
    flag = clinic("show", "1")["flags"][0]
    assert (flag["code"], flag["urgency"]) == ("cement_complication", "same day")


def test_a_database_of_another_program_and_a_spoilt_one_are_left_alone(clinic, tmp_path):
    with sqlite3.connect("other.db") as other:
        other.execute("create table songs(name)")
    assert "another program" in clinic("start", "p.json", "--database", "other.db", code=2)
    assert sqlite3.connect("other.db").execute("select name from sqlite_master").fetchall() == [("songs",)]
    with sqlite3.connect("endplate.db") as spoilt:
        spoilt.execute("update visit set \"on\" = '2026-99-99'")
    shown = clinic("show", "1")
    assert shown["gaps"] == ["visit 1: on is '2026-99-99', no day; it is left out"] and shown["visits"] == []


def test_names_that_mean_something_to_the_driver_are_plain_files(clinic, tmp_path):
    for name in (":memory:", "a?b.db", "50%.db"):
        clinic("start", "p.json", "--database", name)
        assert len(clinic("list", "--database", name)["episodes"]) == 1 and (tmp_path / name).is_file()


def test_a_year_on_the_drug_is_not_ticked_before_it_is_over(clinic):
    for kind, on in (("drug started", "2025-02-01"), ("on drug at 52 weeks", "2025-03-01")):
        clinic("correct", "episode", "1", "onset_on=2025-01-01")
        clinic("correct", "episode", "1", "started_on=2025-01-02")
        clinic("milestone", "1", kind, "--on", on)
    figures = {f["name"]: f for f in clinic("kpi", "--on", "2026-06-01")["figures"]}
    assert (figures["on drug at 52 weeks"]["done"], figures["on drug at 52 weeks"]["of"]) == (0, 1)
    clinic("milestone", "1", "on drug at 52 weeks", "--on", "2026-02-01")
    figures = {f["name"]: f for f in clinic("kpi", "--on", "2026-06-01")["figures"]}
    assert figures["on drug at 52 weeks"]["done"] == 1
    early = {f["name"]: f for f in clinic("kpi", "--on", "2024-06-01")["figures"]}
    assert early["falls assessed"]["of"] == 0

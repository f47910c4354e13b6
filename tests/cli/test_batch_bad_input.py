"""`endplate decide --batch` on spoilt files: a bad line spoils its own row alone."""

from __future__ import annotations

import csv
import json

import pytest

from endplate.cli.app import main


@pytest.fixture(autouse=True)
def _one_process(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)


def test_a_letter_that_is_none_and_a_mark_at_the_start_spoil_no_other_row(tmp_path):
    good = b'{"age_yr":70,"sex":"F"}\n'
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + good + b'{"id":"\xff","age_yr":70,"sex":"F"}\nnull\n' + good)
    assert main(["decide", "--batch", "in.jsonl", "--out", "rows.jsonl"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert ["error" in row for row in rows] == [False, True, True, False]


def test_a_bad_row_keeps_its_id_where_it_can_be_read(tmp_path):
    bad = [
        b'{"id":"anna","age_yr":300,"sex":"F"}',  # a value that cannot be
        b'{"id":"bo\xffb","age_yr":70,"sex":"F"}',  # a letter that is none
        b'{"age_yr":70,"id":"cora","sex":"F"',  # text that breaks off
        b'{"id":17,"age_yr":70,"sex":"F"}',  # a number for a name
        b'{"levels":{"L1":{"id":"not hers"}},"age_yr":',  # the id of a part
        b'[{"id":"two"}]',
        b'{"id":["x"]}',
        b'{"id":"' + b"n" * 300 + b'"}',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(bad) + b"\n")
    assert main(["decide", "--batch", "in.jsonl", "--out", "rows.csv"]) == 0
    with (tmp_path / "rows.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == ["anna", "bo\ufffdb", "cora", "17", "", "", "", 200 * "n"]
    assert [bool(row["error"]) for row in rows] == 3 * [True] + [False] + 4 * [True], "a number serves as an id"


def test_a_record_that_names_no_level_says_why_its_rules_are_empty(tmp_path):
    some = {"id": "a", "age_yr": 76, "sex": "F", "levels": {"L1": {"fracture": True}}}
    none = [{key: value for key, value in some.items() if key != "levels"}, some | {"levels": {"L1": {"cleft": True}}}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, [some, *none])))
    assert main(["decide", "--batch", "in.jsonl", "--out", "rows.csv"]) == 0
    with (tmp_path / "rows.csv").open(encoding="utf-8-sig", newline="") as stream:
        known, *unknown = csv.DictReader(stream)
    assert known["note"] == "" and known["level"] == "L1" and known["rule nice_ta279"]
    for row in unknown:
        assert row["note"].startswith("no level is known to be fractured, so no rule set on repair was asked")
        assert row["error"] == row["level"] == row["rule nice_ta279"] == ""


@pytest.mark.parametrize(
    "words",
    [
        ["--batch", "in.jsonl", "--out", "in.jsonl"],
        ["--batch", "in.jsonl", "--out", "x.jsonl", "--level", "L1"],
        ["--batch", ".", "--out", "x.jsonl"],
        ["--batch", "in.jsonl", "--out", "rows.xls"],
        ["--batch", "in.jsonl"],
        ["--batch", "in.jsonl", "--out", "/dev/null"],
    ],
)
def test_what_would_lose_something_is_refused(tmp_path, words, capsys):
    (tmp_path / "in.jsonl").write_text('{"age_yr":70,"sex":"F"}\n')
    assert main(["decide", *words]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("endplate: ")
    assert (tmp_path / "in.jsonl").read_text() == '{"age_yr":70,"sex":"F"}\n'

"""`endplate decide --batch` on spoilt files: a bad line spoils its own row alone."""

from __future__ import annotations

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

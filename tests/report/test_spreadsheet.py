"""Cells that a spreadsheet would run are made text; numbers stay numbers."""

from __future__ import annotations

import csv

import pytest

from endplate.report.spreadsheet import cell, write_csv


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd()", "@SUM(1)", "\t=1", "\r=1", "＝1", "-inf", "-e5", "--1", "-1.2.3"],
)
def test_what_begins_as_a_formula_is_made_text(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-3.5, "-3.5"), (-7, "-7"), ("-3.5", "-3.5"), ("+2", "+2"), ("-1e-05", "-1e-05"), (0.1, "0.1"), (None, ""),
     (float("nan"), ""), (True, "yes"), ("L1 = two", "L1 = two"), ("a-b", "a-b")],
)  # fmt: skip
def test_numbers_stay_numbers(value, shown):
    assert cell(value) == shown


def test_a_table_comes_back_as_it_was_written(tmp_path):
    write_csv(tmp_path / "t.csv", ["a", "=b"], [['x,"y"\nz', -1.5], [None, "é"]])
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert list(csv.reader(stream)) == [["a", "'=b"], ['x,"y"\nz', "-1.5"], ["", "é"]]

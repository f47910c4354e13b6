"""Findings as a pandas table: tidy, ordered from head to foot, and a clear line where pandas is not installed."""

from __future__ import annotations

import sys

import pytest
from tests.support.synthetic_case import synthetic_case

import endplate as ep
from endplate.errors import InputError

COLUMNS = ["level", "code", "condition", "value", "low", "high", "unit", "method", "source"]


@pytest.fixture(scope="module")
def case() -> ep.Case:
    return ep.Case.of(synthetic_case())


def test_a_row_is_a_finding(case: ep.Case) -> None:
    pytest.importorskip("pandas")
    table = case.to_dataframe()
    assert list(table.columns) == COLUMNS
    assert len(table) == len(case.findings)
    for row, finding in zip(table.itertuples(), case.findings, strict=True):
        for name in ("code", "value", "unit", "method", "condition", "source"):
            assert getattr(row, name) == getattr(finding, name)
        assert row.low == finding.low or (finding.low is None and row.low != row.low)


def test_levels_are_found_by_name_and_by_level_and_sort_down_the_spine(case: ep.Case) -> None:
    pytest.importorskip("pandas")
    table = case.to_dataframe()
    of_l1 = [item for item in case.findings if item.level is ep.Level.L1]
    assert len(table[table.level == "L1"]) == len(table[table.level == ep.Level.L1]) == len(of_l1) > 5
    there = set(table.level.dropna())
    down = list(table.level.dropna().sort_values().unique())
    assert down == [str(level) for level in case.levels if level in there]


def test_gaps_are_rows_with_a_reason_where_asked_for(case: ep.Case) -> None:
    pytest.importorskip("pandas")
    table = case.to_dataframe(gaps=True)
    missing = table[table.reason != ""]
    assert len(missing) == len(case.gaps) > 0
    assert missing.value.isna().all() and list(missing.reason) == [gap.reason for gap in case.gaps]
    assert not table[table.reason == ""].value.isna().any()


def test_without_pandas_there_is_one_clear_line(case: ep.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    for kind in (ImportError, InputError):
        with pytest.raises(kind, match=r"pandas is not installed.*pip install 'endplate\[pandas\]'"):
            case.to_dataframe()

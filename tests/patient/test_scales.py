"""Scores from partial answers, and changes that count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endplate.patient.questionnaire import Odi, Qualeffo, Rmdq
from endplate.patient.scale import SCALES


def test_roland_morris_counts_ticks_and_stretches_the_short_form():
    assert Rmdq(ticked=18).score.value == 18
    assert Rmdq(version=23, ticked=23).score.value == pytest.approx(24)
    assert Rmdq(items=(True,) * 10 + (False,) * 14).score.value == 10


def test_an_unanswered_item_of_roland_morris_leaves_a_band_not_a_number():
    score = Rmdq(items=(True,) * 10 + (None,) * 2 + (False,) * 12).score
    assert (score.value, score.low, score.high) == (None, 10, 12) and "2 items" in score.reason


def test_oswestry_divides_by_what_was_answered():
    assert Odi(items=(3,) * 10).score.value == 60
    assert Odi(items=(3,) * 8 + (None, None)).score.value == 60
    assert Odi(items=(3,) * 7 + (None,) * 3).score.value is None
    assert Odi(items=(3,) * 8 + (None, None)).score.low == 48
    assert Odi(items=(3,) * 8 + (None, None)).score.high == 68


def test_qualeffo_runs_from_best_to_worst():
    assert Qualeffo(items=(1.0,) * 41).score.value == 0
    assert Qualeffo(items=(5.0,) * 41).score.value == 100
    assert Qualeffo(items=(3.0,) * 20 + (None,) * 21).score.value is None
    assert Qualeffo(items=(3.0,) * 21 + (None,) * 20).score.value == 50


@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=10, max_size=10))
def test_the_band_of_a_partial_score_holds_the_score(items):
    score = Odi(items=tuple(items)).score
    assert score.low <= score.high
    assert score.value is None or (score.low <= score.value + 1e-9 and score.value <= score.high + 1e-9)


@pytest.mark.parametrize(
    ("scale", "before", "after", "says"),
    [
        ("nrs", 7, 5, "better"),
        ("nrs", 7, 5.1, "no important change"),
        ("nrs", 5, 7, "worse"),
        ("rmdq", 18, 13, "better"),
        ("rmdq", 18, 13.5, "no important change"),
        ("rmdq", 3, 0, "no important change"),
        ("rmdq", 21, 24, "no important change"),
        ("odi", 50, 40, "better"),
        ("odi", 50, 40.5, "no important change"),
        ("eq5d", 0.5, 0.58, "better"),
        ("pcs", 30, 27, "worse"),
        ("qualeffo", 60, 20, "unknown"),
        ("nrs", None, 3, "unknown"),
        ("nrs", 5, 3.5, "better"),
        ("nrs", 5, 3.6, "no important change"),
        ("nrs", 5, 6.5, "no important change"),
        ("nrs", 0, 0, "no important change"),
    ],
)
def test_a_change_counts_only_beyond_what_matters_and_what_errs(scale, before, after, says):
    assert SCALES[scale].changed(before, after) == says


@pytest.mark.parametrize(
    ("scale", "before", "after", "says"),
    [
        ("rmdq", 18, 13, "better, beyond measurement error"),
        ("rmdq", 13, 18, "worse, beyond measurement error"),
        ("rmdq", 18, 13.1, "within measurement error"),
        ("rmdq", 21, 26, "from 21 such a change cannot be told"),
        ("odi", 50, 40, "better, beyond measurement error"),
        ("odi", 50, 40.1, "within measurement error"),
        ("nrs", 8, 4, "better, as much as patients notice; measurement error not established"),
        ("eq5d", 0.4, 0.45, "less than patients notice; measurement error not established"),
        ("qualeffo", 60, 20, "neither a change that matters nor the measurement error is established"),
        ("pcs", None, 30, "not known at both times"),
    ],
)
def test_a_change_is_told_against_the_error_of_measuring_where_one_is_known(scale, before, after, says):
    assert SCALES[scale].change_text(before, after) == says

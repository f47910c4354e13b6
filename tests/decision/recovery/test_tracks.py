"""Expected courses: through the trials' own points, inside the scale, unknown beyond them."""

from __future__ import annotations

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endplate.cited import citation_of
from endplate.decision.recovery.expected_course import MAX, TRACKS, course, course_models_for, expected


def the(procedure, scale, days=None):
    (track,) = course_models_for(procedure, scale, days)
    return track


@pytest.mark.parametrize(
    ("procedure", "scale", "age", "day", "fraction", "sd"),
    [
        ("kyphoplasty", "nrs", 20, 1, 0.50, 2.5),
        ("kyphoplasty", "nrs", 20, 365, 0.28, 2.5),
        ("vertebroplasty", "nrs", 90, 30, 0.43, 2.7),
        ("vertebroplasty", "nrs", 91, 30, 0.58, 2.8),
        ("none", "nrs", 20, 7, 0.82, 2.8),
        ("kyphoplasty", "rmdq", 20, 7, 0.60, 6),
        ("none", "rmdq", 20, 365, 0.62, 6.4),
        ("kyphoplasty", "odi", 20, 30, 0.52, 18),
    ],
)
def test_the_band_passes_through_the_published_points(procedure, scale, age, day, fraction, sd):
    baseline = 0.8 * MAX[scale]
    band = expected(the(procedure, scale, age), baseline, day)
    assert band.middle == pytest.approx(fraction * baseline)
    assert band.high == pytest.approx(min(MAX[scale], band.middle + sd))
    assert band.low == pytest.approx(max(0, band.middle - sd))


def test_between_two_points_the_course_runs_straight_and_starts_at_the_baseline():
    track = the("none", "nrs", 20)
    assert (expected(track, 8, 0).middle, expected(track, 8, 0).low, expected(track, 8, 0).high) == (8, 8, 8)
    halfway = expected(track, 10, (30 + 91) / 2).middle
    assert halfway == pytest.approx((6.5 + 5.7) / 2)


def test_beyond_what_the_trials_asked_nothing_is_expected():
    assert expected(the("kyphoplasty", "nrs"), 8, 366) is None
    assert expected(the("kyphoplasty", "nrs"), 8, -1) is None
    assert course_models_for("vertebroplasty", "odi") == ()


def test_an_unknown_age_of_the_fracture_keeps_both_courses():
    assert len(course_models_for("vertebroplasty", "nrs")) == 2


def test_a_course_holds_every_time_that_was_asked():
    assert [band.day for band in course(the("kyphoplasty", "odi"), 60)] == [0, 30, 91, 182, 365]


@given(st.sampled_from(TRACKS), st.floats(0, 1), st.floats(0, 365))
def test_a_band_stays_inside_its_scale(track, share, day):
    band = expected(track, share * MAX[track.scale], day)
    assert 0 <= band.low <= band.middle <= band.high <= MAX[track.scale]


@pytest.fixture
def fresh():
    """The module read anew: its table is built while it is read."""
    spec = importlib.util.find_spec("endplate.decision.recovery.expected_course")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = {
    "pain after kyphoplasty": ("nrs", "kyphoplasty", (0.50, 0.40, 0.38, 0.31, 0.29, 0.28), 2.5),
    "pain after vertebroplasty, fracture under 3 months old": (
        "nrs", "vertebroplasty", (0.55, 0.50, 0.43, 0.38, 0.36, 0.35), 2.7
    ),
    "pain after vertebroplasty, fracture over 3 months old": (
        "nrs", "vertebroplasty", (0.65, 0.62, 0.58, 0.55, 0.53, 0.51), 2.8
    ),
    "pain without a procedure": ("nrs", "none", (0.90, 0.82, 0.65, 0.57, 0.53, 0.51), 2.8),
    "function after kyphoplasty (RMDQ)": ("rmdq", "kyphoplasty", (0.60, 0.52, 0.48, 0.46, 0.45), 6.0),
    "function after vertebroplasty (RMDQ)": ("rmdq", "vertebroplasty", (0.70, 0.66, 0.62, 0.60, 0.58), 6.3),
    "function without a procedure (RMDQ)": ("rmdq", "none", (0.92, 0.82, 0.72, 0.66, 0.62), 6.4),
    "function after kyphoplasty (ODI)": ("odi", "kyphoplasty", (0.52, 0.44, 0.43, 0.43), 18.0),
}  # fmt: skip
"""Own reading of the trials: scale, procedure, fractions at the last of the times that were asked, SD."""


def test_every_track_holds_the_fractions_of_the_reference_at_the_latest_times(fresh):
    times = ("1 d", "1 wk", "1 mo", "3 mo", "6 mo", "12 mo")
    assert [track.name for track in fresh.TRACKS] == list(TABLE)
    for track in fresh.TRACKS:
        scale, procedure, fractions, sd = TABLE[track.name]
        assert (track.scale, track.procedure, float(track.sd_points)) == (scale, procedure, sd)
        assert track.fractions == dict(zip(times[-len(fractions) :], fractions, strict=True))


def test_every_number_of_a_track_carries_the_trials_that_it_was_read_from(fresh):
    for track in fresh.TRACKS:
        for number in (*track.fractions.values(), track.sd_points):
            about = citation_of(number)
            assert about.source == f"{track.name}: own reading of {track.basis}"
            assert (about.unit, about.trust) == ("1", "design") and about.cite
    assert fresh.TRACKS[0].basis == "EVOLVE (open, one arm)"


@pytest.mark.parametrize(("days", "sd"), [(None, [2.7, 2.8]), (90.9, [2.7]), (91, [2.8])])
def test_a_fracture_is_old_from_three_months_on(days, sd):
    assert [float(track.sd_points) for track in course_models_for("vertebroplasty", "nrs", days)] == sd
    assert len(course_models_for("kyphoplasty", "nrs", days)) == 1


def test_a_band_ends_where_its_scale_does():
    low, high = expected(the("kyphoplasty", "nrs"), 0.5, 30), expected(the("none", "rmdq"), 24, 7)
    assert (low.day, low.middle, low.low, low.high) == (30, pytest.approx(0.19), 0, pytest.approx(2.69))
    assert (high.low, high.high) == (pytest.approx(0.92 * 24 - 6.4), 24)

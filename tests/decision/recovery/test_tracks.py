"""Expected courses: through the trials' own points, inside the scale, unknown beyond them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endplate.decision.recovery.tracks import MOST, TRACKS, course, expected, tracks_for


def the(procedure, scale, days=None):
    (track,) = tracks_for(procedure, scale, days)
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
    baseline = 0.8 * MOST[scale]
    band = expected(the(procedure, scale, age), baseline, day)
    assert band.middle == pytest.approx(fraction * baseline)
    assert band.high == pytest.approx(min(MOST[scale], band.middle + sd))
    assert band.low == pytest.approx(max(0, band.middle - sd))


def test_between_two_points_the_course_runs_straight_and_starts_at_the_baseline():
    track = the("none", "nrs", 20)
    assert (expected(track, 8, 0).middle, expected(track, 8, 0).low, expected(track, 8, 0).high) == (8, 8, 8)
    halfway = expected(track, 10, (30 + 91) / 2).middle
    assert halfway == pytest.approx((6.5 + 5.7) / 2)


def test_beyond_what_the_trials_asked_nothing_is_expected():
    assert expected(the("kyphoplasty", "nrs"), 8, 366) is None
    assert expected(the("kyphoplasty", "nrs"), 8, -1) is None
    assert tracks_for("vertebroplasty", "odi") == ()


def test_an_unknown_age_of_the_fracture_keeps_both_courses():
    assert len(tracks_for("vertebroplasty", "nrs")) == 2


def test_a_course_holds_every_time_that_was_asked():
    assert [band.day for band in course(the("kyphoplasty", "odi"), 60)] == [0, 30, 91, 182, 365]


@given(st.sampled_from(TRACKS), st.floats(0, 1), st.floats(0, 365))
def test_a_band_stays_inside_its_scale(track, share, day):
    band = expected(track, share * MOST[track.scale], day)
    assert 0 <= band.low <= band.middle <= band.high <= MOST[track.scale]

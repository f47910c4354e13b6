"""Visits that are due, to the day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from endplate.decision.recovery.visits import alarm_visit, due_visit, windows

START = date(2026, 1, 5)


def due(today, *seen):
    return due_visit(START, [START + timedelta(day) for day in seen], START + timedelta(today))


@pytest.mark.parametrize(
    ("today", "seen", "visit", "overdue"),
    [
        (13, (), None, None),
        (14, (), "2-4 weeks", False),
        (28, (), "2-4 weeks", False),
        (29, (), "2-4 weeks", True),
        (29, (14,), None, None),
        (29, (13,), "2-4 weeks", True),
        (80, (20,), "3 months", False),
        (106, (20,), "3 months", True),
        (162, (20,), "6 months", True),
        (162, (20, 77), "6 months", False),
        (400, (20, 90, 180, 340), None, None),
        (400, (20, 90, 180), "12 months", True),
    ],
)
def test_the_latest_open_window_without_a_visit_is_due(today, seen, visit, overdue):
    found = due(today, *seen)
    assert (found and found.visit, found and found.overdue) == (visit, overdue)


def test_windows_follow_each_other():
    days = [day for _, first, last in windows(START) for day in (first, last)]
    assert days == sorted(days) and len(days) == 8


def test_a_visit_tells_its_own_window_and_since_when_the_first_one_is_missed():
    missed = due_visit(START, [], START + timedelta(80))
    assert (missed.opens, missed.closes) == (START + timedelta(77), START + timedelta(105))
    assert (missed.missed_since, missed.overdue) == (START + timedelta(28), True)


@pytest.mark.parametrize(("today", "overdue"), [(2, False), (3, True)])
def test_an_emergency_is_due_on_its_own_day(today, overdue):
    on = START + timedelta(2)
    found = alarm_visit(on, START + timedelta(today))
    assert (found.visit, found.opens, found.closes, found.missed_since) == ("same day", on, on, on)
    assert found.overdue is overdue


def test_each_window_has_its_name_first_and_last_day():
    assert [(name, (first - START).days, (last - START).days) for name, first, last in windows(START)] == [
        ("2-4 weeks", 14, 28),
        ("3 months", 77, 105),
        ("6 months", 161, 203),
        ("12 months", 335, 395),
    ]

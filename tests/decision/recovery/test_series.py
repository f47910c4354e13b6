"""Several scans: what creeps is seen against the first, and nothing is told twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.decision.recovery.test_deformity import document, heights

from endplate.decision.recovery.scan_series import scan_series

FIRST = date(2026, 1, 5)


def scans(*fronts, sd=0.02):
    """A scan every 30 days; None is one that does not hold the level."""
    kept = [{} if front is None else {"L1": heights(front)} for front in fronts]
    return [(FIRST + timedelta(30 * n), document(sd, **levels)) for n, levels in enumerate(kept)]


def worse(found):
    """By scan: its answers, each with the number of the scan that it was held against."""
    return [[(change.worse, (change.against - FIRST).days // 30) for change in one] for one in found]


def test_three_steps_of_eight_percent_are_seen_at_the_third_against_the_first():
    found = worse(scan_series(scans(25, 23, 21.16, 19.47)))
    assert found == [[], [("no", 0)], [("no", 1), ("no", 0)], [("no", 2), ("yes", 0)]]


@pytest.mark.parametrize(("last", "answer"), [(20.1, "no"), (20.0, "indeterminate"), (19.9, "yes")])
def test_the_limit_is_that_of_two_scans(last, answer):
    assert worse(scan_series(scans(25, 22.5, last)))[-1] == [("no", 1), (answer, 0)]


def test_a_loss_that_was_told_is_not_told_again_and_the_next_one_counts_from_it():
    found = worse(scan_series(scans(25, 18, 18, 16, 13.8)))
    assert found == [[], [("yes", 0)], [("no", 1)], [("no", 2), ("no", 1)], [("no", 3), ("yes", 1)]]


def test_a_level_counts_from_the_first_scan_that_measured_it():
    assert worse(scan_series(scans(None, 25, 22, None, 19))) == [[], [], [("no", 1)], [], [("yes", 1)]]


def test_after_a_repair_a_level_counts_from_the_first_scan_since():
    repaired = [(FIRST + timedelta(60), ["L1"])]
    found = worse(scan_series(scans(25, 23, 21, 19.5, 17.5), repaired))
    assert found == [[], [("no", 0)], [("no", 1)], [("no", 2)], [("no", 3), ("yes", 2)]]


def test_other_levels_are_not_disturbed():
    both = [
        (FIRST + timedelta(30 * n), document(0.02, L1=heights(front), L2=heights(25)))
        for n, front in enumerate((25, 18, 18))
    ]
    assert [(change.level, change.worse) for change in scan_series(both)[-1]] == [
        ("L1", "no"),
        ("L2", "no"),
        ("L2", "no"),
    ]
    assert scan_series([]) == () and scan_series(scans(25)) == ((),)


@pytest.mark.parametrize(("repaired_on", "answer"), [(60, "no"), (30, "yes")])
def test_a_wedge_may_become_less_only_between_the_scans_around_its_repair(repaired_on, answer):
    wedged = [
        (FIRST + timedelta(30 * n), document(0.0, L1=heights(25.0, wedge=wedge))) for n, wedge in enumerate((20, 20, 5))
    ]
    repairs = [(FIRST + timedelta(repaired_on), ["L1"])]
    changes = [change for change in scan_series(wedged, repairs)[-1] if change.against == FIRST + timedelta(30)]
    assert [change.worse for change in changes] == [answer]

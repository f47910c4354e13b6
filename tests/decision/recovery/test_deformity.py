"""Two scans: new and worse deformity with the error of measuring taken in."""

from __future__ import annotations

import pytest

from endplate.decision.recovery.deformity import compare


def document(sd=0.3, **levels):
    findings = []
    for level, values in levels.items():
        for code, value in values.items():
            findings.append(
                {"code": code, "level": level, "value": value, "low": value - 1.96 * sd, "high": value + 1.96 * sd}
            )
    return {"levels": list(levels), "findings": findings}


def heights(front, middle=25.0, back=25.0, wedge=5.0):
    return {"anterior_height": front, "middle_height": middle, "posterior_height": back, "wedge_angle": wedge}


def only(before, after, treated=(), sd=0.3):
    (change,) = compare(document(sd, L1=before), document(sd, L1=after), treated)
    return change


@pytest.mark.parametrize(
    ("front", "worse"),
    [(25.0, "no"), (21.0, "no"), (20.0, "indeterminate"), (19.2, "indeterminate"), (19.1, "yes"), (15.0, "yes")],
)
def test_a_new_fracture_needs_a_fifth_of_the_height_beyond_the_error(front, worse):
    assert only(heights(25.0), heights(front)).worse == worse


def test_a_low_body_needs_four_millimetres_too():
    assert only(heights(15.0, 15.0, 15.0), heights(11.5, 15.0, 15.0), sd=0.01).worse == "no"
    assert only(heights(15.0, 15.0, 15.0), heights(10.9, 15.0, 15.0), sd=0.01).worse == "yes"


def test_without_error_the_limit_itself_counts():
    assert only(heights(25.0), heights(20.0), sd=0.0).worse == "yes"


def test_a_treated_level_is_judged_by_its_own_rule():
    assert only(heights(25.0), heights(21.0), treated=["L1"], sd=0.01).worse == "yes"
    assert only(heights(25.0), heights(25.0, wedge=15.1), treated=["L1"], sd=0.01).worse == "yes"
    assert only(heights(25.0), heights(25.0, wedge=14.9), treated=["L1"], sd=0.01).worse == "no"
    assert only(heights(25.0), heights(25.0, wedge=15.1), sd=0.01).worse == "no"


def test_the_same_scan_twice_changes_nothing():
    change = only(heights(25.0), heights(25.0))
    assert change.worse == "no" and change.change == 0


def test_a_level_that_was_not_measured_twice_is_indeterminate_and_says_why():
    change = only(heights(25.0), {})
    assert change.worse == "indeterminate" and change.reason


def test_levels_of_one_scan_only_are_not_compared():
    assert compare(document(L1=heights(25.0)), document(L2=heights(25.0))) == ()

"""Two scans: new and worse deformity with the error of measuring taken in."""

from __future__ import annotations

import pytest

from endplate.decision.recovery.deformity import compare, measured


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


def bare(value, code="anterior_height", **more):
    """A document of one measure at L1."""
    return {"levels": ["L1"], "findings": [{"code": code, "level": "L1", "value": value, **more}]}


def told(change):
    return change.what, change.worse, change.change, change.sd, change.share, change.reason


def test_a_change_names_level_place_size_and_share_of_the_height_that_changed_most():
    (change,) = compare(document(0.3, L1=heights(25.0, 24.0)), document(0.3, L1=heights(15.0, 20.0)))
    assert (change.level, change.what, change.worse) == ("L1", "anterior_height", "yes")
    assert change.rule == "at least 20 % and 4 mm lower than before (Genant convention)"
    assert change.change == pytest.approx(-10) and change.share == pytest.approx(-0.4)
    assert change.sd == pytest.approx(0.3 * 2**0.5) and (change.reason, change.against) == ("", None)


@pytest.mark.parametrize(
    ("after", "place", "answer"),
    [
        (heights(24.0, 22.0, 23.0), "middle_height", "no"),
        (heights(26.0, 25.0, 25.0), "middle_height", "no"),
        (heights(19.6, 23.0, 18.5), "posterior_height", "yes"),
        (heights(23.0, 20.0, 25.0), "middle_height", "indeterminate"),
    ],
)
def test_the_gravest_answer_counts_and_among_equals_the_greatest_loss(after, place, answer):
    change = only(heights(25.0), after)
    assert (change.what, change.worse) == (place, answer)


def test_a_sure_loss_outranks_a_larger_one_that_is_not_sure():
    def scan(front, error, back):
        rows = {"anterior_height": (front, error), "posterior_height": (back, 0.0)}
        findings = [
            {"code": code, "level": "L1", "value": value, "low": value - sd, "high": value + sd}
            for code, (value, sd) in rows.items()
        ]
        return {"levels": ["L1"], "findings": findings}

    (change,) = compare(scan(25.0, 4.0, 25.0), scan(18.0, 4.0, 20.0))
    assert (change.what, change.worse) == ("posterior_height", "yes")
    (change,) = compare(scan(25.0, 8.0, 25.0), scan(24.0, 8.0, 21.0))
    assert (change.what, change.worse) == ("anterior_height", "indeterminate")


@pytest.mark.parametrize(("front", "worse"), [(21.26, "no"), (21.25, "yes"), (21.24, "yes")])
def test_a_treated_level_counts_from_fifteen_percent(front, worse):
    change = only(heights(25.0), heights(front), treated=["L1"], sd=0.0)
    assert (change.worse, change.what) == (worse, "anterior_height")
    assert change.rule == "treated level: at least 15 % of height or 10 degrees (Yu 2017)"


@pytest.mark.parametrize(
    ("wedge", "straightened", "worse"),
    [
        (14.75, (), "no"),
        (15.0, (), "yes"),
        (15.25, (), "yes"),
        (-4.75, (), "no"),
        (-5.0, (), "yes"),
        (-5.0, ["L1"], "no"),
        (-5.0, ["L2"], "yes"),
        (15.0, ["L1"], "yes"),
        (14.75, ["L1"], "no"),
    ],
)
def test_a_treated_wedge_counts_from_ten_degrees_either_way_but_a_repair_may_straighten(wedge, straightened, worse):
    before, after = document(0.0, L1={"wedge_angle": 5.0}), document(0.0, L1={"wedge_angle": wedge})
    (change,) = compare(before, after, ["L1"], straightened)
    assert told(change) == ("wedge_angle", worse, wedge - 5.0, 0.0, None, "")
    assert change.level == "L1" and change.rule.startswith("treated level: ")


def test_the_error_of_a_wedge_is_that_of_both_scans():
    before, after = document(3.0, L1={"wedge_angle": 5.0}), document(4.0, L1={"wedge_angle": 20.0})
    (change,) = compare(before, after, ["L1"])
    assert (change.worse, change.sd) == ("indeterminate", pytest.approx(5.0))


@pytest.mark.parametrize("ends", [{}, {"low": 24.0}, {"high": 26.0}, {"low": None, "high": 26.0}])
def test_a_scan_that_does_not_tell_its_error_leaves_the_answer_open(ends):
    whole = {"low": 24.0, "high": 26.0}
    for code, treated in (("anterior_height", []), ("wedge_angle", ["L1"])):
        for first, second in ((ends, whole), (whole, ends)):
            (change,) = compare(bare(25.0, code, **first), bare(10.0, code, **second), treated)
            assert (change.what, change.worse, change.sd) == (code, "indeterminate", None)
            assert change.reason == "a scan does not tell the error of its measurement"
            assert change.change == -15


def test_a_height_of_nothing_has_no_share():
    (change,) = compare(bare(0.0, low=0.0, high=0.0), bare(0.0, low=0.0, high=0.0))
    assert (change.share, change.change, change.worse) == (None, 0, "no")


def test_a_band_that_ends_at_the_limit_does_not_exclude_it():
    before, after = bare(40.0, low=40.0, high=40.0), bare(36.0, low=36.0 - 4.0, high=36.0 + 4.0)
    (change,) = compare(before, after)
    assert change.worse == "indeterminate"


@pytest.mark.parametrize(
    ("treated", "rule"), [((), "at least 20 % and 4 mm lower than before"), (["L1"], "treated level: at least 15 %")]
)
def test_what_was_not_measured_twice_is_told_with_its_rule(treated, rule):
    for before, after in (({}, heights(25.0)), (heights(25.0), {}), ({}, {})):
        (change,) = compare(document(L1=before), document(L1=after), treated)
        assert (change.level, *told(change)) == (
            "L1", "", "indeterminate", None, None, None, "no height was measured in both scans"
        )  # fmt: skip
        assert change.rule.startswith(rule)


def test_documents_without_levels_or_findings_give_nothing_to_compare():
    assert compare({}, document(L1=heights(25.0))) == compare(document(L1=heights(25.0)), {}) == ()
    (change,) = compare({"levels": ["L1"]}, document(L1=heights(25.0)))
    assert change.worse == "indeterminate" and measured({}) == {}


def test_only_heights_and_wedges_of_a_level_are_taken_from_the_findings():
    rows = [
        {"code": "anterior_height", "level": "L1", "value": 25, "low": 23.04, "high": 26.96},
        {"code": "anterior_height", "level": None, "value": 20},
        {"code": "height_loss", "level": "L1", "value": 0.3},
        {"code": "wedge_angle", "level": "L2", "value": 4},
    ]
    assert measured({"findings": rows}) == {
        ("L1", "anterior_height"): (25.0, pytest.approx(1.0)),
        ("L2", "wedge_angle"): (4.0, None),
    }

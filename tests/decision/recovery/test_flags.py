"""Flags: each rule at, just below and just above its limit."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from endplate.decision.recovery.flags import alarm_since, flags
from endplate.decision.recovery.visit_scores import VisitScores

START = date(2026, 1, 5)


def on(day, **scores):
    return VisitScores(on=START + timedelta(day), **scores)


def codes(*readings, procedure="vertebroplasty", start=None, age=20):
    return [flag.code for flag in flags(procedure, start or on(0, nrs=8, rmdq=18), readings, age)]


@pytest.mark.parametrize(
    ("day", "nrs", "flagged"),
    [(30, 6.0, False), (30, 6.1, True), (29, 6.1, False), (30, 5.6, False)],
)
def test_no_improvement_needs_a_month_and_both_too_few_points_and_too_small_a_share(day, nrs, flagged):
    assert ("no_improvement" in codes(on(day, nrs=nrs))) is flagged


def test_a_small_baseline_counts_by_share():
    start = on(0, nrs=5)
    assert "no_improvement" not in codes(on(40, nrs=3.5), start=start)
    assert "no_improvement" in codes(on(40, nrs=3.6), start=start)


def test_off_trajectory_is_above_one_sd_and_only_when_every_track_says_so():
    assert "off_trajectory" not in codes(on(30, nrs=0.43 * 8 + 2.7))
    assert "off_trajectory" in codes(on(30, nrs=0.43 * 8 + 2.71))
    assert "off_trajectory" not in codes(on(30, nrs=0.43 * 8 + 2.71), age=None)
    assert "off_trajectory" in codes(on(30, nrs=0.58 * 8 + 2.81), age=None)


def test_only_the_latest_reading_is_held_against_the_course():
    assert "off_trajectory" not in codes(on(30, nrs=8), on(60, nrs=2))


@pytest.mark.parametrize(
    ("readings", "flagged"),
    [
        ([(10, 3), (20, 5), (22, 5)], True),
        ([(10, 3), (20, 5), (21, 5)], False),
        ([(10, 3), (20, 4.9), (22, 4.9)], False),
        ([(10, 3), (20, 6.9)], False),
        ([(10, 3), (20, 7)], True),
        ([(10, 7), (20, 9), (22, 9)], False),
        ([(10, 6), (20, 8), (22, 8)], True),
        ([(10, 3), (20, 5), (21, 4.9), (23, 5)], True),
        ([(20, 3), (20, 5), (22, 5)], False),
    ],
)
def test_a_relapse_is_two_high_readings_two_days_apart_or_one_large_rise(readings, flagged):
    start = on(0, nrs=9)
    assert ("relapse" in codes(*(on(day, nrs=nrs) for day, nrs in readings), start=start)) is flagged


@pytest.mark.parametrize(("days", "flagged"), [((10,), False), ((10, 11), False), ((10, 12), True)])
def test_the_start_itself_may_be_the_nadir(days, flagged):
    assert ("relapse" in codes(*(on(day, nrs=6) for day in days), start=on(0, nrs=3))) is flagged


def test_pain_at_a_new_level_is_a_relapse():
    assert "relapse" in codes(on(20, nrs=3, new_focal_pain=True))


@pytest.mark.parametrize(
    ("start", "rmdq", "flagged"), [(10, 15, True), (10, 14.9, False), (20, 25, True), (20.1, 26, False)]
)
def test_worse_function_is_five_points_above_the_nadir_unless_the_start_was_too_high(start, rmdq, flagged):
    assert ("function_worse" in codes(on(20, rmdq=rmdq), start=on(0, rmdq=start))) is flagged


def test_the_nadir_of_function_follows_the_course():
    assert "function_worse" in codes(on(10, rmdq=6), on(30, rmdq=11), start=on(0, rmdq=18))


@pytest.mark.parametrize(("height", "flagged"), [(158.0, True), (158.1, False)])
def test_two_centimetres_of_stature_are_flagged(height, flagged):
    assert ("stature" in codes(on(20, height_cm=height), start=on(0, height_cm=160))) is flagged


@pytest.mark.parametrize("sign", ["deficit", "fever", "breathless"])
def test_an_emergency_comes_first_and_names_cement_only_after_cement(sign):
    assert codes(on(2, nrs=9, **{sign: True}))[0] == "cement_complication"
    assert codes(on(2, **{sign: True}), procedure="none")[0] == "emergency"
    assert codes(on(2, **{sign: False})) == []


def settled(*readings, start=None):
    """Each flag's code, since which day, and settled on which, both counted from the start."""
    found = flags("none", start or on(0, nrs=9, rmdq=18, height_cm=160), readings, 20)
    return [(f.code, (f.since - START).days, f.settled_on and (f.settled_on - START).days) for f in found]


@pytest.mark.parametrize("sign", ["deficit", "fever", "breathless"])
def test_a_sign_stays_an_emergency_until_a_later_day_says_no(sign):
    yes, no = {sign: True}, {sign: False}
    assert settled(on(2, **yes)) == settled(on(2, **yes), on(9), on(300)) == [("emergency", 2, None)]
    assert settled(on(2, **yes), on(9, **no), on(20, **no)) == [("emergency", 2, 9)]
    assert settled(on(1, **no), on(2, **yes), on(2, **no), on(5, **yes)) == [("emergency", 2, None)]
    assert settled(on(2, **yes), on(9, **no), on(20, **yes)) == [("emergency", 20, None), ("emergency", 2, 9)]


def test_signs_are_settled_each_by_its_own_no():
    both = [on(2, fever=True, deficit=True), on(9, fever=False)]
    assert settled(*both) == [("emergency", 2, None), ("emergency", 2, 9)]
    assert alarm_since(both) == START + timedelta(2)
    assert alarm_since([*both, on(12, deficit=False)]) is None and alarm_since([on(2, nrs=9)]) is None


def test_pain_back_near_its_nadir_settles_a_relapse_and_the_next_one_needs_its_own_readings():
    rated = [on(10, nrs=3), on(20, nrs=5), on(22, nrs=5)]
    assert settled(*rated) == settled(*rated, on(30, nrs=5)) == [("relapse", 22, None)]
    assert settled(*rated, on(30, nrs=4.9)) == [("relapse", 22, 30)]
    assert settled(*rated, on(30, nrs=3), on(40, nrs=5)) == [("relapse", 22, 30)]
    again = settled(*rated, on(30, nrs=3), on(40, nrs=5), on(42, nrs=5))
    assert again == [("relapse", 42, None), ("relapse", 22, 30)]


def test_what_a_later_visit_says_otherwise_of_settles_the_other_flags_too():
    assert settled(on(20, new_focal_pain=True), on(25, new_focal_pain=False)) == [("relapse", 20, 25)]
    assert settled(on(10, rmdq=6), on(20, rmdq=11), on(25, rmdq=10.9)) == [("function_worse", 20, 25)]
    assert settled(on(10, height_cm=158), on(25, height_cm=158.1)) == [("stature", 10, 25)]
    assert settled(on(10, height_cm=158), on(25, nrs=9)) == [("stature", 10, None)]


def test_what_is_unknown_raises_no_flag():
    assert codes(on(40)) == []
    assert codes(on(40, nrs=9), start=on(0)) == []
    assert codes(on(40, rmdq=24, height_cm=100), start=on(0)) == []


def test_a_reading_before_the_start_is_left_out():
    assert codes(on(-3, nrs=1), on(5, nrs=5)) == []


def test_each_flag_says_what_to_do_and_on_what_ground():
    for flag in flags("none", on(0, nrs=8), [on(40, nrs=8, fever=True, new_focal_pain=True)], 20):
        assert flag.text and flag.action and flag.source and flag.since == START + timedelta(40)


def test_emergencies_of_a_day_are_told_together_in_words():
    (flag,) = flags("kyphoplasty", on(0), [on(2, deficit=True, fever=True, breathless=True)])
    assert flag.text == (
        "new neurological deficit, fever, breathlessness or chest pain after cement: possible complication"
    )
    assert (flag.code, flag.since, flag.settled_on) == ("cement_complication", START + timedelta(2), None)
    assert (flag.action, flag.urgency) == ("see the patient the same day", "same day")
    assert flag.source == "own rule of the follow-up"
    (flag,) = flags("none", on(0), [on(2, breathless=True)])
    assert (flag.code, flag.text) == ("emergency", "breathlessness or chest pain")


MRI = "MRI with STIR: look for a new fracture"
OWN = "own rule of the follow-up"


@pytest.mark.parametrize(
    ("readings", "flag"),
    [
        ([on(10, nrs=3), on(20, nrs=7.5)], ("relapse", 20, "pain 7.5 against a nadir of 3", MRI, OWN)),
        ([on(5, new_focal_pain=True)], ("relapse", 5, "pain at a new level", MRI, OWN)),
        (
            [on(10), on(15, rmdq=6), on(20), on(25, rmdq=11.5)],
            (
                "function_worse",
                25,
                "Roland-Morris 11.5 against a nadir of 6",
                MRI,
                "Stratford 1996: MDC90 4-5 points (abstract)",
            ),
        ),
        (
            [on(10), on(15, height_cm=157.44)],
            (
                "stature",
                15,
                "2.6 cm shorter than at the start",
                "image the spine",
                "ISCD 2007: prospective height loss above 2 cm in women (3 in men); own rule takes >= 2",
            ),
        ),
    ],
)
def test_a_flag_that_should_be_seen_soon_says_what_was_found_since_when_and_what_to_do(readings, flag):
    code, day, text, action, source = flag
    (found,) = flags("none", on(0, nrs=9, rmdq=18, height_cm=160), readings)
    assert (found.code, found.since, found.text) == (code, START + timedelta(day), text)
    assert (found.action, found.source, found.urgency) == (action, source, "soon")


def test_pain_that_does_not_yield_is_told_with_both_of_its_grounds():
    tracks = "midway between the open and the blinded trials; VERTOS V (blinded)"
    response, course = flags("vertebroplasty", on(0, nrs=8), [on(30, nrs=7.5)])
    recheck = "recheck the level, cement leak, a fracture beside it, the sacrum and the facet joints"
    assert (response.code, response.since) == ("no_improvement", START + timedelta(30))
    assert response.text == "pain 7.5 against 8 at the start: less than 2 points and less than 30 %"
    assert response.source == "Farrar 2001: 2 points or 30 %"
    assert (course.code, course.since) == ("off_trajectory", START + timedelta(30))
    assert course.text == "pain 7.5; 7.4 is one SD above what is expected on day 30"
    assert course.source == tracks
    assert {(flag.action, flag.urgency) for flag in (response, course)} == {(recheck, "next visit")}


def test_pain_that_has_gone_altogether_has_improved():
    assert "no_improvement" not in codes(on(40, nrs=0), start=on(0, nrs=2))
    assert "no_improvement" not in codes(on(40, nrs=0), start=on(0, nrs=1))


def test_the_course_is_judged_by_the_last_reading_that_rates_pain_after_a_month():
    late = on(30, nrs=0.43 * 8 + 2.71)
    assert "off_trajectory" in codes(late, on(40, rmdq=3))
    assert "off_trajectory" not in codes(on(29, nrs=9))
    assert "off_trajectory" not in codes(late, on(366, nrs=9)), "no course is known that late"


def test_the_most_urgent_flag_comes_first_and_of_equals_the_older():
    readings = [
        on(31, nrs=8, height_cm=157, rmdq=20),
        on(33, nrs=8, fever=True, new_focal_pain=True, height_cm=157, rmdq=24),
    ]
    found = flags("none", on(0, nrs=8, rmdq=18, height_cm=160), readings, 20)
    assert [(flag.urgency, (flag.since - START).days) for flag in found] == [
        ("same day", 33),
        ("soon", 31),
        ("soon", 33),
        ("soon", 33),
        ("next visit", 33),
        ("next visit", 33),
    ]


def test_a_flag_to_be_seen_soon_comes_before_an_older_one_that_may_wait():
    readings = [on(31, nrs=8), on(40, height_cm=157)]
    found = flags("none", on(0, nrs=8, height_cm=160), readings, 20)
    assert [flag.code for flag in found] == ["stature", "no_improvement", "off_trajectory"]


def test_a_reading_on_the_day_of_the_start_counts():
    assert codes(on(0, fever=True), procedure="none") == ["emergency"]
    assert codes(on(-1, fever=True), procedure="none") == []


@pytest.mark.parametrize(
    ("readings", "flagged"),
    [
        ([(10, 10), (20, 13), (22, 13)], True),
        ([(10, 10), (20, 12.9), (22, 12.9)], False),
        ([(20, 5), (22, 3), (24, 5)], False),
        ([(20, 3), (22, 5), (24, 5)], True),
    ],
)
def test_a_relapse_needs_a_third_above_the_nadir_after_it(readings, flagged):
    rated = [on(day, nrs=nrs) for day, nrs in readings]
    assert ("relapse" in codes(*rated, start=on(0, nrs=20))) is flagged

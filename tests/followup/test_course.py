"""Episodes, visits and repairs on both databases: kept whole, every change with who, when, before and after."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from endplate.followup.read import course, due_list, episodes, history
from endplate.followup.write import Author, add, add_scan, close_episode, correct, start_episode
from endplate.store.database import StoreError, open_store

ANNA = Author(name="anna")
BEN = Author(name="ben")
PATIENT = {"id": "p 4711", "sex": "female", "age_yr": 76}
DAY = date(2026, 1, 5)


def begin(store, patient=PATIENT, onset=DAY - timedelta(20), **more):
    return start_episode(store, ANNA, patient, DAY, ["L1"], onset_on=onset, **more)


def see(store, number, day, **scores):
    return add(store, ANNA, "visit", number, {"on": DAY + timedelta(day), **scores})


def scan(front, sd=0.2):
    finding = {"code": "anterior_height", "level": "L1", "value": front, "low": front - 1.96 * sd}
    return {"levels": ["L1"], "findings": [finding | {"high": front + 1.96 * sd}]}


def test_a_course_counts_from_the_last_repair_and_knows_the_age_of_the_fracture(store):
    number = begin(store)
    see(store, number, 0, nrs=8, rmdq=18)
    add(store, ANNA, "repair", number, {"on": DAY + timedelta(3), "kind": "vertebroplasty", "levels": ["L1"]})
    see(store, number, 40, nrs=7.5)
    seen = course(store, number)
    assert (seen.procedure, seen.fracture_days, seen.start.on) == ("vertebroplasty", 23, DAY + timedelta(3))
    assert (seen.start.nrs, seen.start.rmdq, [r.nrs for r in seen.readings]) == (8, 18, [7.5])
    assert [flag.code for flag in seen.flags()] == ["no_improvement", "off_trajectory"]


def test_without_a_repair_the_course_counts_from_first_contact_and_is_conservative(store):
    number = begin(store)
    seen = course(store, number)
    assert (seen.procedure, seen.start.on, seen.fracture_days) == ("none", DAY, 20)
    unknown = begin(store, PATIENT | {"id": "other"}, onset=None)
    assert (course(store, unknown).fracture_days, course(store, unknown).start.on) == (None, DAY)


def test_two_scans_of_a_level_raise_a_deformity_flag_beyond_the_error(store):
    number = begin(store)
    add_scan(store, ANNA, number, DAY, scan(25.0))
    assert not course(store, number).flags()
    add_scan(store, ANNA, number, DAY + timedelta(90), scan(18.0))
    (flag,) = course(store, number).flags()
    assert flag.code == "deformity" and "L1" in flag.text


def test_a_slow_collapse_over_several_scans_is_flagged_once_against_the_first(store):
    number = begin(store)
    for place, front in enumerate((25.0, 23.0, 21.16, 19.47, 19.4)):
        add_scan(store, ANNA, number, DAY + timedelta(60 * place), scan(front, sd=0.02))
    (flag,) = course(store, number).flags()
    assert (flag.code, flag.since) == ("deformity", DAY + timedelta(180)) and f"against {DAY}" in flag.text


def test_the_same_scan_is_not_kept_twice(store):
    number = begin(store)
    add_scan(store, ANNA, number, DAY, scan(25.0))
    with pytest.raises(StoreError, match="already in episode"):
        add_scan(store, ANNA, number, DAY + timedelta(1), scan(25.0))


def test_the_due_list_holds_whom_nobody_saw_and_no_one_else(store):
    number = begin(store, onset=None)
    other = begin(store, PATIENT | {"id": "other"}, onset=None)
    assert due_list(store, DAY + timedelta(13)) == ([], 0)
    rows, total = due_list(store, DAY + timedelta(30))
    assert total == 2 and {row.episode_id for row in rows} == {number, other} and all(row.due.overdue for row in rows)
    see(store, number, 20)
    close_episode(store, ANNA, other, DAY + timedelta(25))
    assert due_list(store, DAY + timedelta(30)) == ([], 0)
    rows, _ = due_list(store, DAY + timedelta(80))
    assert [(row.episode_id, row.due.visit) for row in rows] == [(number, "3 months")]
    assert "lost_to_follow_up" in [flag.code for flag in course(store, number).flags(DAY + timedelta(200))]


def test_an_emergency_sign_stands_on_top_of_the_due_list_until_a_later_visit_denies_it(store):
    late = begin(store, PATIENT | {"id": "late"})
    ill = begin(store)
    see(store, ill, 15, fever=True)
    rows, total = due_list(store, DAY + timedelta(30))
    assert total == 2 and [(row.episode_id, row.due.visit) for row in rows] == [(ill, "same day"), (late, "2-4 weeks")]
    assert rows[0].due.overdue and rows[0].due.missed_since == DAY + timedelta(15)
    assert due_list(store, DAY + timedelta(30), limit=1)[1] == 2
    assert [row.episode_id for row in due_list(store, DAY + timedelta(14))[0]] == [late]
    see(store, ill, 20)
    assert due_list(store, DAY + timedelta(200))[0][0].due.visit == "same day"
    visit = see(store, ill, 21, fever=False)
    assert [row.episode_id for row in due_list(store, DAY + timedelta(30))[0]] == [late]
    seen = course(store, ill)
    assert seen.flags() == () and [flag.settled_on for flag in seen.settled()] == [DAY + timedelta(21)]
    correct(store, BEN, "visit", visit, {"fever": None})
    assert due_list(store, DAY + timedelta(30))[1] == 2
    close_episode(store, ANNA, ill, DAY + timedelta(40))
    assert due_list(store, DAY + timedelta(50))[1] == 1


def test_a_repair_begins_the_course_anew_for_signs_too(store):
    number = begin(store)
    see(store, number, 5, deficit=True)
    add(store, ANNA, "repair", number, {"on": DAY + timedelta(6), "kind": "vertebroplasty", "levels": ["L1"]})
    assert due_list(store, DAY + timedelta(10))[1] == 0 and course(store, number).flags() == ()


def test_every_change_is_kept_with_who_before_and_after(store):
    number = begin(store)
    visit = see(store, number, 10, nrs=6)
    correct(store, BEN, "visit", visit, {"nrs": 4.0})
    last = history(store, number)[-1]
    assert (last.who, last.entity, last.before["nrs"], last.after["nrs"]) == ("ben", "visit", 6, 4)
    assert [row.entity for row in history(store, number)] == ["patient", "episode", "visit", "visit"]
    assert course(store, number).readings[-1].nrs == 4


def test_a_correction_of_what_somebody_else_changed_is_refused(store):
    number = begin(store)
    visit = see(store, number, 10, nrs=6)
    correct(store, BEN, "visit", visit, {"nrs": 4.0}, version=1)
    with pytest.raises(StoreError, match="changed by somebody else"):
        correct(store, ANNA, "visit", visit, {"nrs": 5.0}, version=1)
    assert course(store, number).readings[-1].nrs == 4


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda s, n: see(s, n + 999, 1), "there is no episode"),
        (lambda s, n: see(s, n, -21), "lies before the onset"),
        (lambda s, n: begin(s), "already has episode"),
        (lambda s, n: begin(s, PATIENT | {"sex": "male"}), "two patients may share this id"),
        (lambda s, n: correct(s, ANNA, "visit", 999, {"nrs": 1.0}), "there is no visit 999"),
        (lambda s, n: course(s, n + 999), "there is no episode"),
    ],
)
def test_what_cannot_be_written_is_told_and_changes_nothing(store, write, says):
    number = begin(store)
    before = len(history(store, number))
    with pytest.raises(StoreError, match=says):
        write(store, number)
    assert len(history(store, number)) == before and len(episodes(store)) == 1


def test_a_closed_episode_takes_no_more_visits(store):
    number = begin(store)
    close_episode(store, ANNA, number, DAY + timedelta(10))
    with pytest.raises(StoreError, match="was closed"):
        see(store, number, 20)


def test_a_database_can_be_opened_again_and_lists_newest_first(where):
    with open_store(where) as store:
        first = begin(store)
    with open_store(where, create=False) as store:
        second = start_episode(store, ANNA, PATIENT, DAY + timedelta(5), ["L3"])
        assert [row.id for row in episodes(store)] == [second, first]
        assert [row.id for row in episodes(store, "p 4711", limit=1)] == [second]

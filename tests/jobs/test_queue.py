"""Of two who take the same step of a job, one alone succeeds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.followup.conftest import postgres_server, where  # noqa: F401

from endplate.jobs import queue
from endplate.jobs.timing import TimeLeft
from endplate.store.cases import add_case
from endplate.store.database import StoreError, open_store


@pytest.fixture
def store(where):  # noqa: F811
    """Both kinds of database."""
    with open_store(where) as store:
        store.where = where
        yield store


def test_a_job_is_claimed_once_by_many(store):
    job_id = queue.submit(store, "measure", "Measure", "ada")

    def claims(_):
        with open_store(store.where, create=False) as other:
            return queue.claim(other, job_id) is not None

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(claims, range(12))) == 1


def test_the_same_work_is_asked_for_once_while_it_is_open(store):
    first = queue.submit(store, "measure", "Measure", "ada", None, {"upload": "a"})
    assert queue.submit(store, "measure", "Measure", "bob", None, {"upload": "a"}) == first
    assert queue.submit(store, "measure", "Measure", "bob", None, {"upload": "b"}) != first
    queue.claim(store, first)
    queue.end(store, first, "done")
    assert queue.submit(store, "measure", "Measure", "ada", None, {"upload": "a"}) != first


def test_a_job_that_waits_is_cancelled_at_once(store):
    job_id = queue.submit(store, "measure", "Measure", "ada")
    assert queue.ask_cancel(store, job_id)
    assert queue.job_row(store, job_id).state == "cancelled"
    assert queue.claim(store, job_id) is None
    assert not queue.ask_cancel(store, job_id)


def test_only_what_did_not_end_well_is_run_again(store):
    job_id = queue.submit(store, "measure", "Measure", "ada")
    assert not queue.run_again(store, job_id, "bob")
    queue.claim(store, job_id)
    assert not queue.run_again(store, job_id, "bob")
    queue.end(store, job_id, "lost", {"error": {"message": "killed"}})
    assert queue.run_again(store, job_id, "bob")
    job = queue.job_row(store, job_id)
    assert (job.state, job.attempt, job.error, job.pid) == ("queued", 2, None, None)
    queue.claim(store, job_id)
    queue.end(store, job_id, "done")
    assert not queue.run_again(store, job_id, "bob")


def test_an_ended_job_is_not_ended_again(store):
    job_id = queue.submit(store, "measure", "Measure", "ada")
    queue.claim(store, job_id)
    assert queue.end(store, job_id, "cancelled", {"kept": "nothing"})
    assert not queue.end(store, job_id, "done")
    assert not queue.bring_on(store, job_id, {"stage": "bone"})
    assert queue.job_row(store, job_id).state == "cancelled"


def test_changes_are_told_in_order_and_once(store):
    one, two = (queue.submit(store, "measure", name, "ada", None, {"n": name}) for name in "ab")
    start = queue.last_version(store)
    queue.claim(store, two)
    queue.claim(store, one)
    changed = queue.changed_since(store, start)
    assert [job.id for job in changed] == [two, one]
    assert queue.changed_since(store, changed[-1].version) == []


def test_a_wrong_id_is_no_job(store):
    with pytest.raises(StoreError, match="no such job"):
        queue.job_row(store, "../../etc/passwd")


def test_time_left_comes_from_this_stage_and_from_the_last_run():
    seconds = iter([0.0, 10.0, 10.0, 12.0, 40.0])
    left = TimeLeft({"anatomy": 20.0, "mechanics": 30.0}, lambda: next(seconds))
    assert left.at("anatomy", 0.0) == pytest.approx(20.0 + 30.0)
    assert left.at("anatomy", 0.5) == pytest.approx(10.0 + 30.0)
    assert left.at("mechanics", 0.0) == pytest.approx(30.0)
    assert left.at("mechanics", 0.1) == pytest.approx(18.0)
    assert left.at("mechanics", 1.0) == 0.0


def test_the_time_left_of_an_injection_does_not_count_how_long_it_took_to_get_ready():
    """Steps of a fortieth, 0.03 s each, after 17 s of setting up: as measured of an injection on a cold start."""
    moments = iter([0.0, 17.43, 17.46, 17.49, 17.52, 17.55])
    left = TimeLeft({"cement": 60.0}, lambda: next(moments))
    assert left.at("cement", 0.0) == pytest.approx(60.0)
    said = [left.at("cement", 0.025 * step) for step in range(1, 5)]
    assert said[:3] == pytest.approx([60.0 - 17.43, 60.0 - 17.46, 60.0 - 17.49]), "too little was seen of it"
    assert said[3] == pytest.approx(60.0 - 17.52)
    assert left.at("cement", 0.125) == pytest.approx(35 * 0.03)


def test_time_left_is_unknown_where_nothing_says():
    seconds = iter([0.0, 10.0])
    left = TimeLeft({}, lambda: next(seconds))
    assert left.at("anatomy", 0.0) is None
    assert left.at("anatomy", 0.5) is None


def test_the_last_run_that_was_alike_says_how_long_it_takes(store):
    for upload, more, seconds in (("a", {}, {"bone": 9.0}), ("b", {"mechanics": False}, {"bone": 2.0})):
        done = queue.submit(store, "intake", "Take in", "ada", None, {"upload": upload} | more)
        queue.claim(store, done)
        queue.end(store, done, "done", {"stage_seconds": seconds})
    for more, seconds in (({}, {"bone": 9.0}), ({"mechanics": False}, {"bone": 2.0}), ({"voxel_mm": 2.0}, {})):
        job_id = queue.submit(store, "intake", "Take in", "ada", None, {"upload": "c"} | more)
        assert queue.former_stage_seconds(store, queue.job_row(store, job_id)) == seconds


def test_the_last_job_of_a_case_counts(store):
    case_id = add_case(store, "spine")
    first = queue.submit(store, "measure", "Measure", "ada", case_id, {"n": 1})
    queue.claim(store, first)
    queue.end(store, first, "lost", {"error": {"message": "killed"}})
    assert queue.last_of_cases(store)[case_id].id == first
    second = queue.submit(store, "measure", "Measure", "ada", case_id, {"n": 2})
    assert queue.last_of_cases(store)[case_id].id == second
    queue.claim(store, second)
    queue.end(store, second, "done")
    assert queue.last_of_cases(store) == {}

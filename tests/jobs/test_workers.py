"""Real workers: cancelled within two seconds, killed and run again, found again by a new server, refused."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from endplate.jobs import queue
from endplate.jobs.executor import LocalProcesses
from endplate.jobs.supervise import run_job, worker_lives
from endplate.store.cases import add_case, case_row

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture
def executor(store, place):
    executor = LocalProcesses(store, place)
    yield executor
    for job in queue.jobs(store, ("queued", "running")):
        queue.ask_cancel(store, job.id)
    for job in queue.jobs(store, ("running",)):
        os.killpg(job.pid, signal.SIGKILL)
    executor.close()


def test_a_running_job_is_cancelled_within_two_seconds(store, files, executor, case_id, until):
    job_id = queue.submit(store, "measure", "Measure", "ada", case_id)
    executor.start(job_id)
    job, _ = until(job_id, "running")
    assert worker_lives(files, job_id)
    queue.ask_cancel(store, job_id)
    ended, seconds = until(job_id, "cancelled", seconds=5)
    assert seconds < 2.0
    assert not worker_lives(files, job_id)
    with pytest.raises(ProcessLookupError):
        os.kill(job.pid, 0)
    assert "nothing of it was kept" in ended.kept
    assert case_row(store, case_id).folder is None
    assert list((files.root / "results").iterdir()) == []


def test_a_killed_worker_is_told_and_its_job_runs_again(store, files, executor, case_id, until):
    job_id = queue.submit(store, "measure", "Measure", "ada", case_id)
    executor.start(job_id)
    job, _ = until(job_id, "running")
    os.kill(job.pid, signal.SIGKILL)
    lost, _ = until(job_id, "lost", seconds=5)
    assert "signal 9" in lost.error["message"]
    assert queue.run_again(store, job_id, "ada")
    executor.start(job_id)
    again, _ = until(job_id, "running")
    assert again.attempt == 2
    assert again.pid != job.pid


def test_a_new_server_follows_the_worker_of_a_killed_one(store, files, place, case_id, until):
    job_id = queue.submit(store, "measure", "Measure", "ada", case_id)
    waiting = queue.submit(store, "intake", "Take in", "ada", add_case(store, "other"), {"upload": 32 * "0"})
    killed = threading.Event()
    first = threading.Thread(target=run_job, args=(store, place, job_id, killed.is_set))
    first.start()
    before, _ = until(job_id, "running")
    killed.set()
    first.join(5)
    assert worker_lives(files, job_id)
    second = LocalProcesses(store, place)
    second.recover()
    # Started twice by that, it is done once: the row has one worker.
    second.start(job_id)
    refused, _ = until(waiting, "refused")
    assert "are gone" in refused.error["message"]
    assert queue.job_row(store, job_id).pid == before.pid
    assert queue.job_row(store, job_id).attempt == 1
    queue.ask_cancel(store, job_id)
    _, seconds = until(job_id, "cancelled", seconds=5)
    assert seconds < 2.0
    second.close()


def test_a_worker_that_died_with_its_server_is_told_at_the_next_start(store, files, place, case_id, until):
    job_id = queue.submit(store, "measure", "Measure", "ada", case_id)
    assert queue.claim(store, job_id) is not None  # by this process, which keeps no lock of a worker
    server = LocalProcesses(store, place)
    server.recover()
    assert queue.job_row(store, job_id).state == "lost"
    server.close()

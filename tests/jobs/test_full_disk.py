"""A disk that fills up while a job works or its end is told: said in one clear line, and nothing earlier is lost."""

from __future__ import annotations

import json
import time

import pytest
from tests.support.faults import tree
from tests.support.synthetic_case import synthetic_case
from tests.support.tiny_disk import mounted

from endplate.jobs import executor as executor_module
from endplate.jobs import measure as measure_module
from endplate.jobs import queue
from endplate.jobs.context import JobContext
from endplate.jobs.executor import LocalProcesses
from endplate.jobs.supervise import Place
from endplate.jobs.worker import work
from endplate.report.write import write_report
from endplate.store.cases import add_case, case_row, change_case
from endplate.store.database import FullDiskError, open_store
from endplate.store.files import Files

FULL = "the disk of the database endplate.db is full"


def test_a_disk_that_fills_up_when_results_are_stored_keeps_the_former_ones(store, tmp_path, monkeypatch):
    """A real disk without room, at the real write: only the minutes of measuring before it are left out."""
    with mounted(tmp_path / "disk", 700) as disk:
        files = Files(disk / "data").prepare()
        case_id = add_case(store, "spine")
        folder = files.results(case_id)
        write_report(synthetic_case(), folder, formats=("json",))
        change_case(store, case_id, {"folder": str(folder), "summary": {"worst": "L1"}})
        (disk / "other").write_bytes(bytes(600_000 - sum(len(data) for data in tree(folder).values())))
        before, row = tree(folder), case_row(store, case_id)
        monkeypatch.setattr(measure_module, "read_case_of", lambda context: synthetic_case())
        monkeypatch.setattr("endplate.case.assess.assess", lambda case, settings, tell: case)
        job_id = queue.submit(store, "measure", "Measure spine", "ada", case_id)
        assert work(store.name, str(files.root), job_id) == 0
        job = queue.job_row(store, job_id)
        assert job.state == "failed", "nothing that was given is at fault, so it was not refused"
        assert "No space left on device; nothing was left half-written; free some space" in job.error["message"]
        assert tree(folder) == before, "the former results stand as they were"
        assert (case_row(store, case_id).folder, case_row(store, case_id).summary) == (row.folder, row.summary)
        json.loads((folder / "case.json").read_text(encoding="utf-8"))


def test_a_database_whose_disk_is_full_says_so_and_keeps_what_it_has(tmp_path):
    with mounted(tmp_path / "disk", 1200) as disk, open_store(disk / "endplate.db") as store:
        case_id = add_case(store, "spine")
        (disk / "other").write_bytes(bytes(1200 * 1024 - sum(one.stat().st_blocks * 512 for one in disk.iterdir())))
        with pytest.raises(FullDiskError, match=r"is full; nothing was written; free some space, then repeat"):
            change_case(store, case_id, {"record": {"text": 300_000 * "x"}})
        (disk / "other").unlink()
        assert case_row(store, case_id).name == "spine" and case_row(store, case_id).record is None
        change_case(store, case_id, {"record": {"text": 1000 * "x"}})


def test_the_end_of_a_job_is_told_as_soon_as_the_database_takes_it(store, files, monkeypatch):
    """As when its disk was full for a while: a row that said "running" for ever would never be run again."""
    turns, end = iter([False, False, True]), queue.end

    def full(*given, **more):
        if next(turns):
            return end(*given, **more)
        raise FullDiskError(FULL, "nothing was written", "free some space, then repeat")

    def broken(*given):
        raise FullDiskError(FULL, "nothing was written", "free some space, then repeat")

    monkeypatch.setattr(executor_module, "TRY_AGAIN_S", 0.02)
    monkeypatch.setattr(executor_module, "run_job", broken)
    monkeypatch.setattr(queue, "end", full)
    jobs = LocalProcesses(store, Place(database=store.name, data=str(files.root)))
    job_id = queue.submit(store, "measure", "Measure", "ada")
    jobs.start(job_id)
    until = time.monotonic() + 20
    while queue.job_row(store, job_id).state == "queued" and time.monotonic() < until:
        time.sleep(0.02)
    jobs.close()
    ended = queue.job_row(store, job_id)
    assert ended.state == "failed" and ended.error["message"].startswith(FULL)
    assert queue.run_again(store, job_id, "ada")


def test_a_full_disk_ends_no_computation(store, files, monkeypatch):
    job_id = queue.submit(store, "measure", "Measure", "ada")
    context = JobContext(job=queue.claim(store, job_id), store=store, files=files)

    def full(*given):
        raise FullDiskError(FULL)

    with monkeypatch.context() as away:
        away.setattr(queue, "bring_on", full)
        context.tell("anatomy", 0.1, "L1")
        context.keep("half of it")
    context.tell("anatomy", 1.0, "L2")
    assert queue.job_row(store, job_id).fraction == 1.0

"""The same jobs on the workers of a Dask scheduler."""

from __future__ import annotations

import pytest

from endplate.errors import OptionError
from endplate.jobs import queue
from endplate.jobs.executor import DaskScheduler
from endplate.jobs.supervise import worker_lives

distributed = pytest.importorskip("distributed", reason="the extra cohort is not installed")


def test_a_job_runs_and_is_cancelled_on_a_scheduler(store, files, place, case_id, until):
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="tcp", host="127.0.0.1"
    ) as cluster:
        executor = DaskScheduler(store, place, cluster.scheduler_address)
        refused = queue.submit(store, "intake", "Take in", "ada", case_id, {"upload": "not ours"})
        executor.start(refused)
        ended, _ = until(refused, "failed", "refused")
        assert ended.error["message"]
        job_id = queue.submit(store, "measure", "Measure", "ada", case_id)
        executor.recover()  # as a server that starts finds it
        until(job_id, "running")
        queue.ask_cancel(store, job_id)
        _, seconds = until(job_id, "cancelled", seconds=5)
        assert seconds < 2.0
        assert not worker_lives(files, job_id)
        executor.close()


def test_no_scheduler_is_told_in_one_line(store, place, monkeypatch):
    monkeypatch.setattr(distributed, "Client", lambda *given, **more: _nobody())
    with pytest.raises(OptionError, match="no Dask scheduler answers"):
        DaskScheduler(store, place, "tcp://127.0.0.1:1")


def _nobody():
    raise OSError("Timed out")

"""Cases through Dask: so many at a time, tried again where a process died, each ending once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from endplate.cohort.cluster import SchedulerError
from endplate.cohort.run_case import Outcome, record_failure, run_case
from endplate.cohort.settings import Job
from endplate.errors import plain

AHEAD = 4
"""Cases handed to the scheduler for each that runs: enough that no process waits, and no list of a hundred thousand."""


def run_jobs(client: Any, jobs: Sequence[Job], retries: int, on_outcome: Callable[[Outcome], None]) -> None:
    """Run every job once; returns when all have ended, however each did.

    Parameters
    ----------
    client : distributed.Client
    jobs : sequence of Job
    retries : int
        How often a case is tried again after a fault that is not of its inputs.
    on_outcome : callable
        Called with each outcome as it comes.

    Raises
    ------
    SchedulerError : the scheduler is gone; what has ended is kept.
    """
    from distributed import as_completed

    waiting = iter(enumerate(jobs))
    running: dict[Any, Job] = {}

    def submit(count: int) -> Iterator[Any]:
        for number, job in islice(waiting, count):
            # No id of a patient goes into the names that a dashboard shows.
            future = client.submit(run_case, job, key=f"case-{number:06d}", retries=retries, pure=False)
            running[future] = job
            yield future

    ahead = max(1, AHEAD * len(client.scheduler_info(n_workers=-1)["workers"]))
    stream = as_completed(list(submit(ahead)))
    for future in stream:
        job = running.pop(future)
        on_outcome(_outcome(client, future, job))
        future.release()
        for fresh in submit(1):
            stream.add(fresh)


def _outcome(client: Any, future: Any, job: Job) -> Outcome:
    """What a future ended with; a fault is written into the folder of the case as its reason."""
    if future.status == "finished":
        found: Outcome = future.result()
        return found
    if future.status in ("cancelled", "lost") or client.status != "running":
        raise SchedulerError(
            "the connection to the scheduler was lost", "cases that have ended are kept", "run the same command again"
        )
    error = future.exception()
    if type(error).__name__ == "KilledWorker":
        why = f"the process died at this case {error.allowed_failures + 1} times, for want of memory or by a kill"
        return record_failure(job, "KilledWorker", f"{why}.")
    return record_failure(job, type(error).__name__, plain(str(error) or type(error).__name__))

"""Where jobs are done: one interface, and the two that there are.

An executor is asked to do a job by its id, and returns at once. What becomes of it stands in its row.
"""

from __future__ import annotations

import platform
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from endplate.errors import EndplateError, OptionError
from endplate.jobs import queue
from endplate.jobs.job import Job
from endplate.jobs.supervise import Place, run_job, watch_job, worker_lives
from endplate.store.database import Store
from endplate.store.files import Files

TRY_AGAIN_S = 3.0
"""How often the end of a job is told again to a database that took nothing."""


class Executor(Protocol):
    """Something that does jobs."""

    name: str

    def start(self, job_id: str) -> None:
        """Do a job that waits; returns at once."""

    def recover(self) -> None:
        """Find the jobs that a former server left: those that wait are done, those that run are followed."""

    def close(self) -> None:
        """Stop following; workers go on, and the next server finds them."""


class LocalProcesses:
    """Processes of this computer.

    Parameters
    ----------
    store : open. place : for the workers. at_once : how many jobs run at a time.
    """

    def __init__(self, store: Store, place: Place, at_once: int = 1) -> None:
        self.store, self.place = store, place
        self.name = f"{at_once} local process{'es' if at_once > 1 else ''}"
        self._ends = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="job")
        self._followers: list[threading.Thread] = []

    def start(self, job_id: str) -> None:
        """See `Executor.start`."""
        self._pool.submit(self._run, job_id)

    def recover(self) -> None:
        """See `Executor.recover`."""
        files = Files(Path(self.place.data))
        for job in queue.jobs(self.store, ("running",)):
            if job.host != platform.node():
                continue  # of a server elsewhere that shares the database
            if worker_lives(files, job.id):
                follower = threading.Thread(target=self._follow, args=(job,), daemon=True)
                follower.start()
                self._followers.append(follower)
            else:
                watch_job(self.store, self.place, job)
        for job in reversed(queue.jobs(self.store, ("queued",))):
            self.start(job.id)

    def close(self) -> None:
        """See `Executor.close`."""
        self._ends.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for follower in self._followers:
            follower.join(timeout=2)

    def _run(self, job_id: str) -> None:
        """Do a job; where the database takes nothing (a full disk), its end is told as soon as it does."""
        try:
            if self._ends.is_set() or queue.job_row(self.store, job_id).state != "queued":
                return
            run_job(self.store, self.place, job_id, self._ends.is_set)
            return
        except (EndplateError, OSError) as error:
            words = {"kind": type(error).__name__, "what": str(error), "why": "", "fix": "run it again"}
            said = {"error": words | {"message": str(error)}}
        while not self._told(job_id, said) and not self._ends.wait(TRY_AGAIN_S):
            pass

    def _told(self, job_id: str, said: dict[str, Any]) -> bool:
        try:
            queue.end(self.store, job_id, "failed", said)
        except EndplateError:
            return False
        return True

    def _follow(self, job: Job) -> None:
        with suppress(EndplateError):
            watch_job(self.store, self.place, job, self._ends.is_set)


class DaskScheduler:
    """The workers of a Dask scheduler, which reach the same database and the same folder of files.

    Parameters
    ----------
    address : such as tcp://host:8786.

    Raises
    ------
    OptionError : no scheduler answers there, or the library is missing.
    """

    def __init__(self, store: Store, place: Place, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise OptionError(
                "--scheduler needs the library distributed", "", "pip install 'endplate[cohort]'"
            ) from error
        try:
            self._client = Client(address, timeout="10s", set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise OptionError(f"no Dask scheduler answers at {address}", "", "check its address") from error
        self.store, self.place, self.name = store, place, f"Dask scheduler {address}"
        self._futures: dict[str, object] = {}

    def start(self, job_id: str) -> None:
        """See `Executor.start`."""
        attempt = queue.job_row(self.store, job_id).attempt
        future = self._client.submit(
            run_job_here, self.place, job_id, key=f"endplate-{job_id}-{attempt}", pure=False, retries=0
        )
        future.add_done_callback(lambda done: self._ended(job_id, done))
        self._futures[job_id] = future

    def _ended(self, job_id: str, future: Any) -> None:
        """Say of a job that its Dask worker was killed, where it could not say so itself."""
        self._futures.pop(job_id, None)
        if future.status == "error":
            what = "its Dask worker ended before the work was done"
            words = {"kind": "WorkerLost", "what": what, "why": "earlier results stand", "fix": "run it again"}
            with suppress(EndplateError):
                queue.end(self.store, job_id, "lost", {"error": words | {"message": f"{what}; run it again."}})

    def recover(self) -> None:
        """See `Executor.recover`; a job that runs is followed by the Dask worker that has it."""
        for job in reversed(queue.jobs(self.store, ("queued",))):
            self.start(job.id)

    def close(self) -> None:
        """See `Executor.close`."""
        from distributed import fire_and_forget

        for future in list(self._futures.values()):
            fire_and_forget(future)
        self._client.close()


def run_job_here(place: Place, job_id: str) -> str:
    """Do a job in a process beside this one; returns the state in which it ended. Called on a Dask worker."""
    from endplate.store.database import open_store

    with open_store(place.database, create=False) as store:
        run_job(store, place, job_id)
        return queue.job_row(store, job_id).state

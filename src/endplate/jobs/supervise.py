"""Start the worker of a job, stop it where its end was asked for, and notice where it was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from endplate.atomic import try_lock
from endplate.jobs import queue
from endplate.jobs.job import Job
from endplate.store.database import Store, StoreError
from endplate.store.files import Files

LOOK_EVERY_S = 0.15
POLITE_S = 0.8
"""How long a worker may take to unwind before it is killed; with the time until it is seen, well below 2 s."""
LAST_LINES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a worker finds everything: the database as path or URL, the folder of files, threads for each job."""

    database: str
    data: str
    threads: int | None = None


def run_job(store: Store, place: Place, job_id: str, ended: Callable[[], bool] = lambda: False) -> None:
    """Do a job in a process of its own, and return when it has ended in any way.

    Parameters
    ----------
    ended : whether the server itself ends; the worker is then left to go on alone.
    """
    files = Files(Path(place.data))
    log = files.lock(job_id).with_suffix(".log")
    with log.open("wb") as stream:
        worker = subprocess.Popen(
            [sys.executable, "-m", "endplate.jobs.worker"],
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
        message = {"database": place.database, "data": place.data, "job": job_id, "threads": place.threads}
        with suppress(BrokenPipeError):
            if worker.stdin is not None:
                worker.stdin.write(json.dumps(message).encode() + b"\n")
                worker.stdin.close()
    while worker.poll() is None:
        if ended():
            return
        if _asked_to_stop(store, job_id):
            _stop(worker.pid, lambda: worker.poll() is not None)
            worker.wait()
            _cancelled(store, job_id)
            _tidy(files, job_id)
            return
        time.sleep(LOOK_EVERY_S)
    _settle(store, files, job_id, worker.returncode, worker.pid)


def watch_job(store: Store, place: Place, job: Job, ended: Callable[[], bool] = lambda: False) -> None:
    """Follow a worker that another server started, until it has ended in any way."""
    files = Files(Path(place.data))
    while worker_lives(files, job.id):
        if ended():
            return
        if _asked_to_stop(store, job.id):
            if job.pid is not None:
                _stop(job.pid, lambda: not worker_lives(files, job.id))
            _cancelled(store, job.id)
            _tidy(files, job.id)
            return
        time.sleep(2 * LOOK_EVERY_S)
    _settle(store, files, job.id, None, job.pid)


def _asked_to_stop(store: Store, job_id: str) -> bool:
    """Whether the end of a job was asked for; a database that is away for a moment asks for nothing."""
    try:
        return queue.cancel_asked(store, job_id)
    except StoreError:
        return False


def worker_lives(files: Files, job_id: str) -> bool:
    """Whether a worker of this computer keeps the lock of a job."""
    try:
        handle = os.open(files.lock(job_id), os.O_RDWR)
    except OSError:
        return False
    try:
        return try_lock(handle) is False
    finally:
        os.close(handle)


def _stop(pid: int, gone: Callable[[], bool]) -> None:
    """End a worker and whatever it started: politely, so that it removes partial folders, then at once."""
    for kind, patience in ((signal.SIGTERM, POLITE_S), (signal.SIGKILL, 1.0)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, kind)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if gone():
                break
            time.sleep(0.02)
        else:
            continue
        break
    # What the worker started may outlive it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _cancelled(store: Store, job_id: str) -> None:
    kept = queue.job_row(store, job_id).kept or "nothing of it was kept; earlier results stand as they were"
    queue.end(store, job_id, "cancelled", {"kept": kept})


def _settle(store: Store, files: Files, job_id: str, code: int | None, pid: int | None) -> None:
    """Say of a worker that is gone without having written its end that it was killed."""
    job = queue.job_row(store, job_id)
    if job.state == "running" and job.pid != pid:
        return  # another worker has it
    if job.state == "running":
        how = f"by signal {-code}" if code is not None and code < 0 else "" if code is None else f"with code {code}"
        stage = f" in the stage {job.stage}" if job.stage else ""
        what = " ".join(f"its worker ended {how}{stage} before the work was done".split())
        fix = "run it again"
        if code == -signal.SIGKILL:
            fix = "if it ran out of memory, close other jobs; then run it again"
        error = {"kind": "WorkerLost", "what": what, "why": "earlier results stand as they were", "fix": fix}
        error["message"] = f"{what}; {error['why']}; {fix}."
        queue.end(store, job_id, "lost", {"error": error})
    elif job.state == "queued" and code not in (0, None):
        what = f"its worker could not begin (code {code}): {_last_line(files, job_id)}"
        error = {"kind": "WorkerLost", "what": what, "why": "", "fix": "run it again", "message": f"{what}."}
        queue.end(store, job_id, "failed", {"error": error})
    _tidy(files, job_id)


def _last_line(files: Files, job_id: str) -> str:
    with suppress(OSError):
        lines = files.lock(job_id).with_suffix(".log").read_bytes()[-LAST_LINES:].decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
    return ""


def _tidy(files: Files, job_id: str) -> None:
    with suppress(OSError):
        files.lock(job_id).unlink()

"""The process of one job: claims it, does it, writes its end. Started as `python -m endplate.jobs.worker`.

It is told what to do on standard input, so that no password of a database stands in the list of processes. As long as
it lives it keeps a file locked, by which a server that starts anew knows that the job still runs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from endplate.atomic import try_lock
from endplate.errors import EndplateError, OutputError, plain
from endplate.jobs import queue
from endplate.jobs.context import JobContext, NotOursError
from endplate.jobs.job import State
from endplate.jobs.timing import TimeLeft
from endplate.store.database import Store, open_store
from endplate.store.files import Files

TERMINATED = 143


def work(database: str, data: str, job_id: str) -> int:
    """Claim a job and do it; 0 where it ended in any way that its row tells."""
    files = Files(Path(data))
    handle = os.open(files.lock(job_id), os.O_CREAT | os.O_RDWR, 0o600)
    if try_lock(handle) is False:
        return 0  # another worker has it
    with open_store(database, create=False) as store:
        job = queue.claim(store, job_id)
        if job is None:
            return 0
        context = JobContext(job=job, store=store, files=files)
        context.time_left = TimeLeft(queue.former_stage_seconds(store, job))
        _do(store, context)
    return 0


def _do(store: Store, context: JobContext) -> None:
    """The task, and how it ended."""
    from endplate.jobs.tasks import task_of

    job_id = context.job.id
    try:
        result = task_of(context.job.task)(context)
        seconds = {name: round(value, 2) for name, value in context.time_left.seconds.items()}
        queue.end(store, job_id, "done", {"result": result, "fraction": 1.0, "stage_seconds": seconds})
    except NotOursError:
        return
    except EndplateError as error:
        ours = error.exit_code != 2 or isinstance(error, OutputError)  # nothing that was given is at fault
        state: State = "failed" if ours else "refused"
        queue.end(store, job_id, state, {"error": _parts(type(error).__name__, error)})
    except MemoryError:
        words = (
            "the computer has not enough memory for this",
            "nothing was kept",
            "close other jobs, then run it again",
        )
        queue.end(store, job_id, "failed", {"error": _parts("MemoryError", EndplateError(*words))})
    except OSError as error:
        full = error.errno in (28, 122)
        what = f"a file cannot be used: {error.strerror or error}"
        problem = EndplateError(what, "", "free some space, then run it again" if full else "run it again")
        queue.end(store, job_id, "failed", {"error": _parts("OutputError" if full else "InputError", problem)})
    except Exception as error:
        traceback.print_exc()
        what = f"endplate met a fault of its own: {type(error).__name__}: {plain(str(error), 200)}"
        queue.end(store, job_id, "failed", {"error": _parts("InternalError", EndplateError(what))})


def _parts(kind: str, error: EndplateError) -> dict[str, str]:
    return {"kind": kind, "what": error.what, "why": error.why, "fix": error.fix, "message": str(error)}


def _stop_politely() -> None:
    """A polite kill unwinds, so that partial folders are removed."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)


def main() -> int:
    """Read what to do from standard input, and do it."""
    _stop_politely()
    message: dict[str, Any] = json.loads(sys.stdin.readline())
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ.setdefault(name, str(message.get("threads") or os.cpu_count() or 1))
    return work(str(message["database"]), str(message["data"]), str(message["job"]))


if __name__ == "__main__":
    sys.exit(main())

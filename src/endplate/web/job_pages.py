"""Jobs: their list, cancel and a second try, and the stream of events by which pages show progress."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from endplate.jobs import queue
from endplate.jobs.job import Job
from endplate.store.audit import note
from endplate.store.database import StoreError
from endplate.store.files import HEX_ID
from endplate.web.access import Editor, Reader, RefusedError, TheBench
from endplate.web.bench import Bench
from endplate.web.pages import page, percent_words, seconds_words, stage_words

router = APIRouter(include_in_schema=False)
LOOK_EVERY_S = 0.4
MOST_NAMED = 100
"""Open jobs of a page whose state its stream begins with."""
QUIET_S = 15.0
"""A comment is sent so often where nothing happens, so that a lost connection is noticed."""


@router.get("/jobs")
def jobs_page(request: Request, bench: TheBench, user: Reader) -> Response:
    """All jobs, the last asked for first."""
    return page(request, "jobs.html.j2", jobs=queue.jobs(bench.store), where=bench.executor.name)


@router.get("/jobs/events")
def events(request: Request, bench: TheBench, user: Reader, jobs: str = "") -> Response:
    """Server-sent events: one for every change of a job, and first how those stand that the page shows as open."""
    open_there = [word for word in jobs.split(",")[:MOST_NAMED] if HEX_ID.fullmatch(word)]
    return StreamingResponse(
        _events(request, bench, open_there), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _events(request: Request, bench: Bench, open_there: Sequence[str]) -> AsyncIterator[str]:
    version = await run_in_threadpool(_start, bench)
    yield ": begins\n\n"
    for job in await run_in_threadpool(_named, bench, open_there):  # it may have ended since the page was made
        yield _event(job)
    quiet = 0.0
    while not await request.is_disconnected() and not request.app.state.ending.is_set():
        for job in await run_in_threadpool(queue.changed_since, bench.store, version):
            version = max(version, job.version)
            quiet = 0.0
            yield _event(job)
        await asyncio.sleep(LOOK_EVERY_S)
        quiet += LOOK_EVERY_S
        if quiet >= QUIET_S:
            quiet = 0.0
            yield ": quiet\n\n"


def _start(bench: Bench) -> int:
    """The version before the first open job, so that a page that loads sees how far each is."""
    running = queue.jobs(bench.store, ("queued", "running"))
    return min((job.version for job in running), default=queue.last_version(bench.store) + 1) - 1


def _named(bench: Bench, ids: Sequence[str]) -> list[Job]:
    return [job for job in queue.jobs(bench.store) if job.id in ids] if ids else []


def _event(job: Job) -> str:
    return f"event: job\ndata: {json.dumps(shown(job))}\n\n"


def shown(job: Job) -> dict[str, Any]:
    """What a page shows of a job."""
    return {
        "id": job.id,
        "case": job.case_id,
        "task": job.task,
        "title": job.title,
        "state": job.state,
        "words": stage_words(job),
        "percent": percent_words(job.fraction),
        "detail": job.detail or "",
        "left": seconds_words(job.seconds_left) if job.state == "running" else "",
        "kept": job.kept or "",
        "error": (job.error or {}).get("message", ""),
    }


def the_job(job_id: str, bench: TheBench, user: Reader) -> Job:
    """The job of the address, looked up by its id."""
    try:
        if HEX_ID.fullmatch(job_id):
            return queue.job_row(bench.store, job_id)
    except StoreError as error:
        if "no such job" not in error.what:
            raise
    raise RefusedError(404, "there is no such job", "", "go to the list of jobs")


TheJob = Annotated[Job, Depends(the_job)]


@router.get("/jobs/{job_id}")
def job_part(request: Request, job: TheJob) -> Response:
    """One job as a part of a page."""
    return page(request, "job.html.j2", job=job)


@router.post("/jobs/{job_id}/cancel")
def cancel(request: Request, job: TheJob, bench: TheBench, user: Editor) -> Response:
    """Ask for the end of a job; its worker stops within two seconds."""
    if queue.ask_cancel(bench.store, job.id):
        note(bench.store, user.name, "cancelled a job", detail=job.title)
    return _after(request, bench, job)


@router.post("/jobs/{job_id}/again")
def again(request: Request, job: TheJob, bench: TheBench, user: Editor) -> Response:
    """Run a job again that did not end well."""
    if queue.run_again(bench.store, job.id, user.name):
        bench.executor.start(job.id)
        note(bench.store, user.name, "ran a job again", detail=job.title)
    return _after(request, bench, job)


def _after(request: Request, bench: Bench, job: Job) -> Response:
    if "hx-request" in request.headers:
        return page(request, "job.html.j2", job=queue.job_row(bench.store, job.id))
    return RedirectResponse("/jobs", 303)

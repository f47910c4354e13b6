"""The rehearsals of a case wherever they are listed: remove one, or make a report of the case with those chosen."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from endplate.jobs import queue
from endplate.jobs.job import Job
from endplate.jobs.rehearsal_report import NAMES, PAGE
from endplate.store.audit import note, note_reading
from endplate.store.cases import CaseRow
from endplate.store.database import StoreError
from endplate.store.rehearsals import RehearsalRow, basis_of, rehearsals_of, remove_rehearsal, why_old
from endplate.web.access import Editor, Reader, RefusedError, TheBench, TheCase
from endplate.web.bench import Bench, start_job
from endplate.web.pages import page
from endplate.web.report_page import STATIC_POLICY

router = APIRouter(include_in_schema=False)
TASK = "rehearsal_report"
MOST_CHOSEN = 8


def kept_of(bench: Bench, case: CaseRow) -> list[tuple[RehearsalRow, str]]:
    """Rehearsals of a case, the last first, each with why it is out of date or nothing."""
    rows = rehearsals_of(bench.store, case.id)
    present = {level: basis_of(bench.store, case.id, level) for level in {row.level for row in rows}}
    return [(row, why_old(row.basis, present[row.level])) for row in reversed(rows)]


@router.get("/cases/{case_id}/rehearsals")
def kept(request: Request, bench: TheBench, case: TheCase) -> Response:
    """The rehearsals of a case: a part of the Case and the Report page, and a page of its own without scripts."""
    jobs = [job for job in queue.jobs(bench.store, case_id=case.id) if job.task == TASK]
    done = next((job for job in jobs if job.state == "done"), None)
    part, found = "hx-request" in request.headers, kept_of(bench, case)
    return page(
        request, "rehearsals_part.html.j2" if part else "rehearsals.html.j2", case=case, kept=found,
        jobs=[job for job in jobs[:1] if job.state != "done"], made=done, old=_old(found, case, done),
    )  # fmt: skip


@router.post("/cases/{case_id}/rehearsals/{rehearsal_id}/remove")
def remove(
    bench: TheBench, case: TheCase, user: Editor, rehearsal_id: str, back: Annotated[str, Form()] = ""
) -> Response:
    """Take a rehearsal off the case; the store keeps it with who removed it."""
    row = next((one for one in rehearsals_of(bench.store, case.id) if one.id == rehearsal_id), None)
    try:
        remove_rehearsal(bench.store, case.id, rehearsal_id, user.name)
    except StoreError as error:
        if "no such rehearsal" not in error.what:
            raise
        raise RefusedError(404, error.what, error.why, error.fix) from error
    note(bench.store, user.name, "removed a rehearsal", case, "" if row is None else row.title)
    there = f"rehearsal?level={row.level}" if row is not None and back == "rehearsal" else "rehearsals"
    return RedirectResponse(f"/cases/{case.id}/{there}", 303)


@router.post("/cases/{case_id}/rehearsals/report")
def ask_report(
    bench: TheBench, case: TheCase, user: Editor, chosen: Annotated[list[str] | None, Form()] = None
) -> Response:
    """Ask for a report of the case with the chosen rehearsals."""
    held = {row.id: (row, old) for row, old in kept_of(bench, case)}
    wanted = [one for one in chosen or [] if one in held]
    if not wanted or len(wanted) > MOST_CHOSEN:
        raise RefusedError(400, f"{len(wanted)} rehearsals were chosen", "", f"choose 1 to {MOST_CHOSEN}")
    for one in wanted:
        row, old = held[one]
        if old:
            raise RefusedError(409, f"{row.title} is out of date", old, "leave it out, or run it again")
    arguments: dict[str, Any] = {"rehearsals": list(reversed(wanted)), "of": case.version}
    start_job(bench, user, TASK, f"Report of {case.name} with {len(wanted)} rehearsals", case, arguments)
    return RedirectResponse(f"/cases/{case.id}/rehearsals", 303)


@router.get("/cases/{case_id}/rehearsals/report/{job_id}/{name}")
def report_file(bench: TheBench, case: TheCase, user: Reader, job_id: str, name: str) -> Response:
    """The page or the PDF of a report with rehearsals, in a frame that runs nothing."""
    job = next((one for one in queue.jobs(bench.store, case_id=case.id) if one.id == job_id), None)
    if job is None or job.task != TASK or name not in ((job.result or {}).get("files") or ()) or name not in NAMES:
        raise RefusedError(404, "there is no such report", "", "make it again")
    path = bench.files.run(job.id) / name
    if not path.is_file():
        raise RefusedError(410, "this report is gone", "", "make it again")
    if name == PAGE:
        headers = {"Content-Security-Policy": STATIC_POLICY}
        return Response(path.read_bytes(), media_type="text/html", headers=headers)
    note_reading(bench.store, user.name, "took the report with rehearsals", case)
    return FileResponse(path, filename=name)


def _old(found: list[tuple[RehearsalRow, str]], case: CaseRow, job: Job | None) -> str:
    """Why the last such report is not that of the case as it is; empty where it is."""
    if job is None:
        return ""
    held = {row.id: old for row, old in found}
    ids = job.arguments.get("rehearsals", [])
    if any(one not in held for one in ids):
        return "a rehearsal in it was removed since"
    reasons = dict.fromkeys(held[one] for one in ids if held[one])
    if reasons:
        return "; ".join(reasons)
    return "" if job.arguments.get("of") == case.version else "the case was changed since"

"""Files and jobs of one case: what it was read from, what was done, and by whom."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from endplate.jobs import queue
from endplate.store.audit import note, notes
from endplate.store.cases import change_case, inputs_of, remove_case
from endplate.web.access import Editor, Reader, RefusedError, TheBench, TheCase
from endplate.web.bench import start_job
from endplate.web.pages import page
from endplate.web.screens import CASE_SCREENS
from endplate.web.text import one_line
from endplate.web.upload import HOW_WORDS

router = APIRouter(include_in_schema=False)


@router.get("/cases/{case_id}")
def front(case: TheCase) -> Response:
    """The first screen that the case has; of one that was not measured yet its files and jobs."""
    if case.folder is None:
        return RedirectResponse(f"/cases/{case.id}/files", 303)
    shown = [one for one in sorted(CASE_SCREENS, key=lambda one: one.order) if one.shown(case)]
    return RedirectResponse(shown[0].path.format(case_id=case.id), 303)


@router.get("/cases/{case_id}/files")
def files_page(request: Request, bench: TheBench, case: TheCase, user: Reader) -> Response:
    """The page."""
    return page(
        request,
        "case_files.html.j2",
        case=case,
        inputs=inputs_of(bench.store, case.id),
        jobs=queue.jobs(bench.store, case_id=case.id),
        audit=notes(bench.store, case_id=case.id, limit=50),
        how=HOW_WORDS,
    )


@router.post("/cases/{case_id}/measure")
def measure(bench: TheBench, case: TheCase, user: Editor) -> Response:
    """Measure the case again."""
    if "labels" not in inputs_of(bench.store, case.id):
        raise RefusedError(
            409, "this case has no labels here", "endplate measures labelled vertebrae", "add a label map"
        )
    start_job(bench, user, "measure", f"Measure {case.name}", case)
    return RedirectResponse(f"/cases/{case.id}/files", 303)


@router.post("/cases/{case_id}/name")
def rename(
    bench: TheBench,
    case: TheCase,
    user: Editor,
    name: Annotated[str, Form()] = "",
    version: Annotated[int, Form()] = 0,
) -> Response:
    """Give the case another name."""
    words = one_line(name, 200)
    if not words:
        raise RefusedError(400, "a name of no letters", "", "write a name")
    change_case(bench.store, case.id, {"name": words}, version or None)
    note(bench.store, user.name, "renamed the case", case, words)
    return RedirectResponse(f"/cases/{case.id}/files", 303)


@router.post("/cases/{case_id}/remove")
def remove(bench: TheBench, case: TheCase, user: Editor) -> Response:
    """Take the case off the worklist; its files and results stay."""
    if any(job.open for job in queue.jobs(bench.store, case_id=case.id)):
        raise RefusedError(409, "a job of this case still runs", "", "cancel it first")
    remove_case(bench.store, case.id)
    note(bench.store, user.name, "took the case off the worklist", case)
    return RedirectResponse("/", 303)

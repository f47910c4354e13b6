"""The report of a case as it lies in its results folder, in a frame that runs nothing."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from endplate.jobs import queue
from endplate.jobs.export import NAMES
from endplate.report.folder import PAGE
from endplate.store.audit import note_reading
from endplate.store.cases import CaseRow, case_row
from endplate.web.access import Editor, Reader, RefusedError, TheBench, TheCase
from endplate.web.bench import start_job
from endplate.web.job_pages import TheJob
from endplate.web.pages import page

router = APIRouter(include_in_schema=False)
STATIC_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups; frame-ancestors 'self'"
)
"""The page holds its own styles and pictures; scripts, forms and everything from outside are off."""


DOCUMENTS = {
    "report": ("Report", PAGE),
    "decision-aid": ("Decision aid for the patient", "decision-aid.html"),
    "after": ("After the procedure", "after-procedure.html"),
    "care": ("Care path", "care.html"),
}
"""Pages of a results folder by the word in their address."""


@router.get("/cases/{case_id}/report")
def report(request: Request, bench: TheBench, case: TheCase, page_of: str = "report") -> Response:
    """The report, or another document of the case, with the navigation around it."""
    shown = page_of if page_of in DOCUMENTS else "report"
    _html(case, shown)
    exports = [job for job in queue.jobs(bench.store, case_id=case.id) if job.task == "export"]
    there = [(word, title) for word, (title, name) in DOCUMENTS.items() if _file(case, name) is not None]
    return page(request, "report.html.j2", case=case, documents=there, shown=shown, exports=exports[:1])


@router.post("/cases/{case_id}/export")
def export(bench: TheBench, case: TheCase, user: Editor) -> Response:
    """Ask for the PDFs, and for everything of the case in one file."""
    start_job(bench, user, "export", f"Export {case.name}", case, {"of": case.version})
    return RedirectResponse(f"/cases/{case.id}/report", 303)


@router.get("/jobs/{job_id}/made/{number}")
def made(bench: TheBench, job: TheJob, user: Reader, number: int) -> Response:
    """A file that an export made, by its place in the list."""
    names = (job.result or {}).get("files", []) if job.task == "export" and job.state == "done" else []
    if not 0 <= number < len(names) or names[number] not in NAMES:
        raise RefusedError(404, "there is no such file", "", "make the export again")
    if job.case_id is not None:
        note_reading(bench.store, user.name, "took the export", case_row(bench.store, job.case_id))
    path = bench.files.run(job.id) / names[number]
    if not path.is_file():
        raise RefusedError(410, "this export is gone", "", "make it again")
    return FileResponse(path, filename=names[number])


@router.get("/cases/{case_id}/documents/{word}")
def document(case: TheCase, word: str) -> Response:
    """A document itself, in a frame that runs nothing."""
    return Response(_html(case, word), media_type="text/html", headers={"Content-Security-Policy": STATIC_POLICY})


@router.get("/cases/{case_id}/report.html")
def report_file(case: TheCase) -> Response:
    """The report itself."""
    return document(case, "report")


def _file(case: CaseRow, name: str) -> Path | None:
    path = None if case.folder is None else case.folder / name
    return path if path is not None and path.is_file() else None


def _html(case: CaseRow, word: str) -> bytes:
    if word not in DOCUMENTS:
        raise RefusedError(404, "there is no such document", "", "see the report")
    if case.folder is None:
        raise RefusedError(404, "this case was not measured yet", "", "see its jobs")
    path = _file(case, DOCUMENTS[word][1])
    if path is None:
        raise RefusedError(410, "this document of the case is gone", "", "measure it again")
    return path.read_bytes()

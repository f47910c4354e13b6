"""The report of a case as a part of our own page; its other documents, and a report that holds more than text, tables
and drawings, in a frame that runs nothing."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import FileResponse, RedirectResponse, Response

from endplate.errors import EndplateError
from endplate.jobs import queue
from endplate.jobs.export import NAMES
from endplate.report.again import render_again
from endplate.report.folder import PAGE, VIEW
from endplate.report.page import style_within
from endplate.store.audit import note_reading
from endplate.store.cases import CaseRow, case_row
from endplate.web.access import Editor, Reader, RefusedError, TheBench, TheCase
from endplate.web.bench import start_job
from endplate.web.harmless import is_harmless
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
REWRITES = ("intake", "measure", "weigh")
"""Jobs that write the documents of a case anew."""
KEPT_REPORTS = 8
"""Reports that stay in memory, about a megabyte each."""
PLACE = ".report-page"


@router.get("/cases/{case_id}/report")
def report(request: Request, bench: TheBench, case: TheCase, page_of: str = "report") -> Response:
    """The report, or another document of the case, with the navigation around it."""
    shown = page_of if page_of in DOCUMENTS else "report"
    _html(case, shown)
    inside = _inside(case) if shown == "report" else None
    exports = [job for job in queue.jobs(bench.store, case_id=case.id) if job.task == "export"]
    open_jobs = queue.jobs(bench.store, ("queued", "running"), case_id=case.id)
    rewrites = [job for job in open_jobs if job.task in REWRITES]
    there = [(word, title) for word, (title, name) in DOCUMENTS.items() if _file(case, name) is not None]
    return page(
        request, "report.html.j2", case=case, documents=there, shown=shown, exports=exports[:1], inside=inside,
        rewrites=rewrites,
    )  # fmt: skip


@router.get("/style/report.css")
def report_css(user: Reader) -> Response:
    """The style of the report within our page."""
    return Response(style_within(PLACE), media_type="text/css", headers={"Cache-Control": "private, max-age=300"})


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


def _inside(case: CaseRow) -> Markup | None:
    """The report from the same parts as its file; None where the folder holds none that can stand in our page."""
    page_file = _file(case, PAGE)
    view = _file(case, VIEW)
    if page_file is None or view is None:
        return None
    return _rendered(page_file.parent, page_file.stat().st_mtime_ns, view.stat().st_mtime_ns)


@lru_cache(maxsize=KEPT_REPORTS)
def _rendered(folder: Path, *written_ns: int) -> Markup | None:
    """Rendered once for each state of the folder."""
    try:
        text = render_again(folder, inside=True)
    except EndplateError:
        return None
    return Markup(text) if is_harmless(text) else None


def _html(case: CaseRow, word: str) -> bytes:
    if word not in DOCUMENTS:
        raise RefusedError(404, "there is no such document", "", "see the report")
    if case.folder is None:
        raise RefusedError(404, "this case was not measured yet", "", "see its jobs")
    path = _file(case, DOCUMENTS[word][1])
    if path is None:
        raise RefusedError(410, "this document of the case is gone", "", "measure it again")
    return path.read_bytes()

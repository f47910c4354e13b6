"""The REST door for other programs: the data of the pages, with tokens of its own; its description is generated."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, File, Form, Request, UploadFile
from starlette.responses import JSONResponse, Response

from endplate import __version__
from endplate.errors import EndplateError
from endplate.jobs import queue
from endplate.jobs.job import Job
from endplate.report.read_document import read_document
from endplate.store.cases import CaseRow, inputs_of
from endplate.web.access import Editor, Reader, RefusedError, TheBench, TheCase
from endplate.web.bench import Bench, start_job
from endplate.web.job_pages import TheJob
from endplate.web.rest_case import case_routes
from endplate.web.upload import take_in
from endplate.web.worklist import work_rows

ABOUT = """Every request carries `Authorization: Bearer TOKEN`; tokens are made in Settings. An error is
`{"ok": false, "error": {"what", "why", "fix"}}`. Research software, not a medical device."""


def rest_app(bench: Bench) -> FastAPI:
    """The application under /api."""
    api = FastAPI(title="endplate", version=__version__, description=ABOUT, docs_url=None, redoc_url=None)
    api.state.bench = bench
    _cases(api)
    _jobs(api)
    case_routes(api)
    return api


def _cases(api: FastAPI) -> None:
    @api.get("/cases")
    def cases(bench: TheBench, user: Reader) -> list[dict[str, Any]]:
        """The worklist."""
        return [
            case_json(row.case) | {"job": None if row.job is None else job_json(row.job)} for row in work_rows(bench)
        ]

    @api.post("/cases", status_code=201)
    def new_case(
        bench: TheBench,
        user: Editor,
        files: Annotated[list[UploadFile], File()],
        name: Annotated[str, Form()] = "",
        how: Annotated[Literal["full", "coarse", "shape"], Form()] = "full",
    ) -> dict[str, Any]:
        """Begin a case with files; it is measured by a job."""
        given = [(one.filename or "file", one.file) for one in files]
        return case_json(take_in(bench, user, given, None, {"name": name, "how": how}))

    @api.get("/cases/{case_id}")
    def case_of(case: TheCase, bench: TheBench) -> dict[str, Any]:
        """One case with the files that it was read from."""
        inputs = {
            role: {"sha256": one.sha256, "name": one.name} for role, one in inputs_of(bench.store, case.id).items()
        }
        return case_json(case) | {"inputs": inputs}

    @api.get("/cases/{case_id}/document")
    def document(case: TheCase) -> dict[str, Any]:
        """The document of a measured case, as case.json has it."""
        if case.folder is None:
            raise RefusedError(404, "this case was not measured yet", "", "wait for its job")
        return read_document(case.folder)

    @api.post("/cases/{case_id}/measure", status_code=202)
    def measure(case: TheCase, bench: TheBench, user: Editor) -> dict[str, Any]:
        """Measure a case again."""
        return {"job": start_job(bench, user, "measure", f"Measure {case.name}", case)}


def _jobs(api: FastAPI) -> None:
    @api.get("/jobs")
    def jobs(bench: TheBench, user: Reader) -> list[dict[str, Any]]:
        """Jobs, the last asked for first."""
        return [job_json(job) for job in queue.jobs(bench.store)]

    @api.get("/jobs/{job_id}")
    def job_of(job: TheJob) -> dict[str, Any]:
        """How far a job is."""
        return job_json(job)

    @api.post("/jobs/{job_id}/cancel")
    def cancel(job: TheJob, bench: TheBench, user: Editor) -> dict[str, Any]:
        """Ask for the end of a job."""
        return {"asked": queue.ask_cancel(bench.store, job.id)}

    @api.post("/jobs/{job_id}/again")
    def again(job: TheJob, bench: TheBench, user: Editor) -> dict[str, Any]:
        """Run a job again that did not end well."""
        asked = queue.run_again(bench.store, job.id, user.name)
        if asked:
            bench.executor.start(job.id)
        return {"asked": asked}


def case_json(case: CaseRow) -> dict[str, Any]:
    """A case for a program."""
    return {
        "id": case.id, "name": case.name, "patient_id": case.patient_id, "summary": case.summary,
        "measured": case.folder is not None, "added_at": case.added_at.isoformat(), "version": case.version,
    }  # fmt: skip


def job_json(job: Job) -> dict[str, Any]:
    """A job for a program."""
    return {
        "id": job.id, "case_id": job.case_id, "task": job.task, "title": job.title, "state": job.state,
        "attempt": job.attempt, "stage": job.stage, "fraction": job.fraction, "seconds_left": job.seconds_left,
        "kept": job.kept, "result": job.result, "error": job.error,
    }  # fmt: skip


def rest_error(request: Request, error: Exception) -> Response:
    """An error for a program."""
    status, parts = 500, {"what": str(error), "why": "", "fix": ""}
    if isinstance(error, EndplateError):
        status = getattr(error, "status", 400 if error.exit_code == 2 else 500)
        parts = {"what": error.what, "why": error.why, "fix": error.fix}
    return JSONResponse({"ok": False, "error": parts}, status)

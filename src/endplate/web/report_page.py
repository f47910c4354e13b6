"""The report of a case as it lies in its results folder, in a frame that runs nothing."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from endplate.report.folder import PAGE
from endplate.store.cases import CaseRow
from endplate.web.access import RefusedError, TheCase
from endplate.web.pages import page

router = APIRouter(include_in_schema=False)
STATIC_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups; frame-ancestors 'self'"
)
"""The page holds its own styles and pictures; scripts, forms and everything from outside are off."""


@router.get("/cases/{case_id}/report")
def report(request: Request, case: TheCase) -> Response:
    """The report with the navigation around it."""
    _html(case)
    return page(request, "report.html.j2", case=case)


@router.get("/cases/{case_id}/report.html")
def report_file(case: TheCase) -> Response:
    """The page itself."""
    return Response(_html(case), media_type="text/html", headers={"Content-Security-Policy": STATIC_POLICY})


def _html(case: CaseRow) -> bytes:
    try:
        if case.folder is not None:
            return (case.folder / PAGE).read_bytes()
    except OSError as error:
        raise RefusedError(410, "the report of this case is gone", error.strerror or "", "measure it again") from error
    raise RefusedError(404, "this case was not measured yet", "", "see its jobs")

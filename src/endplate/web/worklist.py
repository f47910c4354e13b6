"""The worklist: every case with its picture, worst level, emergencies, due steps and running jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from endplate.followup.read import DueRow, due_list
from endplate.followup.steps import Step, open_steps
from endplate.jobs import queue
from endplate.jobs.job import Job
from endplate.jobs.summary import picture_of
from endplate.store.cases import CaseRow, case_rows
from endplate.web.access import Reader, TheBench, TheCase
from endplate.web.bench import Bench
from endplate.web.pages import page
from endplate.web.upload import HOW_WORDS

router = APIRouter(include_in_schema=False)

SOON = timedelta(days=28)
"""Steps of care whose limit is nearer than this, or has passed, are shown."""
AT_FIRST = 60
"""Rows that a page has until more are asked for."""
FILTERS = {
    "all": "All",
    "emergency": "Emergencies",
    "fractured": "Fractured",
    "running": "Being measured",
    "due": "Follow-up due",
    "failed": "Not measured",
}


@dataclass(slots=True, kw_only=True)
class WorkRow:
    """One line: the case, its last job where that is open or did not end well, its due visit and steps of care."""

    case: CaseRow
    job: Job | None = None
    due: DueRow | None = None
    steps: list[Step] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)


@router.get("/")
def worklist(
    request: Request, bench: TheBench, user: Reader, q: str = "", show: str = "all", most: int = AT_FIRST
) -> Response:
    """The page, or for htmx its rows alone."""
    found = work_rows(bench)
    show = show if show in FILTERS else "all"
    shown = [row for row in found if _fits(row, q.strip().lower(), show)]
    template = "worklist_rows.html.j2" if "hx-request" in request.headers else "worklist.html.j2"
    counts = {name: sum(name == "all" or name in row.tags for row in found) for name in FILTERS}
    return page(
        request,
        template,
        rows=shown[: max(most, 1)],
        more=max(len(shown) - max(most, 1), 0),
        total=len(found),
        q=q[:100],
        show=show,
        filters=FILTERS,
        counts=counts,
        how=HOW_WORDS,
    )


def work_rows(bench: Bench) -> list[WorkRow]:
    """All cases as lines: emergencies first, then what was changed last."""
    last = queue.last_of_cases(bench.store)
    due, _ = due_list(bench.store, date.today(), limit=500)
    by_patient = {row.patient_id: row for row in reversed(due)}
    steps = open_steps(bench.store)
    rows = []
    for case in case_rows(bench.store):
        patient = case.patient_id or ""
        rows.append(_row(case, last.get(case.id), by_patient.get(patient), steps.get(patient, [])))
    return sorted(rows, key=lambda row: "emergency" not in row.tags)


def _row(case: CaseRow, job: Job | None, due: DueRow | None, steps: list[Step]) -> WorkRow:
    today = date.today()
    row = WorkRow(case=case, job=job, due=due, steps=[one for one in steps if one.until and one.until - today <= SOON])
    if any(one["certainty"] == "certain" for one in case.summary.get("emergencies", [])):
        row.tags.add("emergency")
    if case.summary.get("fractured"):
        row.tags.add("fractured")
    if due is not None or row.steps:
        row.tags.add("due")
    if row.job is not None:
        row.tags.add("running" if row.job.open else "failed")
    return row


def _fits(row: WorkRow, words: str, show: str) -> bool:
    if show != "all" and show not in row.tags:
        return False
    return all(word in _text(row.case) for word in words.split())


def _text(case: CaseRow) -> str:
    parts: Sequence[str] = (case.name, case.patient_id or "", *case.summary.get("fractured", []))
    return " ".join(parts).lower()


@router.get("/cases/{case_id}/row")
def row(request: Request, bench: TheBench, case: TheCase) -> Response:
    """One line of the worklist anew, when its job has ended."""
    found = [one for one in work_rows(bench) if one.case.id == case.id]
    return page(request, "worklist_rows.html.j2", rows=found, more=0, total=1, q="", show="all")


@router.get("/cases/{case_id}/picture")
def picture(case: TheCase) -> Response:
    """The sagittal picture of a case, as its report has it."""
    found = None if case.folder is None else picture_of(case.folder)
    if found is None:
        return Response(status_code=404)
    return Response(found[0], media_type=found[1], headers={"Cache-Control": "private, max-age=60"})

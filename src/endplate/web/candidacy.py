"""Candidacy: the record as a form, and beside it what every rule set says, anew with each answer. Nothing is saved
before somebody saves it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from endplate.errors import EndplateError, InputError
from endplate.jobs.record_levels import moved, names_now, question_of
from endplate.report.care.words import STATUS_MARKS, STATUS_WORDS
from endplate.store.audit import note
from endplate.store.cases import CaseRow, change_case, set_input
from endplate.store.database import StoreError
from endplate.store.files import keep_input
from endplate.store.users import User
from endplate.web.access import Editor, Reader, RefusedError, TheBench, TheCase
from endplate.web.bench import Bench, start_job
from endplate.web.candidacy_answer import answer, findings_of_case, later, named_levels, verdict_of
from endplate.web.pages import page
from endplate.web.record_form import answered, as_record, sections

router = APIRouter(include_in_schema=False)
MEANS = ("vertebra", "name")
"""What the record of a case may mean by a level that is called otherwise since."""
MOST_FIELDS = 2000
"""Fields that a form may send; ours has about three hundred."""


async def given_form(request: Request) -> dict[str, str]:
    """The answers of the form that was sent, by the names of its fields."""
    form = await request.form(max_fields=MOST_FIELDS)
    return {name: value for name, value in form.items() if isinstance(value, str)}


Given = Annotated[dict[str, str], Depends(given_form)]


@router.get("/cases/{case_id}/candidacy")
def candidacy(request: Request, bench: TheBench, case: TheCase, user: Reader, level: str = "") -> Response:
    """The form and what follows from it."""
    try:
        levels = named_levels(case.record, findings_of_case(case), level)
    except InputError as error:
        raise RefusedError(400, error.what, error.why, error.fix) from error
    draft = dict(case.record or {})
    return page(
        request, "candidacy.html.j2", case=case, sections=sections(draft, levels), levels=levels,
        may_save=user.may("editor"), record_question=question_of(bench.store, case), **_shown(case, draft, {}),
    )  # fmt: skip


@router.post("/cases/{case_id}/candidacy/answer")
def weighed(request: Request, case: TheCase, user: Reader, given: Given) -> Response:
    """The verdicts of the form as it stands."""
    draft, faults = answered(case.record or {}, given)
    return page(request, "candidacy_answer.html.j2", case=case, **_shown(case, draft, faults))


@router.post("/cases/{case_id}/candidacy/next")
def ask_next(request: Request, case: TheCase, user: Reader, given: Given) -> Response:
    """The missing answers that settle most verdicts, and the next step of prevention."""
    draft, _ = answered(case.record or {}, given)
    try:
        found = later(as_record(draft), case)
    except InputError:
        return Response("", media_type="text/html")
    return page(request, "candidacy_next.html.j2", case=case, questions=found.questions, prevention=found.prevention)


@router.post("/cases/{case_id}/candidacy/reasons/{ruleset}/{level}")
def reasons(request: Request, case: TheCase, user: Reader, given: Given, ruleset: str, level: str) -> Response:
    """Why one rule set says what it says at one level."""
    draft, _ = answered(case.record or {}, given)
    verdict = verdict_of(as_record(draft), findings_of_case(case), ruleset, level)
    if verdict is None:
        raise RefusedError(404, "there is no such rule set or level", "", "load the page again")
    return page(
        request, "candidacy_reasons.html.j2", case=case, verdict=verdict, words=STATUS_WORDS, marks=STATUS_MARKS
    )


@router.post("/cases/{case_id}/candidacy/save")
def save(bench: TheBench, case: TheCase, user: Editor, given: Given, version: Annotated[int, Form()]) -> Response:
    """Keep the record as it stands in the form; refused where somebody kept another meanwhile."""
    draft, faults = answered(case.record or {}, given)
    if faults:
        raise RefusedError(400, "; ".join(faults.values()), "nothing was saved", "mend it, then save")
    record = as_record(draft).model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    if case.patient_id and record.get("id", case.patient_id) != case.patient_id:
        raise RefusedError(409, "the record is of another patient than the case", "nothing was saved")
    values: dict[str, Any] = {"record": record}
    if not (case.record or {}).get("levels"):
        values["record_names"] = names_now(bench.store, case)  # levels that are named now have the present names
    try:
        change_case(bench.store, case.id, values, version)
    except StoreError as error:
        fix = "your answers are kept in this tab: open Candidacy again, then put them in"
        raise RefusedError(409, error.what, error.why, fix) from error
    _kept(bench, user, case, record, "saved the record")
    return RedirectResponse(f"/cases/{case.id}/candidacy?saved=1", 303)


@router.post("/cases/{case_id}/record-levels")
def say_levels(
    bench: TheBench, case: TheCase, user: Editor, means: Annotated[str, Form()], version: Annotated[int, Form()]
) -> Response:
    """Which vertebrae the record means, after a correction of the levels."""
    settle_levels(bench, case, user, means, version)
    return RedirectResponse(f"/cases/{case.id}/candidacy", 303)


def settle_levels(bench: Bench, case: CaseRow, user: User, means: str, version: int) -> None:
    """Keep which vertebrae the record means: "vertebra", whose names then move along, or "name", which stays.

    Raises
    ------
    RefusedError : nothing is asked, the record would speak of one level twice, or the case was changed meanwhile.
    """
    asked = question_of(bench.store, case)
    if asked is None:
        raise RefusedError(409, "nothing is asked about the levels of this record", "", "load the page again")
    if means not in MEANS:
        raise RefusedError(400, f"{means[:40]!r} is no answer", "", f"say {' or '.join(MEANS)}")
    if means == "vertebra" and asked.clash:
        what = f"the record speaks of {asked.clash} already"
        raise RefusedError(409, what, "it would speak of it twice", "put it right in the form of Candidacy")
    old = case.record or {}
    record = moved(old, asked.moves) if means == "vertebra" else old
    names = {"record": record, "record_names": names_now(bench.store, case)}
    try:
        change_case(bench.store, case.id, names, version)
    except StoreError as error:
        raise RefusedError(409, error.what, error.why, "load the page again") from error
    said = ", ".join(f"{level} is {name}" for level, name in asked.moves.items())
    did = "moved the levels of the record" if means == "vertebra" else "kept the levels of the record"
    if record is old:
        note(bench.store, user.name, did, case, said)
    else:
        _kept(bench, user, case, record, did, said)


def _kept(bench: Bench, user: User, case: CaseRow, record: dict[str, Any], did: str, detail: str = "") -> None:
    """What follows from a record that was saved: its file, the audit, and the verdicts in the results."""
    digest = _keep_file(bench, case, record)
    note(bench.store, user.name, did, case, detail)
    if case.folder is not None:  # named by its record: a job that weighs a former one is no other's
        start_job(bench, user, "weigh", f"Write the verdicts of {case.name}", case, {"record": digest})


def _keep_file(bench: Bench, case: CaseRow, record: dict[str, Any]) -> str:
    """The record as an input of the case, so that measuring again reads the same; its hash."""
    place = bench.files.new_incoming() / "record.json"
    place.write_text(json.dumps(record, indent=1, default=str), encoding="utf-8")
    digest = keep_input(bench.store, bench.files, "record", [place], ours=True)
    set_input(bench.store, case.id, "record", digest, "record.json")
    place.unlink()
    place.parent.rmdir()
    return digest


def _shown(case: CaseRow, draft: dict[str, Any], faults: dict[str, str]) -> dict[str, Any]:
    """What the part beside the form needs; where the record cannot be used, the reason stands in its place."""
    known: dict[str, Any] = {
        "words": STATUS_WORDS,
        "marks": STATUS_MARKS,
        "faults": faults,
        "refusal": "",
        "answer": None,
    }
    if "age_yr" not in draft or "sex" not in draft:
        return known | {"refusal": "Give age and sex first: no rule set can be asked without them."}
    try:
        return known | {"answer": answer(as_record(draft), findings_of_case(case))}
    except EndplateError as error:
        return known | {"refusal": str(error)}

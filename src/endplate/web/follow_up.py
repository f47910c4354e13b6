"""Follow-up of a case: its visits and scores against the expected band, flags, what is due, and the steps of care."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from endplate.decision.recovery.expected_course import Scale, course_models_for
from endplate.errors import OptionError
from endplate.followup.begin import beginning, in_range
from endplate.followup.read import course, episodes, history
from endplate.followup.steps import STEPS, steps_of
from endplate.followup.write import Author, add, add_scan, close_episode, start_episode
from endplate.jobs.record_levels import moves_between, names_now
from endplate.level import parse_level
from endplate.patient import parse_record
from endplate.patient.health import RepairKind
from endplate.report.figure.recovery import recovery_figure
from endplate.report.read_document import read_document
from endplate.store.audit import note
from endplate.store.cases import CaseRow
from endplate.web.access import Editor, Reader, RefusedError, TheBench, TheCase
from endplate.web.bench import Bench
from endplate.web.follow_up_form import SCORES, SIGNS, day_of, repair_kinds, visit_of
from endplate.web.pages import page

router = APIRouter(include_in_schema=False)
DRAWN: tuple[Scale, ...] = ("nrs", "rmdq", "odi")


@router.get("/cases/{case_id}/follow-up")
def follow_up(request: Request, bench: TheBench, case: TheCase, user: Reader, episode: int | None = None) -> Response:
    """The page: the newest episode of the patient, or the one that is asked for."""
    rows = [] if case.patient_id is None else list(episodes(bench.store, case.patient_id))
    known = [row.id for row in rows]
    number = episode if episode in known else next(iter(known), None)
    if episode is not None and episode not in known:
        raise RefusedError(404, "there is no such episode of this patient", "", "see its follow-up")
    shown: dict[str, Any] = {"case": case, "episodes": rows, "today": date.today(), "seen": None, "levels": []}
    if number is None:
        shown["levels"] = case.summary.get("fractured", []) if case.summary else []
    else:
        shown |= _course(bench, number)
        shown["renamed"] = _renamed(bench, case, shown["seen"].episode, shown["history"])
    return page(request, "follow_up.html.j2", **shown)


def _renamed(bench: Bench, case: CaseRow, episode: Any, changes: list[Any]) -> dict[str, str]:
    """Levels of an episode whose vertebrae got other names after it was begun."""
    begun = changes[-1].at if changes else None
    if begun is None or case.folder is None:
        return {}
    names = names_now(bench.store, case, begun), names_now(bench.store, case)
    return {} if names[0] == names[1] else moves_between(case, episode.levels, *names)


def _course(bench: Bench, number: int) -> dict[str, Any]:
    seen, today = course(bench.store, number), date.today()
    figures = [
        (track.name, figure)
        for scale in DRAWN
        for track in course_models_for(seen.procedure, scale, seen.fracture_days)
        if (figure := recovery_figure(track, seen.start, seen.readings)) is not None
    ]
    return {
        "seen": seen,
        "flags": seen.flags(today),
        "settled": seen.settled(),
        "due": None if seen.episode.closed_on else seen.due(today),
        "figures": figures,
        "changes": seen.score_changes(),
        "scan_changes": seen.changes(),
        "steps": steps_of(seen),
        "history": list(reversed(history(bench.store, number))),
        "scores": SCORES,
        "signs": SIGNS,
        "kinds": repair_kinds(RepairKind),
    }


@router.post("/cases/{case_id}/follow-up/start")
async def start(request: Request, bench: TheBench, case: TheCase, user: Editor) -> Response:
    """Begin an episode from the record of the case, with its scan."""
    form = await request.form()
    levels = [parse_level(str(one)).value for one in form.getlist("levels") if str(one).strip()]
    if not levels:
        raise OptionError("no fractured level is named", "an episode is about a fracture", "name one, such as L1")
    if case.record is None or case.patient_id is None:
        raise OptionError("this case has no record with an id", "a course belongs to a patient", "give its record")
    record = parse_record(json.dumps(case.record), f"the record of {case.name}")
    typed = str(form.get("on", "")).strip()
    on = record.recorded_on or day_of(typed)
    if typed and day_of(typed) != on:
        raise OptionError(
            f"the record of {case.name} is of {on}", "an episode begins with its record", "change its day in Candidacy"
        )
    document = None if case.folder is None else read_document(case.folder)
    begun = beginning(record, levels, on, document)
    start_episode(bench.store, Author(name=user.name), begun.patient, on, levels, begun.rows, **begun.more)
    note(bench.store, user.name, "began an episode", case, ", ".join(levels))
    return _back(case)


@router.post("/cases/{case_id}/follow-up/{episode}/visit")
async def visit(request: Request, bench: TheBench, case: TheCase, user: Editor, episode: int) -> Response:
    """Keep a visit."""
    _own(bench, case, episode)
    form = await request.form()
    values = visit_of({name: value for name, value in form.items() if isinstance(value, str)})
    in_range(values)
    add(bench.store, Author(name=user.name), "visit", episode, values)
    note(bench.store, user.name, "kept a visit", case, str(values["on"]))
    return _back(case, episode)


@router.post("/cases/{case_id}/follow-up/{episode}/step")
def step(
    bench: TheBench, case: TheCase, user: Editor, episode: int,
    kind: Annotated[str, Form()] = "", on: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Tick off a step of care."""
    _own(bench, case, episode)
    if kind not in STEPS:
        raise OptionError(f"{kind!r} is no step of care", "", f"one of: {', '.join(STEPS)}")
    add(bench.store, Author(name=user.name), "milestone", episode, {"kind": kind, "on": day_of(on)})
    note(bench.store, user.name, "ticked off a step", case, kind)
    return _back(case, episode)


@router.post("/cases/{case_id}/follow-up/{episode}/repair")
def repair(
    bench: TheBench, case: TheCase, user: Editor, episode: int,
    kind: Annotated[str, Form()] = "", levels: Annotated[str, Form()] = "", on: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Keep a repair that was done; the course counts from it."""
    _own(bench, case, episode)
    if kind not in repair_kinds(RepairKind):
        raise OptionError(f"{kind!r} is no repair", "", f"one of: {', '.join(repair_kinds(RepairKind))}")
    named = [parse_level(one).value for one in levels.replace(",", " ").split()]
    values = {"kind": kind, "levels": named, "on": day_of(on)}
    add(bench.store, Author(name=user.name), "repair", episode, values)
    note(bench.store, user.name, "kept a repair", case, f"{kind} {', '.join(named)}")
    return _back(case, episode)


@router.post("/cases/{case_id}/follow-up/{episode}/scan")
def scan(bench: TheBench, case: TheCase, user: Editor, episode: int, on: Annotated[str, Form()] = "") -> Response:
    """Keep the measurements of this case as a scan of the episode."""
    _own(bench, case, episode)
    if case.folder is None:
        raise OptionError("this case was not measured yet", "", "wait for its job")
    document = read_document(case.folder, case.patient_id)
    add_scan(bench.store, Author(name=user.name), episode, day_of(on), document)
    note(bench.store, user.name, "kept a scan", case)
    return _back(case, episode)


@router.post("/cases/{case_id}/follow-up/{episode}/close")
def close(bench: TheBench, case: TheCase, user: Editor, episode: int, on: Annotated[str, Form()] = "") -> Response:
    """End the episode."""
    _own(bench, case, episode)
    close_episode(bench.store, Author(name=user.name), episode, day_of(on))
    note(bench.store, user.name, "closed an episode", case)
    return _back(case, episode)


def _own(bench: Bench, case: CaseRow, episode: int) -> None:
    """Refuse an episode of another patient than the case's."""
    if case.patient_id is None or episode not in [row.id for row in episodes(bench.store, case.patient_id)]:
        raise RefusedError(404, "there is no such episode of this patient", "nothing was changed", "see its follow-up")


def _back(case: CaseRow, episode: int | None = None) -> Response:
    more = "" if episode is None else f"?episode={episode}"
    return RedirectResponse(f"/cases/{case.id}/follow-up{more}", 303)

"""The case screen: the scan in the viewer, the spine strip, the findings of a level, and what a reader says of it."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from endplate.jobs import queue
from endplate.jobs.record_levels import labelled_levels, question_of
from endplate.level import Level, parse_level
from endplate.report.read_document import read_document
from endplate.store.audit import note
from endplate.store.cases import CaseRow, inputs_of
from endplate.store.readings import add_reading, readings_of, withdraw_reading
from endplate.store.users import User
from endplate.web.access import Editor, RefusedError, TheBench, TheCase
from endplate.web.bench import Bench, start_job
from endplate.web.first_view import layers, stills
from endplate.web.level_facts import level_facts, words_of
from endplate.web.pages import page
from endplate.web.slices import slice_png
from endplate.web.text import one_line

router = APIRouter(include_in_schema=False)
SCENE = "scene.json"
LONGEST_REASON = 500
JOBS = ("measure", "view")
NAMES = [str(level) for level in Level]


@router.get("/cases/{case_id}/view")
def view_page(request: Request, bench: TheBench, case: TheCase, level: str = "") -> Response:
    """The page; where the viewer's files are missing a job makes them."""
    document = read_document(_folder(case))
    scene = scene_of(bench, case)
    jobs = [job for job in queue.jobs(bench.store, ("queued", "running"), case_id=case.id) if job.task in JOBS]
    chosen = level if level in document["levels"] else (case.summary.get("worst") or _first(document["levels"]))
    return page(
        request, "case_view.html.j2", case=case, scene=scene, jobs=jobs, levels=document["levels"], level=chosen,
        facts=level_facts(document, chosen), readable="labels" in inputs_of(bench.store, case.id),
        readings=readings_of(bench.store, case.id, withdrawn=True), grades=case.summary.get("grades", {}),
        whole=words_of(document, None), names=NAMES, gaps_between=_gaps(document["levels"]),
        record_question=question_of(bench.store, case),
        stills=None if scene is None else stills(scene, chosen), layers=[] if scene is None else layers(scene),
    )  # fmt: skip


@router.get("/cases/{case_id}/view/level/{level}")
def level_part(request: Request, bench: TheBench, case: TheCase, level: str) -> Response:
    """Findings, cautions and gaps of one level, with the form to correct it."""
    document = read_document(_folder(case))
    if level not in document["levels"]:
        raise RefusedError(404, "there is no such level in this scan", "", "choose one of the strip")
    return page(
        request, "level.html.j2", case=case, level=level, facts=level_facts(document, level), names=NAMES,
        readings=readings_of(bench.store, case.id, withdrawn=True), levels=document["levels"],
        readable="labels" in inputs_of(bench.store, case.id),
    )  # fmt: skip


@router.get("/cases/{case_id}/view/scene.json")
def scene(bench: TheBench, case: TheCase) -> Response:
    """Where everything lies, RAS mm, and which files show it."""
    return JSONResponse(_scene(bench, case))


@router.get("/cases/{case_id}/view/files/{name}")
def view_file(bench: TheBench, case: TheCase, name: str) -> Response:
    """One file of the viewer, by its name in the scene."""
    held = _scene(bench, case)
    strip = [] if held["strip"] is None else [held["strip"]["file"]]
    found = next((one for one in (*(file["name"] for file in held["files"]), *strip) if one == name), None)
    if found is None:
        raise RefusedError(404, "the viewer has no such file", "", "load the page again")
    kind = "image/jpeg" if found.endswith(".jpg") else "application/octet-stream"
    return FileResponse(bench.files.view(case.id) / found, media_type=kind)


@router.get("/cases/{case_id}/view/slice/{axis}/{index}.png")
def slice_picture(
    bench: TheBench, case: TheCase, axis: str, index: int, window: str = "bone", labels: bool = True
) -> Response:
    """One slice as a picture, for a browser without WebGL."""
    if scene_of(bench, case) is None:
        raise RefusedError(404, "the pictures are not made yet", "", "wait for the job")
    return Response(slice_png(bench.files.view(case.id), axis, index, window, labels=labels), media_type="image/png")


@router.post("/cases/{case_id}/view/prepare")
def prepare(bench: TheBench, case: TheCase, user: Editor) -> Response:
    """Make what the viewer shows, where it is missing."""
    start_job(bench, user, "view", f"Prepare the pictures of {case.name}", case)
    return RedirectResponse(f"/cases/{case.id}/view", 303)


@router.post("/cases/{case_id}/readings")
def new_reading(
    bench: TheBench,
    case: TheCase,
    user: Editor,
    what: Annotated[str, Form()],
    level: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = "",
    scope: Annotated[str, Form()] = "all",
) -> Response:
    """Keep what a reader says of a level, and compute everything again."""
    keep_reading(bench, case, user, {"what": what, "level": level, "reason": reason, "to": to, "scope": scope})
    then = f"&then={parse_level(to)}" if what == "renumber" else ""
    return RedirectResponse(f"/cases/{case.id}/view?level={parse_level(level)}{then}", 303)


@router.post("/cases/{case_id}/readings/{number}/withdraw")
def withdraw(bench: TheBench, case: TheCase, user: Editor, number: int) -> Response:
    """Withdraw a reading, and compute everything again."""
    take_back(bench, case, user, number)
    return RedirectResponse(f"/cases/{case.id}/view", 303)


def keep_reading(bench: Bench, case: CaseRow, user: User, asked: dict[str, Any]) -> tuple[int, str]:
    """Keep what a reader says and compute again; returns the number of the reading and the id of the job.

    Parameters
    ----------
    asked : `what`, `level`, `reason`, and `to` and `scope` where it has them.
    """
    what, to = asked["what"], asked.get("to") or ""
    given: dict[str, Any] = {"what": what, "level": asked["level"]}
    if what == "renumber":
        given |= {"to": to, "scope": asked.get("scope") or "all"}
    elif what != "set_aside":
        given["to"] = int(to) if what == "grade" and to.isdecimal() else to
    given["reason"] = one_line(asked["reason"], LONGEST_REASON)
    _check(bench, case, given)
    number = add_reading(bench.store, case.id, given, user.name)
    note(bench.store, user.name, "corrected the case", case, f"{what} {given['level']} {to}: {given['reason']}")
    return number, _measure_again(bench, user, case)


def take_back(bench: Bench, case: CaseRow, user: User, number: int) -> str:
    """Withdraw a reading and compute again; returns the id of the job."""
    held = [one for one in readings_of(bench.store, case.id) if one.id != number]
    _resolve(case, [one.plain for one in held])
    withdraw_reading(bench.store, case.id, number, user.name)
    note(bench.store, user.name, "withdrew a reading", case, str(number))
    return _measure_again(bench, user, case)


def _measure_again(bench: Bench, user: User, case: CaseRow) -> str:
    """Measure with the settings of the last measurement; one that still runs knows nothing of what was said now."""
    former = [job for job in queue.jobs(bench.store, case_id=case.id) if job.task == "measure"]
    for job in former:
        if job.open:
            queue.ask_cancel(bench.store, job.id)
    return start_job(
        bench, user, "measure", f"Measure {case.name} as read by {user.name}", case,
        former[0].arguments if former else {},
    )  # fmt: skip


def _check(bench: Bench, case: CaseRow, given: dict[str, Any]) -> None:
    """Refuse a reading that has no meaning, before it is kept."""
    if "labels" not in inputs_of(bench.store, case.id):
        raise RefusedError(409, "this case cannot be computed again", "its labels are not here", "add them to the case")
    held = [one.plain for one in readings_of(bench.store, case.id)]
    if held != read_document(_folder(case))["provenance"].get("parameters", {}).get("readings", []):
        what = "this case is being computed again from what was said before"
        raise RefusedError(409, what, "the names on the page are not the last ones", "wait for its job, then repeat")
    signed = given | {"who": "reader", "at": "2000-01-01T00:00:00Z"}
    _resolve(case, [*held, signed])


def _resolve(case: CaseRow, plain: list[dict[str, Any]]) -> None:
    """Refuse readings that do not go together, by the levels of the labels as they were given."""
    from endplate.case.readings.reading import parse_readings
    from endplate.case.readings.resolve import resolve

    _folder(case)
    resolve(parse_readings(plain, "what was said"), labelled_levels(case))


def scene_of(bench: Bench, case: CaseRow) -> dict[str, Any] | None:
    """The scene of a case; None where the viewer's files were not made."""
    place = bench.files.view(case.id) / SCENE
    try:
        return _read_scene(place, place.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=32)
def _read_scene(place: Path, changed: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return found


def _scene(bench: Bench, case: CaseRow) -> dict[str, Any]:
    found = scene_of(bench, case)
    if found is None:
        raise RefusedError(404, "the viewer's files of this case are not made yet", "", "wait for the job")
    return found


def _folder(case: CaseRow) -> Path:
    if case.folder is None:
        raise RefusedError(404, "this case was not measured yet", "", "see its jobs")
    return case.folder


def _gaps(levels: list[str]) -> list[tuple[str, str]]:
    """Neighbours in the labels that are no neighbours in a spine: the lower, the upper."""
    known = sorted(parse_level(name) for name in levels)
    return [(lower, upper) for upper, lower in pairwise(known) if not lower.follows(upper)]


def _first(levels: list[str]) -> str:
    return levels[0] if levels else ""

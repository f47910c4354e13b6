"""The rehearsal screen: place a needle and see its clearances at once, run repairs as jobs, compare variants."""

from __future__ import annotations

import json
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from endplate.jobs import queue
from endplate.level import Level
from endplate.store.audit import note
from endplate.store.cases import CaseRow, inputs_of
from endplate.store.rehearsals import RehearsalRow, basis_of, rehearsals_of, why_old
from endplate.store.users import User
from endplate.web.access import Editor, RefusedError, TheBench, TheCase
from endplate.web.bench import Bench, start_job
from endplate.web.case_view import scene_of
from endplate.web.compare import GLANCE, compared, plans_differ
from endplate.web.needle import TO_LPS, judged, place_numbers, walls_file, walls_of
from endplate.web.pages import page
from endplate.web.plan_basis import being_measured, refuse_changed, seen_mark

router = APIRouter(include_in_schema=False)
TASK = "rehearse"
SIDES = ("left", "right")
MOST_LINES, MOST_SHOWN, MOST_ENDED = 2, 4, 2
KIND_WORDS = {"mine": "Mine", "found": "Best found"}
RUNS = {0: "one: no band", 8: "8 runs", 16: "16 runs"}
"""Sizes of the ensemble that the page offers; 0 is a single run at the usual values."""
VOXELS = {"": "1 mm, usual", "2": "2 mm, coarse", "3": "3 mm, coarsest"}


class Plan(BaseModel):
    """A repair to run; `more` is JSON: `cement_ml`, `balloon_ml`, `sides`, and `lines`, needles placed by hand.

    `run` is "mine", "found" or "both"; `members` the runs of the ensemble; `seen` the state that the page is of.
    """

    level: str
    procedure: str = "vertebroplasty"
    needle: str = ""
    balloon: str = ""
    cement: str = ""
    more: str = "{}"
    run: str = "mine"
    members: int = 0
    voxel_mm: str = ""
    seen: str = ""
    csrf: str = ""


@router.get("/cases/{case_id}/rehearsal")
def rehearsal_page(
    request: Request, bench: TheBench, case: TheCase, level: str = "", show: Annotated[list[str] | None, Query()] = None
) -> Response:
    """The page."""
    from endplate.repair.device.balloon import BALLOONS
    from endplate.repair.device.cement import CEMENTS
    from endplate.repair.device.needle import NEEDLES

    scene = scene_of(bench, case)
    walls = {} if scene is None else scene["walls"]
    chosen = level if level in walls else next((one for one in _worst_first(case) if one in walls), "")
    basis = basis_of(bench.store, case.id, chosen)
    jobs = [job for job in queue.jobs(bench.store, case_id=case.id) if job.task == TASK and job.state != "done"]
    jobs = [job for job in jobs if job.open] + [job for job in jobs if not job.open][:MOST_ENDED]
    kept = [row for row in rehearsals_of(bench.store, case.id) if row.level == chosen]
    old = {row.id: why_old(row.basis, basis) for row in kept}
    shown = _shown(kept, old, show or [])
    glance, rest = compared(shown) if shown else ([], [])
    return page(
        request, "rehearsal.html.j2", case=case, scene=scene, walls=walls, level=chosen, jobs=jobs,
        differ=plans_differ(shown), first=[name for names in GLANCE.values() for name in names], kept=kept, old=old,
        shown=shown, glance=glance, rest=rest, kinds=KIND_WORDS, runs=RUNS, voxels=VOXELS,
        needles=list(NEEDLES), balloons=list(BALLOONS), cements=list(CEMENTS), seen=seen_mark(basis),
        measuring=being_measured(bench, case), readable={"ct", "labels"} <= set(inputs_of(bench.store, case.id)),
    )  # fmt: skip


@router.post("/cases/{case_id}/rehearsal")
def run(bench: TheBench, case: TheCase, user: Editor, plan: Annotated[Plan, Form()]) -> Response:
    """Run a repair as a job: with the needles as they were placed, with the best that are found, or both."""
    refuse_changed(bench, case, plan.level, plan.seen)
    _refuse_measuring(bench, case)
    walls_file(bench, case, plan.level)
    given: dict[str, Any] = {
        "level": plan.level, "procedure": plan.procedure, "needle": plan.needle, "cement": plan.cement,
        "members": plan.members, "voxel_mm": _voxel(plan.voxel_mm),
    }  # fmt: skip
    given |= _more(plan.more)
    if plan.procedure == "kyphoplasty":
        given["balloon"] = plan.balloon
    else:
        given.pop("balloon_ml", None)
    wanted = ("mine", "found") if plan.run == "both" else (plan.run,)
    if not set(wanted) <= set(KIND_WORDS):
        raise RefusedError(400, "this plan cannot be read", "", "load the page again")
    if "mine" in wanted and not given["lines"]:
        raise RefusedError(400, "no needle was placed", "", "place one, or run the best found")
    for kind in wanted:
        _begin(bench, case, user, given | {"kind": kind, "lines": given["lines"] if kind == "mine" else []})
    return RedirectResponse(f"/cases/{case.id}/rehearsal?level={plan.level}", 303)


@router.post("/cases/{case_id}/rehearsals/{rehearsal_id}/vary")
def vary(bench: TheBench, case: TheCase, user: Editor, rehearsal_id: str, how: Annotated[str, Form()] = "") -> Response:
    """The plan of a variant once more: with the best needles that are found, or as an ensemble."""
    row = next((one for one in rehearsals_of(bench.store, case.id) if one.id == rehearsal_id), None)
    if row is None:
        raise RefusedError(404, "there is no such rehearsal", "it was removed", "load the page again")
    old = why_old(row.basis, basis_of(bench.store, case.id, row.level))
    if old:
        raise RefusedError(409, f"{row.title} is out of date", old, "plan it anew")
    if how not in ("found", "bands"):
        raise RefusedError(400, "this plan cannot be read", "", "load the page again")
    change = {"kind": "found", "lines": []} if how == "found" else {"members": max(RUNS)}
    _begin(bench, case, user, dict(row.asked) | change)
    return RedirectResponse(f"/cases/{case.id}/rehearsal?level={row.level}", 303)


def _begin(bench: Bench, case: CaseRow, user: User, given: dict[str, Any]) -> None:
    """Check a plan and ask for its job."""
    given = {key: value for key, value in given.items() if value not in ("", None, []) and key != "basis"}
    if not given.get("members"):
        given.pop("members", None)
    _check(given)
    _refuse_unsafe(bench, case, given)
    title = title_of(given)
    given["basis"] = basis_of(bench.store, case.id, given["level"])
    start_job(bench, user, TASK, title, case, given)
    note(bench.store, user.name, "asked for a rehearsal", case, title)


def title_of(given: dict[str, Any]) -> str:
    """What a variant is called."""
    parts = [f"{KIND_WORDS[given.get('kind', 'found')]}: {given['procedure']} of {given['level']}"]
    if "balloon_ml" in given:
        parts.append(f"balloon {given['balloon_ml']:g} mL")
    if "cement_ml" in given:
        parts.append(f"cement {given['cement_ml']:g} mL")
    parts += [str(given[name]) for name in ("needle", "balloon", "cement") if name in given]
    if given.get("kind") == "found" and given.get("sides", "auto") != "auto":
        parts.append(f"sides: {given['sides']}")
    if given.get("members"):
        parts.append(RUNS.get(given["members"], f"{given['members']} runs"))
    if given.get("voxel_mm"):
        parts.append(f"voxels of {given['voxel_mm']:g} mm")
    return ", ".join(parts)


def _shown(kept: list[RehearsalRow], old: dict[str, str], asked: list[str]) -> list[RehearsalRow]:
    """Which variants stand side by side: those asked for, or mine and the best found that were run last."""
    wanted = [row for row in kept if row.id in asked][:MOST_SHOWN]
    if wanted:
        return wanted
    good = [row for row in reversed(kept) if not old[row.id]]
    mine = next((row for row in good if row.result.get("kind") == "mine"), None)
    like = [row for row in good if row.result.get("kind") == "found"]
    if mine is not None:
        like.sort(key=lambda row: len(plans_differ([mine, row])))
    found = [row for row in (mine, *like[:1]) if row is not None]
    return found or list(reversed(kept))[:1]


def _worst_first(case: CaseRow) -> list[str]:
    return [str(case.summary.get("worst") or ""), *map(str, case.summary.get("levels", []))]


def _voxel(text: str) -> float | None:
    if text not in VOXELS:
        raise RefusedError(400, "this plan cannot be read", "", "load the page again")
    return float(text) if text else None


def _more(text: str) -> dict[str, Any]:
    """The part of the form that is no plain field; refused where it is not what the page sends."""
    try:
        plan = json.loads(text)
        if not isinstance(plan, dict):
            raise TypeError("no table")
        lines = [
            {"side": str(one["side"]), "entry": place_numbers(one["entry"]), "target": place_numbers(one["target"])}
            for one in plan.get("lines", [])
        ]
        volumes = {key: float(plan[key]) for key in ("cement_ml", "balloon_ml") if plan.get(key) not in (None, "")}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RefusedError(400, "this plan cannot be read", "", "load the page again") from error
    if len(lines) > MOST_LINES or any(line["side"] not in SIDES for line in lines):
        raise RefusedError(400, "more needles than sides", "", "one needle a side")
    return volumes | {"sides": str(plan.get("sides", "auto")), "lines": lines}


def _check(given: dict[str, Any]) -> None:
    """Refuse at once what the job would refuse minutes later."""
    from endplate.api.choices import rehearsal_settings
    from endplate.jobs.rehearse import CHOICES

    rehearsal_settings(None, {"members": 0} | {key: given[key] for key in CHOICES if key in given})


def _refuse_measuring(bench: Bench, case: CaseRow) -> None:
    if being_measured(bench, case):
        why = "the names of levels on the page are not the last ones"
        raise RefusedError(409, "this case is being computed again from what was said of it", why, "wait for its job")


def _refuse_unsafe(bench: Bench, case: CaseRow, given: dict[str, Any]) -> None:
    """Refuse needles placed by hand that break a wall or come too near to it, before a job is begun."""
    from endplate.repair.access.clearance import refusal, verdict

    level, procedure = Level(given["level"]), given["procedure"]
    place, _ = walls_file(bench, case, level)
    for line in given.get("lines", ()):
        walls = walls_of(place, place.stat().st_mtime_ns, level).get(line["side"])
        if walls is None:
            what = f"no pedicle was found on the {line['side']} of {level}"
            raise RefusedError(409, what, "", "choose the other side")
        ends = [np.array(line[end]) * TO_LPS for end in ("entry", "target")]
        path = judged(walls, ends, procedure, given.get("needle", ""), given.get("balloon", ""))
        if verdict(path) == "refused":
            raise RefusedError(409, f"unsafe needle on the {line['side']} of {level}", refusal(path), "place it anew")

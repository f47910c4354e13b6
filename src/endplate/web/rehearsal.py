"""The rehearsal screen: place a needle and see its clearances at once, run a repair as a job, compare variants."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Form, Query, Request
from numpy.typing import NDArray
from pydantic import BaseModel
from starlette.responses import JSONResponse, RedirectResponse, Response

from endplate.jobs import queue
from endplate.jobs.job import Job
from endplate.level import Level
from endplate.store.audit import note
from endplate.store.cases import CaseRow, inputs_of
from endplate.web.access import Editor, RefusedError, TheBench, TheCase
from endplate.web.bench import Bench, start_job
from endplate.web.case_view import scene_of
from endplate.web.pages import page
from endplate.web.slices import WINDOWS

router = APIRouter(include_in_schema=False)
TASK = "rehearse"
SIDES = ("left", "right")
PIXEL_MM, ACROSS_MM = 0.6, 96.0
MOST_LINES, FAR_MM = 2, 2000.0
TO_LPS = np.array([-1.0, -1.0, 1.0])


class Asked(BaseModel):
    """A needle whose clearances are asked for: places "x,y,z" in RAS mm."""

    level: str
    side: str
    entry: str
    target: str
    needle: str = "11G"
    procedure: str = "vertebroplasty"
    balloon: str = ""


class Plan(BaseModel):
    """A repair to run; `more` is JSON: `cement_ml`, `balloon_ml`, `sides`, and `lines`, needles placed by hand."""

    level: str
    procedure: str = "vertebroplasty"
    needle: str = ""
    balloon: str = ""
    cement: str = ""
    more: str = "{}"
    csrf: str = ""


@router.get("/cases/{case_id}/rehearsal")
def rehearsal_page(request: Request, bench: TheBench, case: TheCase, level: str = "") -> Response:
    """The page."""
    from endplate.repair.device.balloon import BALLOONS
    from endplate.repair.device.cement import CEMENTS
    from endplate.repair.device.needle import NEEDLES

    scene = scene_of(bench, case)
    walls = {} if scene is None else scene["walls"]
    chosen = level if level in walls else next((one for one in _worst_first(case) if one in walls), "")
    jobs = [job for job in queue.jobs(bench.store, case_id=case.id) if job.task == TASK]
    return page(
        request, "rehearsal.html.j2", case=case, scene=scene, walls=walls, level=chosen,
        jobs=[job for job in jobs if job.state != "done"][:6], variants=variants(jobs, chosen),
        needles=list(NEEDLES), balloons=list(BALLOONS), cements=list(CEMENTS),
        readable={"ct", "labels"} <= set(inputs_of(bench.store, case.id)),
    )  # fmt: skip


@router.get("/cases/{case_id}/rehearsal/start")
def start(bench: TheBench, case: TheCase, level: str, procedure: str = "vertebroplasty", balloon: str = "") -> Response:
    """Where the needles of a level begin: the best line of the search on each side, and the frame of the level.

    In a kyphoplasty the target is the balloon's centre, half a balloon behind the end of the channel.
    """
    from endplate.report.view.walls import read_starts

    place, scene = _walls_file(bench, case, level)
    found = next(one for one in scene["levels"] if one["level"] == level)
    ahead, lines = _ahead_mm(procedure, balloon), {}
    for side, (entry, end) in read_starts(place).items():
        along = (end - entry) / np.linalg.norm(end - entry)
        lines[side] = (np.stack([entry, end - ahead * along]) * TO_LPS).round(2).tolist()
    return JSONResponse({"level": level, "centre": found["centre"], "axes": found["axes"], "lines": lines})


@router.get("/cases/{case_id}/rehearsal/clearance")
def clearance(bench: TheBench, case: TheCase, asked: Annotated[Asked, Query()]) -> Response:
    """Clearances of one needle to every wall, in millimetres and in words; places are RAS mm."""
    from endplate.repair.access.assess_path import assess_path
    from endplate.repair.access.clearance import describe, least_by_wall, refusal, verdict, wanted_mm
    from endplate.repair.device.needle import choose_needle
    from endplate.report.view.scene import needle as needle_words

    place, _ = _walls_file(bench, case, asked.level)
    walls = _walls(place, place.stat().st_mtime_ns, asked.level).get(asked.side)
    if walls is None:
        why = f"no pedicle was found on the {asked.side} of {asked.level}"
        raise RefusedError(404, why, "", "choose the other side")
    ends = [_place(asked.entry), _place(asked.target)]
    if np.linalg.norm(ends[0] - ends[1]) < 1.0:
        raise RefusedError(400, "entry and target are one place", "", "draw them apart")
    ahead = _ahead_mm(asked.procedure, asked.balloon)
    path = assess_path(walls, ends[0], ends[1], choose_needle(asked.needle), "transpedicular", ahead)
    least, wanted = least_by_wall(balloon=ahead > 0), wanted_mm(path)
    rows = [
        {
            "wall": describe(wall), "mm": round(value, 2), "band": round(path.band_mm.get(wall, 0.0), 2),
            "least": least[wall], "wanted": wanted[wall], "kept": value >= least[wall],
        }
        for wall, value in sorted(path.clearance_mm.items(), key=lambda item: item[1] - least[item[0]])
    ]  # fmt: skip
    words = {"safe": "Every clearance that a good path keeps is kept.", "tight": "Only the least clearances are kept.",
             "refused": f"Unsafe: {refusal(path)}."}  # fmt: skip
    answer = needle_words(path) | {"clearances": rows, "said": words[verdict(path)]}
    return JSONResponse(answer)


@router.get("/cases/{case_id}/rehearsal/plane.jpg")
def plane(bench: TheBench, case: TheCase, origin: str, right: str, down: str, window: str = "bone") -> Response:
    """The CT in any plane: its middle, and the directions right and down in the picture (RAS)."""
    scene = scene_of(bench, case)
    if scene is None or window not in WINDOWS:
        raise RefusedError(404, "there is no such picture", "", "load the page again")
    middle, across, along = (_place(text) for text in (origin, right, down))
    steps = np.arange(-ACROSS_MM / 2, ACROSS_MM / 2, PIXEL_MM) + PIXEL_MM / 2
    points = middle + steps[:, None, None] * along + steps[None, :, None] * across
    return Response(_picture(bench.files.view(case.id), scene, points, window), media_type="image/jpeg")


@router.get("/cases/{case_id}/rehearsal/{job_id}/curve.json")
def curve(bench: TheBench, case: TheCase, job_id: str) -> Response:
    """Readings of volume (mL) and pressure (MPa) of a rehearsal that runs or ran, by stage."""
    from endplate.jobs.rehearse import CURVE

    job = next((one for one in queue.jobs(bench.store, case_id=case.id) if one.id == job_id), None)
    if job is None or job.task != TASK:
        raise RefusedError(404, "there is no such rehearsal", "", "load the page again")
    try:
        points = json.loads((bench.files.run(job.id) / CURVE).read_text(encoding="utf-8"))
    except OSError:
        points = []
    return JSONResponse({"id": job.id, "title": job.title, "state": job.state, "points": points})


@router.post("/cases/{case_id}/rehearsal")
def run(bench: TheBench, case: TheCase, user: Editor, plan: Annotated[Plan, Form()]) -> Response:
    """Run a repair as a job."""
    _walls_file(bench, case, plan.level)
    level, procedure, rest = plan.level, plan.procedure, _more(plan.more)
    given: dict[str, Any] = {
        "level": level,
        "procedure": procedure,
        "needle": plan.needle,
        "cement": plan.cement,
    } | rest
    if procedure == "kyphoplasty":
        given["balloon"] = plan.balloon
    else:
        given.pop("balloon_ml", None)
    given = {key: value for key, value in given.items() if value not in ("", None, [])}
    _check(given)
    _refuse_unsafe(bench, case, given)
    by_hand = " by hand" if given.get("lines") else ""
    volume = f", {given['cement_ml']:g} mL" if "cement_ml" in given else ""
    title = f"{procedure.capitalize()} of {level}{by_hand}{volume}"
    start_job(bench, user, TASK, title, case, given)
    note(bench.store, user.name, "asked for a rehearsal", case, title)
    return RedirectResponse(f"/cases/{case.id}/rehearsal?level={level}", 303)


def variants(jobs: list[Job], level: str) -> list[dict[str, Any]]:
    """The rehearsals of a level that ended well, the oldest first, for a table side by side."""
    done = [job for job in reversed(jobs) if job.state == "done" and job.result and job.result.get("level") == level]
    return [dict(job.result or {}) | {"id": job.id, "title": job.title} for job in done][-5:]


def _worst_first(case: CaseRow) -> list[str]:
    return [str(case.summary.get("worst") or ""), *map(str, case.summary.get("levels", []))]


def _more(text: str) -> dict[str, Any]:
    """The part of the form that is no plain field; refused where it is not what the page sends."""
    try:
        plan = json.loads(text)
        if not isinstance(plan, dict):
            raise TypeError("no table")
        lines = [
            {"side": str(one["side"]), "entry": _numbers(one["entry"]), "target": _numbers(one["target"])}
            for one in plan.get("lines", [])
        ]
        volumes = {key: float(plan[key]) for key in ("cement_ml", "balloon_ml") if plan.get(key) not in (None, "")}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RefusedError(400, "this plan cannot be read", "", "load the page again") from error
    if len(lines) > MOST_LINES or any(line["side"] not in SIDES for line in lines):
        raise RefusedError(400, "more needles than sides", "", "one needle a side")
    sides = str(plan.get("sides", "auto"))
    return volumes | {"sides": sides if not lines else "auto", "lines": lines}


def _check(given: dict[str, Any]) -> None:
    """Refuse at once what the job would refuse minutes later."""
    from endplate.api.choices import rehearsal_settings
    from endplate.jobs.rehearse import CHOICES

    rehearsal_settings(None, {key: given[key] for key in CHOICES if key in given} | {"members": 0})


def _refuse_unsafe(bench: Bench, case: CaseRow, given: dict[str, Any]) -> None:
    """Refuse needles placed by hand that break a wall or come too near to it, before a job is begun."""
    from endplate.repair.access.assess_path import assess_path
    from endplate.repair.access.clearance import refusal, verdict
    from endplate.repair.access.needle_choice import needles_for
    from endplate.repair.access.settings import PathSettings

    level, procedure = Level(given["level"]), given["procedure"]
    place, _ = _walls_file(bench, case, level)
    settings = PathSettings(needle=given.get("needle"), balloon=given.get("balloon"))
    needle, ahead = needles_for(level, procedure, settings)[0], _ahead_mm(procedure, given.get("balloon", ""))
    for line in given.get("lines", ()):
        walls = _walls(place, place.stat().st_mtime_ns, level).get(line["side"])
        if walls is None:
            what = f"no pedicle was found on the {line['side']} of {level}"
            raise RefusedError(409, what, "", "choose the other side")
        ends = [np.array(line[end]) * TO_LPS for end in ("entry", "target")]
        path = assess_path(walls, ends[0], ends[1], needle, "transpedicular", ahead)
        if verdict(path) == "refused":
            raise RefusedError(409, f"unsafe needle on the {line['side']} of {level}", refusal(path), "place it anew")


def _ahead_mm(procedure: str, balloon: str) -> float:
    """How far a channel goes on beyond the target: half a balloon in a kyphoplasty."""
    from endplate.repair.access.needle_choice import balloon_lengths
    from endplate.repair.access.settings import PathSettings

    if procedure != "kyphoplasty":
        return 0.0
    return balloon_lengths(PathSettings(balloon=balloon or None))[0].mm / 2


def _numbers(values: Any) -> list[float]:
    found = [float(value) for value in values]
    if len(found) != 3 or not np.isfinite(found).all() or max(map(abs, found)) > FAR_MM:
        raise ValueError("no place")
    return found


def _place(text: str) -> NDArray[np.float64]:
    """A place or direction "x,y,z" in RAS, as LPS mm."""
    try:
        return np.array(_numbers(text.split(","))) * TO_LPS
    except ValueError as error:
        raise RefusedError(400, f"{text[:40]!r} is no place", "", "write x,y,z in mm") from error


def _walls_file(bench: Bench, case: CaseRow, level: str) -> tuple[Path, dict[str, Any]]:
    scene = scene_of(bench, case)
    if scene is None:
        raise RefusedError(404, "the viewer's files of this case are not made yet", "", "open its Case page first")
    known = next((one for one in scene["walls"] if one == level), None)
    if known is None:
        raise RefusedError(
            404, f"no needle can be judged at {level[:8]}", "its pedicles were not found", "see its gaps"
        )
    return bench.files.view(case.id) / f"walls_{Level(known)}.npz", scene


@lru_cache(maxsize=24)
def _walls(place: Path, changed: int, level: str) -> dict[Any, Any]:
    from endplate.report.view.walls import read_walls

    return read_walls(place, Level(level))


def _picture(folder: Path, scene: dict[str, Any], points_lps: NDArray[np.float64], window: str) -> bytes:
    """Grey values at world points (rows, columns, 3) LPS; only what the plane meets is read from the file."""
    from PIL import Image
    from scipy.ndimage import map_coordinates

    from endplate.report.view.crop import CT_ARRAY

    try:
        hu = np.load(folder / CT_ARRAY, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise RefusedError(404, "there is no CT of this case", "", "add it to the case") from error
    to_index = np.linalg.inv(np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.array(scene["affine"]))
    index = points_lps @ to_index[:3, :3].T + to_index[:3, 3]
    low = np.clip(np.floor(index.reshape(-1, 3).min(axis=0)).astype(int), 0, np.array(hu.shape) - 1)
    high = np.clip(np.ceil(index.reshape(-1, 3).max(axis=0)).astype(int) + 2, low + 1, hu.shape)
    box = np.asarray(hu[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])
    values = map_coordinates(box, (index - low).transpose(2, 0, 1), output=np.float32, order=1, cval=-1000.0)
    dark, bright = WINDOWS[window]
    grey = (np.clip((values - dark) / (bright - dark), 0, 1) * 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=82)
    return stream.getvalue()

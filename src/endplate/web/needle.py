"""A needle on the rehearsal screen: where it begins, its clearances as it is dragged, and the CT in its planes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from endplate.image.orient import LPS_RAS
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.store.cases import CaseRow
from endplate.web.access import RefusedError, TheBench, TheCase
from endplate.web.bench import Bench
from endplate.web.case_view import scene_of
from endplate.web.plan_basis import refuse_changed
from endplate.web.slices import WINDOWS

if TYPE_CHECKING:
    from endplate.repair.access.access_result import NeedlePath, Procedure
    from endplate.repair.access.access_walls import AccessWalls

router = APIRouter(include_in_schema=False)
PIXEL_MM, ACROSS_MM = 0.6, 96.0
FAR_MM = 2000.0
TO_LPS = np.array([-1.0, -1.0, 1.0])


class Asked(BaseModel):
    """A needle whose clearances are asked for: places "x,y,z" in RAS mm; `seen` is the state that the page is of.

    Without `needle` or `balloon` it is the one that is usual at this level, as in a plan that names none.
    """

    level: str
    side: str
    entry: str
    target: str
    needle: str = ""
    procedure: str = "vertebroplasty"
    balloon: str = ""
    seen: str = ""


@router.get("/cases/{case_id}/rehearsal/start")
def start(bench: TheBench, case: TheCase, level: str, procedure: str = "vertebroplasty", balloon: str = "") -> Response:
    """Where the needles of a level begin: the best line of the search on each side, and the frame of the level.

    In a kyphoplasty the target is the balloon's centre, half a balloon behind the end of the channel.
    """
    from endplate.report.view.walls import read_starts

    place, scene = walls_file(bench, case, level)
    found = next(one for one in scene["levels"] if one["level"] == level)
    ahead, lines = ahead_mm(procedure, balloon), {}
    for side, (entry, end) in read_starts(place).items():
        along = (end - entry) / np.linalg.norm(end - entry)
        lines[side] = (np.stack([entry, end - ahead * along]) * TO_LPS).round(2).tolist()
    names = [one["level"] for one in scene["levels"]]
    at = names.index(level)
    bones = [
        {"name": one["name"], "level": one["level"]}
        for one in scene["files"]
        if one["kind"] == "bone" and one["level"] in names[max(at - 1, 0) : at + 2]
    ]
    frame = {"level": level, "centre": found["centre"], "axes": found["axes"], "lines": lines}
    return JSONResponse(frame | {"ahead": ahead, "bones": bones})


@router.get("/cases/{case_id}/rehearsal/clearance")
def clearance(bench: TheBench, case: TheCase, asked: Annotated[Asked, Query()]) -> Response:
    """Clearances of one needle to every wall, in millimetres and in words; places are RAS mm."""
    from endplate.repair.access.clearance import describe, refusal, verdict, walls_by_spare
    from endplate.report.view.scene import needle as needle_words

    refuse_changed(bench, case, asked.level, asked.seen)
    place, _ = walls_file(bench, case, asked.level)
    walls = walls_of(place, place.stat().st_mtime_ns, asked.level).get(asked.side)
    if walls is None:
        why = f"no pedicle was found on the {asked.side} of {asked.level}"
        raise RefusedError(404, why, "", "choose the other side")
    ends = [place_lps(asked.entry), place_lps(asked.target)]
    if np.linalg.norm(ends[0] - ends[1]) < 1.0:
        raise RefusedError(400, "entry and target are one place", "", "draw them apart")
    path = judged(walls, ends, asked.procedure, asked.needle, asked.balloon)
    rows = [
        {
            "wall": describe(one.wall), "mm": round(one.mm, 2), "band": round(one.band_mm, 2), "least": one.least_mm,
            "wanted": one.wanted_mm, "kept": one.mm >= one.least_mm,
        }
        for one in walls_by_spare(path)
    ]  # fmt: skip
    words = {
        "safe": "Safe: every wanted clearance is kept.",
        "tight": "Tight: the least clearances are kept, the wanted ones are not.",
        "refused": f"Unsafe: {refusal(path)}.",
    }
    answer = needle_words(path) | {"clearances": rows, "said": words[verdict(path)]}
    return JSONResponse(answer)


@router.get("/cases/{case_id}/rehearsal/plane.jpg")
def plane(bench: TheBench, case: TheCase, origin: str, right: str, down: str, window: str = "bone") -> Response:
    """The CT in any plane: its middle, and the directions right and down in the picture (RAS)."""
    scene = scene_of(bench, case)
    if scene is None or window not in WINDOWS:
        raise RefusedError(404, "there is no such picture", "", "load the page again")
    points = plane_points(origin, right, down)
    return Response(_picture(bench.files.view(case.id), scene, points, window), media_type="image/jpeg")


def plane_points(origin: str, right: str, down: str) -> NDArray[np.float64]:
    """World points (rows, columns, 3) LPS mm of the pixels of a plane."""
    middle, across, along = (place_lps(text) for text in (origin, right, down))
    steps = np.arange(-ACROSS_MM / 2, ACROSS_MM / 2, PIXEL_MM) + PIXEL_MM / 2
    return np.asarray(middle + steps[:, None, None] * along + steps[None, :, None] * across)


def judged(
    walls: AccessWalls, ends: Sequence[NDArray[np.float64]], procedure: str, needle: str, balloon: str
) -> NeedlePath:
    """The path of a needle that a person placed, as a rehearsal of that plan judges it; ends (3,) LPS mm."""
    from endplate.repair.access.given_line import judge_line
    from endplate.repair.access.settings import PathSettings

    kind: Procedure = "kyphoplasty" if procedure == "kyphoplasty" else "vertebroplasty"
    return judge_line(walls, ends[0], ends[1], kind, PathSettings(needle=needle or None, balloon=balloon or None))


def ahead_mm(procedure: str, balloon: str) -> float:
    """How far a channel goes on beyond the target: half a balloon in a kyphoplasty."""
    from endplate.repair.access.needle_choice import balloon_lengths
    from endplate.repair.access.settings import PathSettings

    if procedure != "kyphoplasty":
        return 0.0
    return balloon_lengths(PathSettings(balloon=balloon or None))[0].mm / 2


def place_numbers(values: Any) -> list[float]:
    """Three finite numbers of millimetres; raises ValueError."""
    found = [float(value) for value in values]
    if len(found) != 3 or not np.isfinite(found).all() or max(map(abs, found)) > FAR_MM:
        raise ValueError("no place")
    return found


def place_lps(text: str) -> NDArray[np.float64]:
    """A place or direction "x,y,z" in RAS, as LPS mm."""
    try:
        return np.array(place_numbers(text.split(","))) * TO_LPS
    except ValueError as error:
        raise RefusedError(400, f"{text[:40]!r} is no place", "", "write x,y,z in mm") from error


def walls_file(bench: Bench, case: CaseRow, level: str) -> tuple[Path, dict[str, Any]]:
    """The file of the walls of a level, and the scene; refused where there are none."""
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
def walls_of(place: Path, changed: int, level: str) -> dict[Any, Any]:
    """The walls of each side of a level, kept as long as their file is the same."""
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
    index = Grid(shape=hu.shape, affine=LPS_RAS @ np.array(scene["affine"])).to_index(points_lps)
    low = np.clip(np.floor(index.reshape(-1, 3).min(axis=0)).astype(int), 0, np.array(hu.shape) - 1)
    high = np.clip(np.ceil(index.reshape(-1, 3).max(axis=0)).astype(int) + 2, low + 1, hu.shape)
    box = np.asarray(hu[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])
    values = map_coordinates(box, (index - low).transpose(2, 0, 1), output=np.float32, order=1, cval=-1000.0)
    dark, bright = WINDOWS[window]
    grey = (np.clip((values - dark) / (bright - dark), 0, 1) * 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=82)
    return stream.getvalue()

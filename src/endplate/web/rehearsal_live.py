"""The course of a rehearsal that runs or ran: readings, and how cavity and cement grow, as surfaces and as pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends
from numpy.typing import NDArray
from starlette.responses import FileResponse, JSONResponse, Response

from endplate.image.orient import LPS_RAS
from endplate.image.volume import Grid
from endplate.jobs import queue
from endplate.jobs.job import Job
from endplate.jobs.live import FULL, frame_names, read_live
from endplate.store.database import StoreError
from endplate.store.files import HEX_ID
from endplate.web.access import RefusedError, TheBench, TheCase
from endplate.web.needle import plane_points
from endplate.web.pages import stage_words

router = APIRouter(include_in_schema=False)
TASK = "rehearse"
TINTS = {"cement": (255, 130, 40), "cavity": (70, 160, 255)}
EDGE, INSIDE = 255, 130
"""Opacity of the front itself and of what lies behind it, of 255."""


def the_rehearsal(job_id: str, bench: TheBench, case: TheCase) -> Job:
    """The rehearsal of the address, of this case and of no other."""
    try:
        if HEX_ID.fullmatch(job_id):
            job = queue.job_row(bench.store, job_id)
            if job.task == TASK and job.case_id == case.id:
                return job
    except StoreError as error:
        if "no such job" not in error.what:
            raise
    raise RefusedError(404, "there is no such rehearsal", "", "load the page again")


TheRehearsal = Annotated[Job, Depends(the_rehearsal)]


@router.get("/cases/{case_id}/rehearsal/{job_id}/curve.json")
def curve(bench: TheBench, job: TheRehearsal) -> Response:
    """Readings of volume (mL) and pressure (MPa) by stage, and the frames that there are so far."""
    found = read_live(bench.files.run(job.id))
    return JSONResponse({"id": job.id, "title": job.title, "state": job.state, "stage": stage_words(job)} | found)


@router.get("/cases/{case_id}/rehearsal/{job_id}/frames/{number}.mz3")
def surface(bench: TheBench, job: TheRehearsal, number: int) -> Response:
    """The surface of a frame, RAS mm."""
    folder = bench.files.run(job.id)
    held = _frame(folder, number)
    if not held["surface"]:
        raise RefusedError(404, "nothing of it has a surface yet", "", "wait for the next step")
    return FileResponse(folder / frame_names(number)[1], media_type="application/octet-stream")


@router.get("/cases/{case_id}/rehearsal/{job_id}/frames/{number}.png")
def front(bench: TheBench, job: TheRehearsal, number: int, origin: str, right: str, down: str) -> Response:
    """Where cavity or cement are in a plane, as a layer to lie over the CT in the same plane."""
    folder = bench.files.run(job.id)
    held = _frame(folder, number)
    points = plane_points(origin, right, down)
    share = _share(folder / frame_names(number)[0], held, points)
    return Response(_layer(share, TINTS[held["kind"]]), media_type="image/png")


def _frame(folder: Path, number: int) -> dict[str, Any]:
    found = next((one for one in read_live(folder)["frames"] if one["number"] == number), None)
    if found is None:
        raise RefusedError(404, "there is no such step of this rehearsal", "", "load the page again")
    return dict(found)


def _share(path: Path, held: dict[str, Any], points_lps: NDArray[np.float64]) -> NDArray[np.float32]:
    """(rows, columns) 0..1 of a frame at world points; none outside its box."""
    from scipy.ndimage import map_coordinates

    try:
        volume = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise RefusedError(404, "this step of the rehearsal is gone", "", "load the page again") from error
    index = Grid(shape=volume.shape, affine=LPS_RAS @ np.array(held["affine"])).to_index(points_lps)
    found = map_coordinates(volume, index.transpose(2, 0, 1), output=np.float32, order=1, cval=0.0)
    return np.asarray(found / FULL, np.float32)


def _layer(share: NDArray[np.float32], tint: tuple[int, int, int]) -> bytes:
    """What is at least half full, its edge opaque; the rest of the picture lets through what is below."""
    from PIL import Image
    from scipy.ndimage import binary_erosion

    there = share >= 0.5
    layer = np.zeros((*share.shape, 4), np.uint8)
    layer[there] = (*tint, INSIDE)
    layer[there & ~binary_erosion(there, iterations=1)] = (*tint, EDGE)
    stream = io.BytesIO()
    Image.fromarray(layer).save(stream, "PNG", compress_level=1)
    return stream.getvalue()

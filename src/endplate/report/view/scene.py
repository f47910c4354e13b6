"""Where everything of a case lies, as the viewer draws it: levels, heights, needles and the strip, RAS mm."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.atomic import write_bytes
from endplate.case import Case
from endplate.repair.access.access_result import NeedlePath
from endplate.repair.access.clearance import refusal, verdict
from endplate.report.figure.bitmap import BONE_WINDOW_HU
from endplate.report.figure.plane import Section, cut, fit_frame, sample
from endplate.report.figure.section import height_ends
from endplate.report.markups import path_summary

STRIP = "strip.jpg"
SLAB_MM = (-1.0, 0.0, 1.0)
NEEDLE_BEHIND_MM = 60.0
"""How far behind the bone a needle is drawn where the skin is not in the scan."""


def ras(place_mm: ArrayLike) -> list[Any]:
    """World points (..., 3) LPS mm as RAS, to a hundredth."""
    return list((np.asarray(place_mm, float) * (-1.0, -1.0, 1.0)).round(2).tolist())


def levels(case: Case) -> list[dict[str, Any]]:
    """Every vertebra: centre, axes (right, anterior, superior) and heights at their place."""
    vertebrae = case.spine.vertebrae if case.spine else ()
    return [
        {
            "level": str(vertebra.level),
            "label": vertebra.level.verse_id,
            "centre": ras(vertebra.centroid_mm),
            "axes": ras(vertebra.axes),
            "heights": list(_heights(case, vertebra)),
            "cut": vertebra.cut_by_field,
        }
        for vertebra in vertebrae
    ]


def _heights(case: Case, vertebra: Vertebra) -> Iterator[dict[str, Any]]:
    reading = next((item for item in case.fractures if item.level is vertebra.level), None)
    if reading is None:
        return
    for name, ends in height_ends(vertebra, reading.heights):
        value = getattr(reading.heights, name).value
        yield {"name": name, "mm": round(float(value), 1), "ends": ras(ends)}


def needles(case: Case) -> list[dict[str, Any]]:
    """The needles of every rehearsal."""
    return [
        needle(path) | {"procedure": done.procedure}
        for rehearsal in case.rehearsals
        for done in rehearsal.nominal
        if done.access is not None
        for path in done.access.paths
    ]


def needle(path: NeedlePath) -> dict[str, Any]:
    """One needle: its course from behind the skin to its end, and what is said of it."""
    along = path.target_mm - path.entry_mm
    back = path.entry_mm - NEEDLE_BEHIND_MM * along / np.linalg.norm(along)
    return {
        "level": str(path.level),
        "side": path.side,
        "needle": path.needle.name,
        "outer_mm": path.needle.outer_mm,
        "approach": path.approach,
        "skin": None if path.skin_mm is None else ras(path.skin_mm),
        "from": ras(back if path.skin_mm is None else path.skin_mm),
        "entry": ras(path.entry_mm),
        "target": ras(path.target_mm),
        "end": ras(path.end_mm),
        "course": [ras(back if path.skin_mm is None else path.skin_mm), *(ras(one) for one in path.course_mm[1:])],
        "verdict": verdict(path),
        "refusal": refusal(path),
        "words": path_summary(path),
    }


def write_strip(case: Case, folder: Path) -> dict[str, Any] | None:
    """Write the sagittal picture along the curve of the spine; returns its size and where each level lies in it."""
    if case.spine is None or not case.spine.vertebrae:
        return None
    section = cut(fit_frame(case.spine), "sagittal")
    write_bytes(folder / STRIP, _jpeg(_grey(case, section)))
    places = {}
    for vertebra in case.spine.vertebrae:
        across, down = section.project(vertebra.centroid_mm)
        places[str(vertebra.level)] = [
            round(float(across / section.width_mm), 4),
            round(float(down / section.height_mm), 4),
        ]
    return {"file": STRIP, "width_mm": section.width_mm, "height_mm": section.height_mm, "levels": places}


def _grey(case: Case, section: Section) -> NDArray[np.uint8]:
    """The CT, or the bodies alone, as grey values (rows, columns)."""
    if case.volume is None:
        shown = np.zeros(section.points_mm.shape[:2], np.float32)
        for vertebra in case.spine.vertebrae if case.spine else ():
            np.maximum(shown, sample(vertebra.fill, vertebra.grid, section.points_mm, 0.0), out=shown)
        return (200 * shown).astype(np.uint8)
    across = section.frame.axes[0]
    grid, hu = case.volume.grid, case.volume.hu
    slab = [sample(hu, grid, section.points_mm + offset * across, -1000.0) for offset in SLAB_MM]
    low, high = BONE_WINDOW_HU
    return np.asarray(np.clip((np.mean(slab, axis=0) - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def _jpeg(grey: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=84)
    return stream.getvalue()

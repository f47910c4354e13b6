"""The sagittal picture of a case on the contact sheet: small, grey, with the outlines of the bodies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endplate.case import Case
from endplate.report.figure.bitmap import BONE_WINDOW_HU
from endplate.report.figure.plane import Section, cut, fit_frame, outlines, sample

PIXEL_MM = 1.2
"""A pixel of the picture; the eye needs no more to see a label on the wrong body, and a page holds hundreds."""
QUALITY = 55
LINE_GREY, PAPER_GREY, BODY_GREY = 255, 40, 130

Mark = tuple[str, float, float, str]
"""Level, place across and down as fractions of the picture, grade ("?" where there is none)."""


def draw_thumbnail(case: Case, path: Path) -> tuple[Mark, ...]:
    """Write the picture, where a vertebra was found; returns where each level lies in it, with its grade."""
    if case.spine is None or not case.spine.vertebrae:
        return ()
    from PIL import Image, ImageDraw

    section = cut(fit_frame(case.spine), "sagittal", PIXEL_MM)
    body = np.zeros(section.points_mm.shape[:2], np.float32)
    for vertebra in case.spine.vertebrae:
        np.maximum(body, sample(vertebra.body, vertebra.grid, section.points_mm, 0.0), out=body)
    grey = _background(case, section, body)
    height, width = grey.shape
    image = Image.frombytes("L", (width, height), np.ascontiguousarray(grey).tobytes())
    pen = ImageDraw.Draw(image)
    for line in outlines(body):
        pen.line([(float(x), float(y)) for x, y in line], fill=LINE_GREY, width=1)
    image.save(path, "JPEG", quality=QUALITY, optimize=True)
    return tuple(_marks(case, section))


def _background(case: Case, section: Section, body: NDArray[np.float32]) -> NDArray[np.uint8]:
    if case.volume is None:
        return np.where(body > 0.5, BODY_GREY, PAPER_GREY).astype(np.uint8)
    hu = sample(case.volume.hu, case.volume.grid, section.points_mm)
    low, high = BONE_WINDOW_HU
    shade = np.clip((np.nan_to_num(hu, nan=low) - low) / (high - low), 0.0, 1.0) * 255.0
    return np.asarray(shade, np.uint8)


def _marks(case: Case, section: Section) -> list[Mark]:
    grades = {reading.level: reading.genant_grade for reading in case.fractures}
    found = []
    for vertebra in case.spine.vertebrae if case.spine else ():
        across, down = section.project(vertebra.centroid_mm)
        grade = grades.get(vertebra.level)
        place = (round(float(across) / section.width_mm, 3), round(float(down) / section.height_mm, 3))
        found.append((str(vertebra.level), *place, "?" if grade is None else str(grade)))
    return found

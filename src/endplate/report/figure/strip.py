"""The spine at a glance: every level's shape drawn to its measured heights, with grade, density and strength beside."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from endplate.case import Case
from endplate.fracture.result import Fracture
from endplate.report.figure import svg
from endplate.report.figure.pattern import GRADE_WORDS, grade_class, grade_fill

WIDTH, ROW, PER_MM = 350.0, 74.0, 1.75
SHAPE_MIDDLE = 88.0
"""Where the middle of the drawn bodies stands across the picture."""
WORDS_LEFT = 150.0
UNKNOWN_BODY_MM = (25.0, 25.0, 25.0)
"""Size of the dashed placeholder where nothing was measured; not a measurement, drawn open."""
UNKNOWN_DEPTH_MM = 32.0


def strip_figure(case: Case) -> Markup | None:
    """All graded levels from head to foot; None where there is none."""
    if not case.fractures:
        return None
    rows = [part for index, reading in enumerate(case.fractures) for part in _row(case, reading, index)]
    height = ROW * len(case.fractures) + 24
    heads = [
        svg.text(SHAPE_MIDDLE - 34, 14, "front", class_="small"),
        svg.text(SHAPE_MIDDLE + 34, 14, "back", class_="small", text_anchor="end"),
    ]
    alt = "Spine from head to foot. " + " ".join(_said(reading) for reading in case.fractures)
    return svg.drawing(WIDTH, height, alt, heads + rows, "strip")


def _said(reading: Fracture) -> str:
    grade = "not graded" if reading.genant_grade is None else f"grade {reading.genant_grade}"
    return f"{reading.level}: {grade}, fracture {reading.fracture}."


def _row(case: Case, reading: Fracture, index: int) -> list[Markup]:
    middle = 24 + ROW * (index + 0.5)
    parts = [svg.line(0, middle + ROW / 2, WIDTH, middle + ROW / 2, class_="rule")] if index >= 0 else []
    parts.append(svg.text(4, middle + 6, str(reading.level), class_="strip-level"))
    parts += _shape(reading, middle)
    for number, (words, name) in enumerate(_words(case, reading)):
        parts.append(svg.text(WORDS_LEFT, middle - 14 + 17 * number, words, class_=name))
    return parts


def _shape(reading: Fracture, middle: float) -> list[Markup]:
    """The measured body in its grade's pattern over the dashed expected one; front at the left as in the picture."""
    heights = [reading.heights.anterior.value, reading.heights.middle.value, reading.heights.posterior.value]
    depth = reading.heights.depth_mm or UNKNOWN_DEPTH_MM
    if None in heights:
        return [_body(UNKNOWN_BODY_MM, UNKNOWN_DEPTH_MM, middle, fill=grade_fill(None), class_="shape grade-unknown")]
    known = [value for value in heights if value is not None]
    name = f"shape {grade_class(reading.genant_grade)}"
    parts = [_body(known, depth, middle, fill=grade_fill(reading.genant_grade), class_=name)]
    if reading.expected_mm is not None and reading.genant_grade:
        parts.append(_body(reading.expected_mm, depth, middle, class_="expected"))
    return parts


def _body(heights: tuple[float, ...] | list[float], depth: float, middle: float, **attributes: object) -> Markup:
    """Closed outline through half heights at front, middle and back; a smooth line between them."""
    t = np.linspace(-1.0, 1.0, 21)
    front, centre, back = (0.5 * value * PER_MM for value in heights)
    half = centre + 0.5 * (back - front) * t + (0.5 * (front + back) - centre) * t**2
    x = SHAPE_MIDDLE + t * depth * PER_MM / 2
    upper = np.stack([x, middle - half], axis=-1)
    lower = np.stack([x, middle + half], axis=-1)[::-1]
    return svg.path(np.vstack([upper, lower]), closed=True, **attributes)


def _words(case: Case, reading: Fracture) -> list[tuple[str, str]]:
    """Up to three lines: grade, fracture, density and strength."""
    shape = f", {reading.shape}" if reading.shape not in (None, "none") else ""
    loss = reading.height_loss.value
    lost = f" · {100 * loss:.0f} % lost" if loss is not None and reading.genant_grade else ""
    grade = "Not graded" if reading.genant_grade is None else f"Grade {reading.genant_grade}{shape}"
    word = f" · {GRADE_WORDS[0]}" if reading.genant_grade == 0 else ""
    answer = {"yes": "Fracture: yes", "no": "Fracture: no", "indeterminate": "Fracture: cannot be told"}
    lines = [(grade + word, "strip-grade"), (answer[reading.fracture] + lost, "strip-line")]
    bone = _bone(case, reading)
    return [*lines, (bone, "strip-line")] if bone else lines


def _bone(case: Case, reading: Fracture) -> str:
    density = next((d.density_mg_cm3 for d in case.densities if d.level is reading.level), None)
    load = next((s.failure_load_n for s in case.strengths if s.level is reading.level), None)
    parts = [f"{density:.0f} mg/cm³" if density is not None else "", f"fails at {load / 1000:.1f} kN" if load else ""]
    return " · ".join(part for part in parts if part)

"""Anterior height step by step: standing, in the scan, on the table, balloon full, deflated, cured, standing again.

What the model cannot give stands as an open bar, measured in patients, and the line passes it by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from endplate.repair.band import Band
from endplate.repair.kyphoplasty.observed_gains import BEYOND_LYING_MM, STANDING_MM
from endplate.repair.rehearsal.result import Rehearsal
from endplate.report.figure import svg
from endplate.report.phrase import number

WIDTH, HEIGHT = 640.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 14.0, 16.0, 58.0
SPARE_MM = 1.5
"""Room above the highest and below the lowest height drawn."""
CLINIC = "open bars: measured in patients, not computed for this one"
POSTURE = "posture_anterior_mm"
STEPS = (
    (POSTURE, ("on the table,", "extended"), ()),
    ("full_anterior_mm", ("balloon", "full"), (POSTURE,)),
    ("deflated_anterior_mm", ("balloon", "deflated"), (POSTURE,)),
    ("cured_anterior_mm", ("cement", "set"), (POSTURE,)),
    ("standing_anterior_mm", ("standing", "again"), ()),
)
"""Each step's gain, its name, and the gains that it comes on top of."""
UPRIGHT = "upright_anterior_mm"
"""What the load of standing takes before anything is done."""
SETTLED = "settled_anterior_mm"
"""What the body gives under the load of the table before anything is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A height (mm), None where only a band was measured in patients, with its band and the two lines of its name."""

    name: tuple[str, str]
    value: float | None
    low: float | None = None
    high: float | None = None
    clinic: bool = False


def height_steps_figure(rehearsal: Rehearsal, scanned_mm: float | None) -> Markup | None:
    """The heights as one line with bands, over the expected one; None where no gain or no height is known.

    Parameters
    ----------
    scanned_mm : anterior height of the body in the scan.
    """
    steps = [] if scanned_mm is None else _steps(rehearsal, scanned_mm)
    if not steps:
        return None
    expected, sd = _expected(rehearsal)
    ends = [end for step in steps for end in (step.value, step.low, step.high) if end is not None]
    ends += [expected] if expected is not None else []
    span = (math.floor(min(ends) - SPARE_MM), math.ceil(max(ends) + SPARE_MM))
    parts = _axis(span)
    if expected is not None:
        parts += _line_of(expected, sd, span)
    across = [_x(place, len(steps)) for place in range(len(steps))]
    line = [(x, _y(step.value, span)) for x, step in zip(across, steps, strict=True) if step.value is not None]
    parts.append(svg.path(line, class_="own-line"))
    for x, step in zip(across, steps, strict=True):
        parts += _drawn(x, step, span)
    if any(step.clinic for step in steps):
        parts.append(svg.text(LEFT, HEIGHT - 5, CLINIC, class_="small"))
    said = "; ".join(f"{' '.join(step.name)} {_said(step)}" for step in steps)
    alt = f"{rehearsal.level}: anterior height in mm by step. {said}."
    return svg.drawing(WIDTH, HEIGHT, alt, parts, f"height-steps-{rehearsal.level}")


def _steps(rehearsal: Rehearsal, scanned_mm: float) -> list[_Step]:
    of = rehearsal.bands.get("kyphoplasty", {})
    start = scanned_mm + _value(of, SETTLED)
    found = [_standing(of, scanned_mm, start), _Step(name=("in the scan,", "lying"), value=scanned_mm)]
    cleft = opens(rehearsal)
    for gain, name, on in STEPS:
        band = of.get(gain)
        if band is None or band.value is None:
            continue
        if gain == POSTURE and not cleft:
            least, most = BEYOND_LYING_MM
            step = _Step(name=name, value=None, low=scanned_mm + least, high=scanned_mm + most, clinic=True)
            found.append(step)
            continue
        base = start + sum(_value(of, other) for other in on)
        low, high = (None if end is None else base + end for end in (band.low, band.high))
        found.append(_Step(name=name, value=base + band.value, low=low, high=high))
    return found if len(found) > 2 else []


def _standing(of: dict[str, Band], scanned_mm: float, start: float) -> _Step:
    """Before anything is done: by the model where it carries the load of standing, beside what patients lose."""
    band = of.get(UPRIGHT)
    value = None if band is None or band.value is None else start + band.value
    least, most = STANDING_MM
    return _Step(name=("standing,", "before"), value=value, low=scanned_mm - most, high=scanned_mm - least, clinic=True)


def opens(rehearsal: Rehearsal) -> bool:
    """Whether the scan shows a cleft: without one the model has no line along which posture could open the fracture."""
    zone = None if rehearsal.bone is None else rehearsal.bone.zone
    return zone is not None and bool(zone.cleft.any())


def _value(of: dict[str, Band], name: str) -> float:
    """A gain, or none where it was not rehearsed."""
    band = of.get(name)
    return 0.0 if band is None or band.value is None else band.value


def _expected(rehearsal: Rehearsal) -> tuple[float | None, float]:
    shape = rehearsal.intact
    if shape is None or shape.heights_mm is None:
        return None, 0.0
    return float(shape.heights_mm[0]), float(shape.sd_mm or 0.0)


def _axis(span: tuple[int, int]) -> list[Markup]:
    step = max(1, math.ceil((span[1] - span[0]) / 6))
    parts = [svg.text(4, TOP - 3, "anterior height (mm)", class_="small")]
    for value in range(span[0], span[1] + 1, step):
        y = _y(value, span)
        parts.append(svg.line(LEFT, y, WIDTH - RIGHT, y, class_="rule"))
        parts.append(svg.text(LEFT - 6, y + 4, str(value), class_="small", text_anchor="end"))
    return parts


def _line_of(expected: float, sd: float, span: tuple[int, int]) -> list[Markup]:
    """The height expected before the fracture, with its standard deviation."""
    y = _y(expected, span)
    band = []
    if sd > 0:
        top = _y(expected + sd, span)
        band = [svg.rectangle(LEFT, top, WIDTH - RIGHT - LEFT, _y(expected - sd, span) - top, class_="expected-band")]
    words = f"expected before the fracture {number(expected, 1)}"
    return [
        *band,
        svg.line(LEFT, y, WIDTH - RIGHT, y, class_="expected-line"),
        svg.text(WIDTH - RIGHT, y - 5, words, class_="small", text_anchor="end"),
    ]


def _drawn(x: float, step: _Step, span: tuple[int, int]) -> list[Markup]:
    parts = []
    if step.low is not None and step.high is not None:
        top, foot = _y(step.high, span), _y(step.low, span)
        style = "clinic" if step.clinic else "ours"
        parts.append(svg.rectangle(x - 7, top, 14, max(foot - top, 1.0), class_=f"gain-bar {style}"))
    if step.value is not None:
        y = _y(step.value, span)
        parts.append(svg.element("circle", cx=x, cy=y, r=4.5, class_="own-mark"))
        parts.append(svg.text(x + 9, y - 8, number(step.value, 1), class_="strip-grade"))
    for place, words in enumerate(step.name):
        at = HEIGHT - BOTTOM + 20 + 15 * place
        parts.append(svg.text(x, at, words, class_="strip-line", text_anchor="middle"))
    return parts


def _said(step: _Step) -> str:
    if step.low is None or step.high is None:
        return "not computed" if step.value is None else number(step.value, 1)
    between = f"{number(step.low, 1)} to {number(step.high, 1)}"
    if step.value is None:
        return f"not computed, {between} as in patients"
    return f"{number(step.value, 1)} ({between}{' in patients' if step.clinic else ''})"


def _x(place: int, count: int) -> float:
    wide = (WIDTH - LEFT - RIGHT) / count
    return LEFT + wide * (place + 0.5)


def _y(value: float, span: tuple[int, int]) -> float:
    return HEIGHT - BOTTOM - (value - span[0]) / (span[1] - span[0]) * (HEIGHT - TOP - BOTTOM - 6)

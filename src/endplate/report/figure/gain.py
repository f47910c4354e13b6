"""Gains of anterior height with their bands, beside what was measured in patients, on one axis in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from endplate.repair.band import Band
from endplate.repair.kyphoplasty.observed_gains import OBSERVED
from endplate.repair.rehearsal.result import Rehearsal
from endplate.report.figure import svg
from endplate.report.figure.axis import ticks, written
from endplate.report.phrase import number

WIDTH, ROW, TOP, BOTTOM = 390.0, 46.0, 10.0, 44.0
LEFT, RIGHT = 16.0, 16.0
STAGES = (
    ("kyphoplasty", "posture_anterior_mm", "Simulated: on the table, extended"),
    ("kyphoplasty", "full_anterior_mm", "Simulated: balloon full, beyond that"),
    ("kyphoplasty", "deflated_anterior_mm", "Simulated: balloon deflated"),
    ("kyphoplasty", "cured_anterior_mm", "Simulated: cement set"),
    ("kyphoplasty", "standing_anterior_mm", "Simulated: standing again, all of it"),
)
LOWEST_SHOWN, HIGHEST_SHOWN = -2.0, 6.0
"""The axis holds at least these, mm, so that pictures of different patients look alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    name: str
    band: Band
    style: str


def gain_figure(rehearsal: Rehearsal) -> Markup | None:
    """Dots and bars; None where no gain was computed."""
    rows = [
        _Row(name=name, band=rehearsal.bands[who][what], style="ours")
        for who, what, name in STAGES
        if what in rehearsal.bands.get(who, {})
    ]
    if not rows:
        return None
    rows += [_observed(item.name, float(item.mean_mm), item.sd_mm) for item in OBSERVED]
    ends = [end for row in rows for end in (row.band.low, row.band.high, row.band.value) if end is not None]
    low, high = min([LOWEST_SHOWN, *ends]), max([HIGHEST_SHOWN, *ends])
    height = TOP + ROW * len(rows) + BOTTOM
    parts = _axis(low, high, height)
    for place, row in enumerate(rows):
        parts += _drawn(row, TOP + ROW * (place + 0.5), low, high)
    alt = f"{rehearsal.level}: gain of anterior height. " + " ".join(f"{row.name}: {_said(row.band)}." for row in rows)
    return svg.drawing(WIDTH, height, alt, [svg.group(parts, class_="on-paper")], f"gain-{rehearsal.level}")


def has_bars(rehearsal: Rehearsal) -> bool:
    """Whether a simulated gain has a band to draw."""
    return any(rehearsal.bands.get(who, {}).get(what, Band(value=None)).low is not None for who, what, _ in STAGES)


def _observed(name: str, mean: float, sd: float | None) -> _Row:
    ends = (None, None) if sd is None else (mean - float(sd), mean + float(sd))
    return _Row(name=name, band=Band(value=mean, low=ends[0], high=ends[1]), style="clinic")


def _said(band: Band) -> str:
    if band.value is None:
        return "not computed"
    between = "" if band.low is None or band.high is None else f" ({number(band.low, 1)} to {number(band.high, 1)})"
    return f"{number(band.value, 1)}{between}"


def _axis(low: float, high: float, height: float) -> list[Markup]:
    parts = []
    values = sorted({*ticks(high, 6), *(-value for value in ticks(-low, 3))})
    for value in values:
        x = _x(value, low, high)
        style = "zero-line" if value == 0 else "rule"
        parts.append(svg.line(x, TOP, x, height - BOTTOM, class_=style))
        parts.append(svg.text(x, height - BOTTOM + 16, written(value).replace("-", "−"), class_="small",
                              text_anchor="middle"))  # fmt: skip
    parts.append(svg.text(WIDTH - RIGHT, height - 6, "gain of anterior height (mm)", class_="small", text_anchor="end"))
    return parts


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _drawn(row: _Row, middle: float, low: float, high: float) -> list[Markup]:
    """The name above, the bar from low to high, a dot at the value, the numbers at the right."""
    parts = [
        svg.text(LEFT, middle - 6, row.name, class_="strip-line"),
        svg.text(WIDTH - RIGHT, middle - 6, _said(row.band), class_="strip-line", text_anchor="end"),
    ]
    bar = middle + 7
    if row.band.low is not None and row.band.high is not None:
        ends = [_x(end, low, high) for end in (row.band.low, row.band.high)]
        parts.append(svg.rectangle(ends[0], bar - 5, max(ends[1] - ends[0], 1.0), 10, class_=f"gain-bar {row.style}"))
    if row.band.value is not None:
        parts.append(
            svg.element("circle", cx=_x(row.band.value, low, high), cy=bar, r=5, class_=f"gain-dot {row.style}")
        )
    return parts

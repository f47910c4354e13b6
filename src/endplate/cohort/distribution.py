"""Distributions against age and sex: a small picture a level, points where they are few, else ranges by decade."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from endplate.cohort.tally import SEXES, Series
from endplate.finding import catalogue
from endplate.level import Level
from endplate.report.figure import svg
from endplate.report.phrase import AS_PERCENT, UNIT_WORDS

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 210.0, 150.0, 36.0, 24.0, 20.0
AGES = (40.0, 100.0)
DECADE = 10.0
MOST_POINTS = 120
"""Points of one level beyond which only the ranges are drawn."""
FEWEST = 5
"""Cases of a decade below which no range is drawn."""
QUANTILES = (5.0, 25.0, 50.0, 75.0, 95.0)
CLASSES = (*SEXES, "unknown")


def distribution(code: str, series: Mapping[str, Series]) -> Markup:
    """All levels of one finding on one scale, from head to foot."""
    values = np.concatenate([np.asarray(one.values) for one in series.values()])
    scale = 100.0 if code in AS_PERCENT else 1.0
    low, high = _limits(values * scale)
    order = sorted(series, key=lambda name: Level(name).order if name in Level.__members__ else -1)
    panels = [_panel(code, name or "whole spine", series[name], scale, (low, high)) for name in order]
    return Markup("").join(panels)


def title_of(code: str) -> str:
    """Name and unit of a finding as printed."""
    entry = catalogue()[code]
    unit = "%" if code in AS_PERCENT else UNIT_WORDS.get(entry.unit, entry.unit)
    return f"{entry.title}, {unit}" if unit else entry.title


def _panel(code: str, name: str, one: Series, scale: float, limits: tuple[float, float]) -> Markup:
    values, ages = np.asarray(one.values) * scale, np.asarray(one.ages)
    sexes = np.asarray(one.sexes)
    parts = [*_axes(limits), svg.text(LEFT, 13, f"{name}  n = {len(values)}", class_="panel-name")]
    for number, kind in enumerate(CLASSES):
        mask = sexes == number
        if not mask.any():
            continue
        if len(values) <= MOST_POINTS:
            parts += _points(values[mask], ages[mask], kind, limits)
        parts += _ranges(values[mask], ages[mask], kind, number, limits)
    alt = f"{title_of(code)} at {name} against age: {len(values)} values, median {np.median(values):.3g}"
    return svg.drawing(WIDTH, HEIGHT, alt, parts, f"{code}-{name.replace(' ', '-')}")


def _axes(limits: tuple[float, float]) -> list[Markup]:
    parts = [svg.line(LEFT, HEIGHT - BOTTOM, WIDTH - 4, HEIGHT - BOTTOM, class_="axis"),
             svg.line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, class_="axis")]  # fmt: skip
    for age in (40, 60, 80, 100):
        parts.append(svg.text(_x(age), HEIGHT - 9, str(age), class_="tick", text_anchor="middle"))
    parts.append(svg.text(LEFT + 7, HEIGHT - 9, "?", class_="tick", text_anchor="middle"))
    for value in np.linspace(*limits, 3):
        parts.append(svg.text(LEFT - 4, _y(value, limits) + 3, f"{value:.4g}", class_="tick", text_anchor="end"))
    return parts


def _points(
    values: NDArray[np.float64], ages: NDArray[np.float64], kind: str, limits: tuple[float, float]
) -> list[Markup]:
    return [
        svg.element("circle", cx=_x(age), cy=_y(value, limits), r=1.9, class_=f"point {kind}")
        for value, age in zip(values, ages, strict=True)
    ]


def _ranges(
    values: NDArray[np.float64], ages: NDArray[np.float64], kind: str, number: int, limits: tuple[float, float]
) -> list[Markup]:
    """Median, quartiles and the 5th to 95th centile of each decade that holds enough cases."""
    parts = []
    decades = np.where(ages < 0, -1.0, np.floor(np.clip(ages, *AGES) / DECADE) * DECADE)
    for decade in np.unique(decades):
        inside = values[decades == decade]
        if len(inside) < FEWEST:
            continue
        x = _x(decade if decade < 0 else decade + DECADE / 2) + 3.5 * (number - 1)
        p5, p25, p50, p75, p95 = (_y(value, limits) for value in np.percentile(inside, QUANTILES))
        parts += [
            svg.line(x, p5, x, p95, class_=f"whisker {kind}"),
            svg.line(x, p25, x, p75, class_=f"box {kind}"),
            svg.line(x - 4, p50, x + 4, p50, class_=f"median {kind}"),
        ]
    return parts


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    pad = 0.05 * (high - low) or max(abs(high), 1.0) * 0.1
    return low - pad, high + pad


def _x(age: float) -> float:
    """Place of an age; one that is not known stands at the left."""
    if age < 0:
        return LEFT + 7
    share = (float(np.clip(age, *AGES)) - AGES[0]) / (AGES[1] - AGES[0])
    return LEFT + 20 + share * (WIDTH - LEFT - 30)


def _y(value: float, limits: tuple[float, float]) -> float:
    low, high = limits
    return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - BOTTOM - TOP)

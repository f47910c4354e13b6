"""The picture of Bland and Altman: difference over mean, with the mean difference and the limits of agreement."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from endplate.cohort.agreement import BlandAltman
from endplate.report.figure import svg

WIDTH, HEIGHT, LEFT, BOTTOM = 320.0, 220.0, 44.0, 34.0
MOST_POINTS = 3000


def bland_altman_figure(one: BlandAltman) -> Markup | None:
    """The picture; None without pairs."""
    if not one.pairs or one.low is None or one.high is None or one.bias.value is None:
        return None
    pairs = np.array(one.pairs)
    shown = pairs[:: max(1, len(pairs) // MOST_POINTS)]
    left, right = _padded(pairs[:, 0].min(), pairs[:, 0].max())
    low, high = _padded(min(pairs[:, 1].min(), one.low), max(pairs[:, 1].max(), one.high))

    def x(value: float) -> float:
        return LEFT + (value - left) / (right - left) * (WIDTH - LEFT - 8)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - BOTTOM - 10)

    parts = [svg.element("circle", cx=x(m), cy=y(d), r=2.0, class_="point unknown") for m, d in shown]
    for value, name in ((one.bias.value, "median"), (one.low, "limit"), (one.high, "limit")):
        parts.append(svg.line(LEFT, y(value), WIDTH - 8, y(value), class_=name))
        parts.append(svg.text(WIDTH - 8, y(value) - 3, f"{value:+.2f}", class_="tick", text_anchor="end"))
    for value in np.linspace(left, right, 4):
        parts.append(svg.text(x(float(value)), HEIGHT - 20, f"{value:.0f}", class_="tick", text_anchor="middle"))
    middle = (LEFT + WIDTH) / 2
    parts.append(svg.text(middle, HEIGHT - 5, "mean of both, mm", class_="tick", text_anchor="middle"))
    parts.append(svg.text(4, 9, "measured minus expert, mm", class_="tick"))
    alt = f"{one.kind}: mean difference {one.bias.value:+.2f} mm, limits {one.low:+.2f} to {one.high:+.2f} mm"
    return svg.drawing(WIDTH, HEIGHT, alt, parts, f"bland-altman-{one.kind}")


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = 0.06 * (high - low) or 1.0
    return float(low - pad), float(high + pad)

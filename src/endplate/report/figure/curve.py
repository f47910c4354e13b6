"""Load against shortening of each solved body, with the 0.2 % offset construction that defines its failure load."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from endplate.biomechanics.result import Strength
from endplate.report.figure import svg
from endplate.report.figure.axis import ticks, written

WIDTH, HEIGHT = 330.0, 236.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 10.0, 30.0, 40.0
OFFSET_FRACTION = 0.002
"""The offset of the strength criterion: 0.2 % of the bone's height."""
HEADROOM = 1.12


def curve_figure(strength: Strength, highest_mm: float, highest_n: float) -> Markup | None:
    """One level's curve on axes shared by all levels; None where only the linear solve was run."""
    if len(strength.displacement_mm) < 2:
        return None
    plot = _Plot(highest_mm, highest_n)
    parts = [*plot.axes(), *_offset(strength, plot), *_plateau(strength, plot)]
    points = np.stack([strength.displacement_mm, strength.force_n], axis=-1)
    parts.append(svg.path(plot.place(points), class_="curve"))
    parts += _failure(strength, plot)
    parts.append(svg.text(LEFT, 18, f"{strength.level}", class_="strip-level"))
    name = f"curve-{strength.level}-{strength.load_case}".replace(" ", "-")
    return svg.drawing(WIDTH, HEIGHT, _alt(strength), parts, name)


def shared_limits(strengths: tuple[Strength, ...]) -> tuple[float, float]:
    """Largest shortening (mm) and force (N) over all curves, with headroom."""
    far = [float(s.displacement_mm[-1]) for s in strengths if len(s.displacement_mm)]
    high = [float(np.max(s.force_n)) for s in strengths if len(s.force_n)]
    return (max(far, default=1.0), HEADROOM * max(high, default=1.0))


def _alt(strength: Strength) -> str:
    failure = strength.failure_load_n
    load = "no failure load found" if failure is None else f"failure load {failure:.0f} N"
    return (
        f"{strength.level}: force against shortening under {strength.load_case} load, stiffness "
        f"{strength.stiffness_n_per_mm:.0f} N/mm, {load}."
    )


class _Plot:
    """Axes and the mapping from millimetres and newtons to the picture."""

    def __init__(self, highest_mm: float, highest_n: float) -> None:
        self.span = np.array([highest_mm, highest_n])

    def place(self, points: object) -> np.ndarray:
        """Picture points of (n, 2) mm and N."""
        part = np.asarray(points, float) / self.span
        return np.stack(
            [LEFT + part[..., 0] * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - part[..., 1] * (HEIGHT - TOP - BOTTOM)], -1
        )

    def axes(self) -> list[Markup]:
        """Ticks with faint rules, and the names of both axes."""
        parts = []
        for value in ticks(self.span[0]):
            x, y = self.place([value, 0.0])
            parts.append(svg.line(x, TOP, x, y, class_="rule"))
            parts.append(svg.text(x, y + 15, written(value), class_="small", text_anchor="middle"))
        for value in ticks(self.span[1] / 1000):
            x, y = self.place([0.0, 1000 * value])
            parts.append(svg.line(x, y, WIDTH - RIGHT, y, class_="rule"))
            parts.append(svg.text(x - 5, y + 4, written(value), class_="small", text_anchor="end"))
        parts.append(svg.text(WIDTH - RIGHT, HEIGHT - 6, "shortening (mm)", class_="small", text_anchor="end"))
        parts.append(svg.text(LEFT - 4, TOP - 8, "kN", class_="small", text_anchor="end"))
        return parts


def _offset(strength: Strength, plot: _Plot) -> list[Markup]:
    """The line of the first stiffness, moved right by 0.2 % of the height."""
    start = OFFSET_FRACTION * strength.height_mm
    rise = min(plot.span[1], strength.stiffness_n_per_mm * max(plot.span[0] - start, 0.0))
    end = start + rise / strength.stiffness_n_per_mm
    return [svg.path(plot.place([[start, 0.0], [end, rise]]), class_="offset-line")]


def _plateau(strength: Strength, plot: _Plot) -> list[Markup]:
    if strength.plateau_load_n is None:
        return []
    x, y = plot.place([float(strength.displacement_mm[-1]), strength.plateau_load_n])
    return [svg.rectangle(x - 4, y - 4, 8, 8, class_="plateau-mark")]


def _failure(strength: Strength, plot: _Plot) -> list[Markup]:
    """A ring where the offset line meets the curve, and the load in words."""
    load = strength.failure_load_n
    if load is None:
        return [svg.text(WIDTH - RIGHT, 18, "no failure load", class_="strip-line", text_anchor="end")]
    where = float(np.interp(load, np.maximum.accumulate(strength.force_n), strength.displacement_mm))
    start = OFFSET_FRACTION * strength.height_mm + load / strength.stiffness_n_per_mm
    x, y = plot.place([start if abs(start - where) < 0.2 * plot.span[0] else where, load])
    band = strength.relative_sd * load
    words = f"fails at {load / 1000:.2f} ± {band / 1000:.2f} kN"
    return [
        svg.element("circle", cx=float(x), cy=float(y), r=6, class_="failure-mark"),
        svg.text(WIDTH - RIGHT, 18, words, class_="strip-line", text_anchor="end"),
    ]

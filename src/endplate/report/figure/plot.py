"""Lines over two axes, told apart by dashes as well as colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from endplate.report.figure import svg
from endplate.report.figure.axis import ticks, written

WIDTH, HEIGHT = 330.0, 236.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 10.0, 32.0, 40.0
HEADROOM = 1.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A curve with its name; `style` is a class of the style sheet."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    style: str = "curve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A ring on the picture with a short word beside it."""

    x: float
    y: float
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Title, axis names, what a screen reader says, and the identity on the page."""

    title: str
    across: str
    up: str
    alt: str
    identity: str


def line_plot(words: Words, lines: Sequence[Line], marks: Sequence[Mark] = (), limit: float | None = None) -> Markup:
    """Curves on axes from zero; `limit` is drawn as a dashed level line."""
    held = [line for line in lines if line.x.size > 1]
    max_x = max((float(np.nanmax(line.x)) for line in held), default=1.0) or 1.0
    max_y = max([*(float(np.nanmax(line.y)) for line in held), limit or 0.0], default=1.0) or 1.0
    span = np.array([max_x, HEADROOM * max_y])
    parts = _axes(span, words)
    if limit is not None:
        x, y = _place([0.0, limit], span)
        parts.append(svg.line(x, y, WIDTH - RIGHT, y, class_="offset-line"))
        parts.append(
            svg.text(WIDTH - RIGHT, y - 5, f"limit {written(round(limit, 2))}", class_="small", text_anchor="end")
        )
    for line in held:
        parts.append(svg.path(_place(np.stack([line.x, line.y], axis=-1), span), class_=line.style))
    parts += _key(held) if len(held) > 1 else []
    for mark in marks:
        x, y = _place([mark.x, mark.y], span)
        parts.append(svg.element("circle", cx=float(x), cy=float(y), r=6, class_="failure-mark"))
        parts.append(svg.text(x - 10, y - 8, mark.word, class_="small", text_anchor="end"))
    return svg.drawing(WIDTH, HEIGHT, words.alt, parts, words.identity)


def _place(points: object, span: NDArray[np.float64]) -> NDArray[np.float64]:
    part = np.asarray(points, float) / span
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return np.stack([LEFT + part[..., 0] * wide, HEIGHT - BOTTOM - part[..., 1] * high], -1)


def _axes(span: NDArray[np.float64], words: Words) -> list[Markup]:
    parts = []
    for value in ticks(span[0]):
        x, y = _place([value, 0.0], span)
        parts.append(svg.line(x, TOP, x, y, class_="rule"))
        parts.append(svg.text(x, y + 15, written(value), class_="small", text_anchor="middle"))
    for value in ticks(span[1]):
        x, y = _place([0.0, value], span)
        parts.append(svg.line(x, y, WIDTH - RIGHT, y, class_="rule"))
        parts.append(svg.text(x - 5, y + 4, written(value), class_="small", text_anchor="end"))
    parts.append(svg.text(WIDTH - RIGHT, HEIGHT - 6, words.across, class_="small", text_anchor="end"))
    parts.append(svg.text(4, TOP - 8, words.up, class_="small"))
    parts.append(svg.text(WIDTH - RIGHT, 16, words.title, class_="strip-grade", text_anchor="end"))
    return parts


def _key(lines: Sequence[Line]) -> list[Markup]:
    """A sample of each curve and its name, in the upper left corner, where rising curves leave room."""
    parts = []
    for place, line in enumerate(lines):
        y = TOP + 12 + 16 * place
        parts.append(svg.line(LEFT + 8, y, LEFT + 36, y, class_=line.style))
        parts.append(svg.text(LEFT + 42, y + 4, line.name, class_="small"))
    return parts

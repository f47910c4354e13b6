"""A needle drawn at its true width in any projection: solid outside the bone, see-through within, its target ringed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from endplate.repair.access.access_result import ARC_CORNERS, NeedlePath
from endplate.report.figure import svg

Project = Callable[[NDArray[np.float64]], NDArray[np.float64]]
SIDE_COLOUR = {"left": "#2f8fe8", "right": "#f28c1e"}
"""Blue and orange: told apart with every common colour blindness, and both seen on CT and on paper."""
BREACH_COLOUR = "#e3342f"
HUB_MM = 60.0
"""How far behind the bone's entry the needle is drawn where the skin is not known."""
RIM = 24
"""Corners of the round tip and of a needle seen end on."""


def needle_marks(path: NeedlePath, project: Project, per_mm: float, size: tuple[float, float]) -> list[Markup]:
    """The needle, its target and what it breaks.

    Parameters
    ----------
    project : world LPS mm (..., 3) to drawing units (..., 2), without perspective.
    per_mm : drawing units per millimetre. size : width and height of the picture; breaches outside are left out.
    """
    tip = path.target_mm if path.bend_deg else path.end_mm
    forward = (path.target_mm - path.entry_mm) / np.linalg.norm(path.target_mm - path.entry_mm)
    start = path.entry_mm - HUB_MM * forward if path.skin_mm is None else path.skin_mm - HUB_MM / 2 * forward
    radius = path.needle.outer_mm / 2
    colour = SIDE_COLOUR[path.side]
    parts = [
        _shaft(start, path.entry_mm, radius, project, per_mm, fill=colour, stroke="#ffffff", stroke_width=0.8),
        _shaft(
            path.entry_mm,
            tip - radius * forward,
            radius,
            project,
            per_mm,
            fill=colour,
            fill_opacity=0.45,
            stroke=colour,
            stroke_width=1.2,
        ),
    ]
    parts += _bent(path, radius, project, per_mm)
    x, y = project(path.target_mm)
    parts.append(
        svg.element("circle", cx=float(x), cy=float(y), r=2.6, fill="#ffffff", stroke="#000000", stroke_width=1)
    )
    for breach in path.breaches:
        x, y = project(np.array(breach.at_mm))
        if 0 <= x <= size[0] and 0 <= y <= size[1]:
            parts += [
                svg.line(x - 5, y - 5, x + 5, y + 5, stroke=BREACH_COLOUR, stroke_width=2.5),
                svg.line(x - 5, y + 5, x + 5, y - 5, stroke=BREACH_COLOUR, stroke_width=2.5),
            ]
    return parts


def _bent(path: NeedlePath, radius_mm: float, project: Project, per_mm: float) -> list[Markup]:
    """The channel of a curved balloon beyond the needle; none for a straight one."""
    if path.arc is None:
        return []
    last = 1 - radius_mm / path.arc.length_mm
    places = project(np.stack([path.arc.at(float(share)) for share in np.linspace(0, last, int(ARC_CORNERS))]))
    return [
        svg.path(
            places,
            closed=False,
            fill="none",
            stroke=SIDE_COLOUR[path.side],
            stroke_opacity=0.45,
            stroke_width=2 * radius_mm * per_mm,
            stroke_linecap="round",
        )
    ]


def _shaft(
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    radius_mm: float,
    project: Project,
    per_mm: float,
    **attributes: object,
) -> Markup:
    """Outline of a round-ended cylinder as it is projected: the hull of two circles."""
    from scipy.spatial import ConvexHull

    turn = np.linspace(0, 2 * np.pi, RIM, endpoint=False)
    circle = radius_mm * per_mm * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    points = np.concatenate([project(start) + circle, project(stop) + circle])
    return svg.path(points[ConvexHull(points).vertices], closed=True, **attributes)

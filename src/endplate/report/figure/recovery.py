"""A patient's scores against the band that trials let expect; the band is one SD between patients, never a promise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from endplate.decision.recovery.expected_course import DAYS, MAX, CourseModel, course
from endplate.decision.recovery.visit_scores import VisitScores
from endplate.report.figure import svg
from endplate.report.figure.axis import ticks, written

WIDTH, HEIGHT = 560.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 24.0, 24.0, 40.0
LAST_DAY = DAYS["12 mo"]


def recovery_figure(track: CourseModel, start: VisitScores, readings: Sequence[VisitScores] = ()) -> Markup | None:
    """One scale over a year: band, expected line, and the patient's own readings; None without a score to start from.

    Time runs by its square root, so that the first weeks, in which most happens, have room.
    """
    baseline = getattr(start, track.scale)
    if baseline is None:
        return None
    bands = course(track, float(baseline))
    days = [band.day for band in bands]
    place = _Place(MAX[track.scale])
    upper = place(days, [band.high for band in bands])
    lower = place(days, [band.low for band in bands])
    parts = [
        *place.axes(track.scale),
        svg.path(np.concatenate([upper, lower[::-1]]), closed=True, class_="expected-band"),
        svg.path(place(days, [band.middle for band in bands]), class_="expected-line"),
        *_own(track, start, readings, place),
    ]
    name = f"recovery-{track.name}".replace(" ", "-").replace(",", "").replace("(", "").replace(")", "")
    return svg.drawing(WIDTH, HEIGHT, _alt(track, float(baseline), readings), parts, name)


def _alt(track: CourseModel, baseline: float, readings: Sequence[VisitScores]) -> str:
    last = course(track, baseline)[-1]
    seen = [getattr(r, track.scale) for r in readings if getattr(r, track.scale) is not None]
    own = f"; the patient's readings: {', '.join(f'{value:g}' for value in seen)}" if seen else ""
    return (
        f"{track.name}: from {baseline:g}, expected {last.middle:.1f} ({last.low:.1f} to {last.high:.1f}) "
        f"after a year{own}."
    )


def _own(track: CourseModel, start: VisitScores, readings: Sequence[VisitScores], place: _Place) -> list[Markup]:
    known = [r for r in (start, *readings) if getattr(r, track.scale) is not None]
    days = [float((r.on - start.on).days) for r in known]
    shown = [(day, float(getattr(r, track.scale))) for day, r in zip(days, known, strict=True) if day <= LAST_DAY]
    points = place([day for day, _ in shown], [score for _, score in shown])
    marks = [svg.element("circle", cx=float(x), cy=float(y), r=4.5, class_="own-mark") for x, y in points]
    return [svg.path(points, class_="own-line"), *marks] if len(points) > 1 else marks


class _Place:
    """Days and scores to picture points."""

    def __init__(self, most: float) -> None:
        self.most = most

    def __call__(self, days: Sequence[float], scores: Sequence[float]) -> np.ndarray:
        x = LEFT + np.sqrt(np.asarray(days, float) / LAST_DAY) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - np.asarray(scores, float) / self.most * (HEIGHT - TOP - BOTTOM)
        return np.stack([x, y], axis=-1)

    def axes(self, scale: str) -> list[Markup]:
        """Rules at the times that trials asked, and round scores."""
        parts = []
        for name, day in {"start": 0.0, **{name: float(day) for name, day in DAYS.items()}}.items():
            ((x, y),) = self([day], [0.0])
            parts.append(svg.line(x, TOP, x, y, class_="rule"))
            if name != "1 d":  # no room beside the start
                parts.append(svg.text(x, y + 15, name, class_="small", text_anchor="middle"))
        for value in ticks(self.most):
            ((x, y),) = self([0.0], [value])
            parts.append(svg.line(x, y, WIDTH - RIGHT, y, class_="rule"))
            parts.append(svg.text(x - 5, y + 4, written(value), class_="small", text_anchor="end"))
        parts.append(svg.text(WIDTH - RIGHT, HEIGHT - 6, "time since the start", class_="small", text_anchor="end"))
        parts.append(svg.text(LEFT - 4, TOP - 8, scale.upper(), class_="small", text_anchor="end"))
        return parts

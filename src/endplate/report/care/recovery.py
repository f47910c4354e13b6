"""Recovery on the page: the band of each option from this patient's own scores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from endplate.decision.recovery.expected_course import Procedure, Scale, course_models_for
from endplate.decision.recovery.visit_scores import visit_scores
from endplate.patient import PatientRecord
from endplate.report.figure.recovery import recovery_figure

OPTIONS: tuple[Procedure, ...] = ("none", "vertebroplasty", "kyphoplasty")
SCALES: tuple[Scale, ...] = ("nrs", "rmdq", "odi")
A_DAY = date(2000, 1, 1)
"""Only differences of days count here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One expected course: its name, the trials it was read from, and the picture."""

    name: str
    basis: str
    figure: Markup


def bands(record: PatientRecord) -> tuple[Band, ...]:
    """Expected courses from today's scores, for no procedure and for each; empty where no score is known."""
    start = visit_scores(record, record.recorded_on or A_DAY)
    age = record.episode.days_at(record.recorded_on)
    return tuple(
        Band(name=track.name, basis=track.basis, figure=figure)
        for scale in SCALES
        for option in OPTIONS
        for track in course_models_for(option, scale, age)
        if (figure := recovery_figure(track, start)) is not None
    )

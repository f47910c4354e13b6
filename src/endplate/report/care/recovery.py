"""Recovery on the page: the band of each option from this patient's own scores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from endplate.decision.recovery.reading import Reading
from endplate.decision.recovery.tracks import Procedure, Scale, tracks_for
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
    start = baseline(record)
    age = fracture_days(record)
    return tuple(
        Band(name=track.name, basis=track.basis, figure=figure)
        for scale in SCALES
        for option in OPTIONS
        for track in tracks_for(option, scale, age)
        if (figure := recovery_figure(track, start)) is not None
    )


def baseline(record: PatientRecord) -> Reading:
    """Today's scores."""
    asked = record.questionnaires
    return Reading(
        on=record.recorded_on or A_DAY,
        nrs=record.pain.under_analgesia,
        rmdq=asked.rmdq.score.value if asked.rmdq else None,
        odi=asked.odi.score.value if asked.odi else None,
        height_cm=record.height_cm,
    )


def fracture_days(record: PatientRecord) -> float | None:
    """Age of the fracture on the day of the record."""
    if record.episode.onset_days is not None:
        return record.episode.onset_days
    if record.episode.onset_on is None or record.recorded_on is None:
        return None
    return float((record.recorded_on - record.episode.onset_on).days)

"""What is known of a patient on one day after the start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from endplate.patient import PatientRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitScores:
    """Scores and signs of one visit; None is unknown.

    Attributes
    ----------
    nrs : pain 0-10. rmdq : 0-24. odi : percent. eq5d : index. qualeffo : 0-100, 0 best. pcs : SF-36, physical.
    height_cm : stature. new_focal_pain : at a level not painful before.
    deficit, fever, breathless : new since the start; breathless covers dyspnoea and chest pain.
    """

    on: date
    nrs: float | None = None
    rmdq: float | None = None
    odi: float | None = None
    eq5d: float | None = None
    qualeffo: float | None = None
    pcs: float | None = None
    height_cm: float | None = None
    new_focal_pain: bool | None = None
    deficit: bool | None = None
    fever: bool | None = None
    breathless: bool | None = None


SCORES = ("nrs", "rmdq", "odi", "eq5d", "qualeffo", "pcs", "height_cm")
"""What is measured at a visit; the rest of a reading are signs."""


def visit_scores(record: PatientRecord, on: date) -> VisitScores:
    """The scores that a record holds, as the reading of a day."""
    asked = record.questionnaires
    return VisitScores(
        on=on,
        nrs=record.pain.under_analgesia,
        rmdq=asked.rmdq.score.value if asked.rmdq else None,
        odi=asked.odi.score.value if asked.odi else None,
        eq5d=asked.eq5d.index if asked.eq5d else None,
        qualeffo=asked.qualeffo.score.value if asked.qualeffo else None,
        pcs=asked.sf36.physical if asked.sf36 else None,
        height_cm=record.height_cm,
    )

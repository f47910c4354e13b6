"""A series as an archive lists it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

KEYS = (
    "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesDescription", "BodyPartExamined", "PatientID",
    "StudyDate", "NumberOfSeriesRelatedInstances",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSeries:
    """Identifiers and the few facts by which a person tells series apart; "" where the archive does not say."""

    study_uid: str
    series_uid: str
    modality: str = ""
    description: str = ""
    body_part: str = ""
    patient_id: str = ""
    study_date: str = ""
    instances: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuery:
    """What is looked for; None matches all."""

    study_uid: str | None = None
    series_uid: str | None = None
    patient_id: str | None = None
    accession: str | None = None
    modality: str | None = None

    def filters(self) -> dict[str, str]:
        """Keyword to value of what is given."""
        given = {
            "StudyInstanceUID": self.study_uid,
            "SeriesInstanceUID": self.series_uid,
            "PatientID": self.patient_id,
            "AccessionNumber": self.accession,
            "Modality": self.modality,
        }
        return {key: value for key, value in given.items() if value}


def series_of(answer: Any) -> FoundSeries:
    """A series from an answer of either protocol."""

    def text(key: str) -> str:
        value = answer.get(key)
        return "" if value is None else str(value)

    count = text("NumberOfSeriesRelatedInstances")
    return FoundSeries(
        study_uid=text("StudyInstanceUID"),
        series_uid=text("SeriesInstanceUID"),
        modality=text("Modality"),
        description=text("SeriesDescription"),
        body_part=text("BodyPartExamined"),
        patient_id=text("PatientID"),
        study_date=text("StudyDate"),
        instances=int(count) if count.isdigit() else None,
    )

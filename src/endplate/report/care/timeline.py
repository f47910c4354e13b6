"""The episode in its order: every dated thing of the record, counted from the onset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from endplate.patient import PatientRecord
from endplate.patient.dates import every_date

NAMES = {
    "episode.onset_on": "onset of the pain",
    "episode.admitted_on": "admitted",
    "recorded_on": "this record",
    "studies.mri_on": "MRI",
    "studies.ct_on": "CT",
    "studies.bone_scan_on": "bone scan",
    "pain.rated_on": "pain rated",
    "falls.tested_on": "fall tests",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A dated thing; `day` counts from the onset, None where it is unknown."""

    on: date
    day: int | None
    text: str


def timeline(record: PatientRecord) -> tuple[Event, ...]:
    """All dated things of a record, oldest first."""
    onset = record.episode.onset_on
    found = [(on, _named(record, path)) for path, on in every_date(record)]
    return tuple(
        Event(on=on, day=None if onset is None else (on - onset).days, text=text)
        for on, text in sorted(set(found), key=lambda pair: (pair[0], pair[1]))
    )


def _named(record: PatientRecord, path: str) -> str:
    """A dotted path in words; items of lists by what they are."""
    if path in NAMES:
        return NAMES[path]
    parts = path.split(".")
    for place, part in enumerate(parts):
        if part.isdigit():
            item = _at(record, parts[: place + 1])
            name = next((getattr(item, key) for key in ("measure", "drug", "kind", "site") if hasattr(item, key)), "")
            name = name or parts[place - 1].removesuffix("s").replace("_", " ")
            return f"{name}: {_step(parts[-1])}"
    return " ".join(part.replace("_", " ") for part in parts if part != "on").removesuffix(" on")


def _step(name: str) -> str:
    return {"started_on": "started", "stopped_on": "stopped", "on": "done", "admitted_on": "admitted"}.get(name, name)


def _at(value: object, parts: list[str]) -> object:
    for part in parts:
        value = value[int(part)] if isinstance(value, tuple) else getattr(value, part)
    return value

"""How an episode begins: from a patient record, and a scan of that day where there is one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from endplate.decision.recovery.visit_scores import visit_scores
from endplate.errors import OptionError
from endplate.followup.write import scan_row
from endplate.patient import PatientRecord
from endplate.patient.scale import SCALES

RANGES: dict[str, tuple[float, float]] = {
    **{name: (min(scale.worst, scale.best), max(scale.worst, scale.best)) for name, scale in SCALES.items()},
    "height_cm": (40, 260),
}
"""Ends of the scales, and of human stature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What `write.start_episode` is given, and in words the repairs that are no part of the episode."""

    patient: dict[str, Any]
    rows: tuple[tuple[str, dict[str, Any]], ...]
    more: dict[str, Any]
    others: tuple[str, ...]


def beginning(
    record: PatientRecord, levels: Sequence[str], first: date, document: Mapping[str, Any] | None = None
) -> Beginning:
    """The rows with which an episode begins.

    Parameters
    ----------
    record : with an id. levels : fractured ones that the episode is about. first : the day it came under care.
    document : of a scan of that day.
    """
    more = {
        "onset_on": record.episode.onset_before(first),
        "low_energy": record.episode.low_energy,
        "record": json.loads(record.model_dump_json(exclude_none=True)),
    }
    stated = asdict(visit_scores(record, first))
    scores = {name: stated[name] for name in RANGES if stated[name] is not None}
    rows: list[tuple[str, dict[str, Any]]] = [("visit", {"on": first, **scores})] if scores else []
    repairs, others = _repairs(record, levels, more["onset_on"] or first)
    rows += [("repair", row) for row in repairs]
    if document is not None:
        rows.append(("scan", scan_row(first, document)))
    patient = {"id": record.id, "sex": record.sex, "age_yr": record.age_yr}
    return Beginning(patient=patient, rows=tuple(rows), more=more, others=tuple(others))


def in_range(values: Mapping[str, Any]) -> None:
    """Refuse a score beyond its scale.

    Raises
    ------
    OptionError : naming it.
    """
    for name, (low, high) in RANGES.items():
        if name in values and not low <= values[name] <= high:
            raise OptionError(f"{name} is {values[name]:g}", f"it runs from {low:g} to {high:g}", "check the value")


def _repairs(record: PatientRecord, wanted: Sequence[str], since: date) -> tuple[list[dict[str, Any]], list[str]]:
    """Repairs of these levels since the onset; and in words those that are of something else, or not dated."""
    rows, others = [], []
    for done in record.procedures:
        if done.on is not None and done.on >= since and set(done.levels) & set(wanted):
            rows.append({"kind": done.kind, "levels": list(done.levels), "on": done.on})
        else:
            others.append(f"{done.kind} of {', '.join(done.levels) or 'no level'}, {done.on or 'day unknown'}")
    return rows, others

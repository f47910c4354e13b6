"""Dates of a record: none to come, none after the day of the record, no study before the fracture it is read for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel

from endplate.cited import cited
from endplate.patient.base import in_order

FIRST_YEAR = cited(1900.0, "yr", "Own choice: no patient has anything older, so it is a slip of the pen", "design")

SHOWN_BY = {"mri_on": ("oedema", "double_band"), "bone_scan_on": ("uptake",)}
"""What rule sets take, as of this fracture, from each study."""


def check_dates(record: Any) -> None:
    """Refuse a day still to come or after the day of the record, and what belongs to the episode but lies before it.

    An older study may be named; what it showed may not be told as of this fracture.

    Raises
    ------
    ValueError : the message names both dates.
    """
    day, tomorrow = ("recorded_on", record.recorded_on), date.today() + timedelta(days=1)
    for name, value in every_date(record):
        if value > tomorrow:
            raise ValueError(f"{name} ({value}) lies in the future (today is {date.today()})")
        if value.year < FIRST_YEAR:
            raise ValueError(f"{name} ({value}) lies before {FIRST_YEAR:g}")
        if name != "recorded_on":
            in_order((name, value), day)
    _agree(record)
    onset = ("episode.onset_on", record.episode.onset_on)
    for number, procedure in enumerate(record.procedures):
        in_order(onset, (f"procedures.{number}.on", procedure.on))
    _studies(record)


def _studies(record: Any) -> None:
    """Refuse a reading told of a level from a study that is older than its fracture."""
    onset, name = record.episode.onset_before(record.recorded_on), "episode.onset_on"
    if record.episode.onset_on is None:
        name = "the onset by episode.onset_days"
    for level, read in record.levels.items():
        first = (name, onset) if read.fracture_on is None else (f"levels.{level}.fracture_on", read.fracture_on)
        for study, signs in SHOWN_BY.items():
            stated = next((sign for sign in signs if getattr(read, sign) is not None), None)
            if stated is not None:
                in_order(
                    first, (f"levels.{level}.{stated} is told, but studies.{study}", getattr(record.studies, study))
                )


def _agree(record: Any) -> None:
    """Refuse days since the onset that contradict its date."""
    both = record.episode.onset_on is not None and record.episode.onset_days is not None
    if both and record.recorded_on is not None:
        days = (record.recorded_on - record.episode.onset_on).days
        if abs(days - record.episode.onset_days) > 1:
            raise ValueError(
                f"episode.onset_days is {record.episode.onset_days:g}, but episode.onset_on ({record.episode.onset_on})"
                f" lies {days} days before recorded_on ({record.recorded_on})"
            )


def every_date(part: BaseModel, prefix: str = "") -> Iterator[tuple[str, date]]:
    """Dotted names and values of all dates in a record that are given."""
    for name in part.model_fields_set:
        yield from _dates(getattr(part, name), f"{prefix}{name}")


def _dates(value: Any, name: str) -> Iterator[tuple[str, date]]:
    if isinstance(value, date):
        yield name, value
    elif isinstance(value, BaseModel):
        yield from every_date(value, f"{name}.")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _dates(item, f"{name}.{key}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _dates(item, f"{name}.{number}")

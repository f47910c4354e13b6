"""Dates of a record in their order: nothing lies after the day of the record, no study before the onset it explains."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from pydantic import BaseModel

from endplate.patient.part import in_order


def check_dates(record: Any) -> None:
    """Refuse a date that lies after the day of the record, or a procedure before its episode.

    Raises
    ------
    ValueError : the message names both dates.
    """
    day = ("recorded_on", record.recorded_on)
    for name, value in every_date(record):
        if name != "recorded_on":
            in_order((name, value), day)
    onset = ("episode.onset_on", record.episode.onset_on)
    for number, procedure in enumerate(record.procedures):
        in_order(onset, (f"procedures.{number}.on", procedure.on))
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

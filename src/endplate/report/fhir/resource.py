"""What all resources share: the patient they speak of, and days where the record holds them."""

from __future__ import annotations

from datetime import date
from typing import Any

Resource = dict[str, Any]

SUBJECT = {"reference": "Patient/patient"}


def dated(name: str, day: date | None) -> Resource:
    """A day under its name; nothing where it is not known."""
    return {} if day is None else {name: day.isoformat()}

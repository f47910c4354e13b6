"""When a resource was true: each place where FHIR keeps a day, and the encounter's where it keeps none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

Resource = dict[str, Any]

DAY_LENGTH = len("2000-01-01")
MOMENTS = ("effectiveDateTime", "effectiveInstant", "performedDateTime", "onsetDateTime", "authored")
PERIODS = ("effectivePeriod", "performedPeriod", "onsetPeriod")
WRITTEN = ("issued", "authoredOn", "dateAsserted", "recordedDate")
"""When it was written down: used where nothing says when it was true."""


def day_text(resource: Resource, encounters: Mapping[str, Resource]) -> str:
    """The day as FHIR writes it, cut to a day, and perhaps only a year or month; empty where none is known.

    Of a period its end counts for an observation, since the value is that of the end, else its start.
    """
    found = _first(resource, MOMENTS) or _of_period(resource) or _encountered(resource, encounters)
    return str(found or _first(resource, WRITTEN) or "")[:DAY_LENGTH]


def _first(resource: Resource, names: tuple[str, ...]) -> Any:
    return next((resource[name] for name in names if resource.get(name)), None)


def _of_period(resource: Resource) -> Any:
    period = _first(resource, PERIODS) or {}
    return _first(period, ("end", "start") if resource["resourceType"] == "Observation" else ("start", "end"))


def item_day(text: str) -> dict[str, str]:
    """The day of an item of a list, by the end of its path; nothing where only a year or month is known."""
    return {".on": text} if whole_day(text) else {}


def too_late(text: str, today: date) -> str:
    """Why a day may not be used: it lies after the day of the record; empty where it may."""
    late = text[:DAY_LENGTH] > today.isoformat()
    return f"dated {text}, after the day of the record, {today}" if late else ""


def _encountered(resource: Resource, encounters: Mapping[str, Resource]) -> str | None:
    reference = (resource.get("encounter") or {}).get("reference")
    period = encounters.get(bare(reference), {}).get("period", {}) if reference else {}
    return period.get("start") or period.get("end")


def whole_day(text: str) -> date | None:
    """A day; None where the text holds none, or only a year or month."""
    try:
        return date.fromisoformat(text[:DAY_LENGTH]) if len(text) >= DAY_LENGTH else None
    except ValueError:
        return None


def ended(period: Any, today: date) -> date | None:
    """The day on which a period ended, if it did so before `today`."""
    end = whole_day(str(period.get("end") or "")) if isinstance(period, dict) else None
    return end if end is not None and end < today else None


def bare(reference: Any) -> str:
    """The last part of a reference: an id, without server, kind, version or scheme."""
    text = str(reference or "").split("/_history/")[0].split("|")[0]
    return text.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]

"""Steps of fracture liaison that the record of an episode shows as done already: density, falls, a drug begun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from endplate.cited import cited

DENSITY_SITES = ("spine", "femoral neck", "total hip")
DENSITY_STANDS_DAYS = cited(365.0, "d", "A density test of the year before stands: own choice", "design")
FALL_TESTS = ("tug_s", "tandem_s", "chair_stands", "stay_independent")
KEY_QUESTIONS = ("past_year", "unsteady", "worried")


def record_steps(record: Any, started_on: date) -> dict[str, date]:
    """The day of each step that a stored record shows.

    Parameters
    ----------
    record : as stored with an episode; None, or anything that is no record, shows nothing.
    started_on : the first day of the episode. What was done in time before counts as done on it.
    """
    if not isinstance(record, Mapping):
        return {}
    found = {"density tested": _density(record, started_on), "falls assessed": _falls(record, started_on),
             "drug started": _drug(record, started_on)}  # fmt: skip
    return {step: max(on, started_on) for step, on in found.items() if on is not None}


def _density(record: Mapping[str, Any], started_on: date) -> date | None:
    """The newest test of spine or hip, if it is of the year before or later."""
    tests = _parts(_part(record, "bone").get("tests"))
    days = [on for test in tests if test.get("site") in DENSITY_SITES and (on := _day(test.get("on")))]
    since = started_on - timedelta(DENSITY_STANDS_DAYS)
    return max((on for on in days if on >= since), default=None)


def _falls(record: Mapping[str, Any], started_on: date) -> date | None:
    """A fall test, or an answer to all three key questions."""
    falls = _part(record, "falls")
    tested = any(name in falls for name in FALL_TESTS) or all(name in falls for name in KEY_QUESTIONS)
    return (_day(falls.get("tested_on")) or started_on) if tested else None


def _drug(record: Mapping[str, Any], started_on: date) -> date | None:
    """The first day under an osteoporosis drug that is taken still."""
    drugs = _parts(_part(record, "drugs").get("bone_drugs"))
    days = [on for drug in drugs if drug.get("stopped_on") is None and (on := _day(drug.get("started_on")))]
    return min(days, default=None)


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}


def _parts(items: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else iter(())


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None

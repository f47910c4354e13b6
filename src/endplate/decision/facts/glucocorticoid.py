"""Glucocorticoid courses of a record: the dose that is taken now, and what was taken before and has ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from endplate.cited import cited
from endplate.decision.facts.durations import days_between, months
from endplate.patient import PatientRecord
from endplate.patient.drugs import Glucocorticoid
from endplate.patient.medication import medication

LONG_MONTHS = cited(3.0, "mo", "Courses of 3 months or more count first", "verified", cite="acr_giop_2022")


def glucocorticoid_facts(record: PatientRecord) -> Iterator[tuple[str, Any]]:
    """Dose and months now and of the past, each of the heaviest long course; no course at all counts as none taken.

    Courses are those told and those that the list of drugs names.
    """
    found, today = medication(record.drugs), record.recorded_on
    courses = found.courses
    yield "glucocorticoid_g_yr", _grams(record)
    if courses is None:
        return
    ended = [course for course in courses if course.stopped_on is not None or course.ongoing is False]
    running = [course for course in courses if course not in ended]
    if found.dose_unknown:
        # One more is taken, of unknown dose: what is known is not the heaviest.
        return
    for name, some in (("glucocorticoid", running), ("glucocorticoid_past", ended)):
        dose, lasted = _heaviest(some, today)
        yield f"{name}_mg_d", dose
        yield f"{name}_months", lasted


def _grams(record: PatientRecord) -> float | None:
    stated = record.drugs.cumulative_prednisone_g_year
    return 0.0 if stated is None and medication(record.drugs).courses == () else stated


def _heaviest(courses: Iterable[Glucocorticoid], today: date | None) -> tuple[float, float | None]:
    """The heaviest course among the long ones, else among all."""
    lasted = [(course.prednisone_mg_day, _months(course, today)) for course in courses]
    return max(lasted, key=lambda one: ((one[1] or 0) >= LONG_MONTHS, one[0]), default=(0.0, 0.0))


def _months(course: Glucocorticoid, today: date | None) -> float | None:
    if course.months is not None:
        return course.months
    end = course.stopped_on or (None if course.ongoing is False else today)
    return months(days_between(course.started_on, end))

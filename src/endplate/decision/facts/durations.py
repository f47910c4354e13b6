"""How long ago, and how long: days between dates, days as months."""

from __future__ import annotations

from datetime import date

from endplate.cited import cited

MONTH_DAYS = cited(30.4375, "d", "Month of UCUM (mo): 365.25 d / 12, exact by definition", "recomputed", cite="ucum")


def days_between(earlier: date | None, later: date | None) -> int | None:
    """Whole days, None where a date is unknown or they stand the wrong way round."""
    if earlier is None or later is None or later < earlier:
        return None
    return (later - earlier).days


def months(days: float | None) -> float | None:
    """Days as months."""
    return None if days is None else days / MONTH_DAYS

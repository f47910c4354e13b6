"""When a patient should be seen, and since when a visit is overdue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from endplate.cited import cited_table

_SOURCE = "own choice: visits at 2-4 weeks, then 3, 6 and 12 months; windows alike"
VISIT_FROM_DAYS = cited_table(
    "visit.from", "d", _SOURCE, "design", {"2-4 weeks": 14.0, "3 months": 77.0, "6 months": 161.0, "12 months": 335.0}
)
VISIT_UNTIL_DAYS = cited_table(
    "visit.until", "d", _SOURCE, "design", {"2-4 weeks": 28.0, "3 months": 105.0, "6 months": 203.0, "12 months": 395.0}
)
SAME_DAY = "same day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A visit that is due: its name and window; overdue once the window of the first one missed has closed."""

    visit: str
    opens: date
    closes: date
    missed_since: date
    overdue: bool

    @property
    def words(self) -> str:
        """What is due and until when, with its days, as a sentence without its full stop."""
        if self.visit == SAME_DAY:
            return f"to be seen the same day: an emergency sign stands since {self.opens}"
        return f"visit at {self.visit}, due from {self.opens} to {self.closes}"

    @property
    def missed(self) -> str:
        """What was missed, as a sentence without its full stop; empty where nothing was."""
        return f"overdue: the patient should have been seen by {self.missed_since}" if self.overdue else ""


def due_visit(start: date, seen: Iterable[date], today: date) -> Due | None:
    """The latest visit whose window has opened and in which (or after which) nobody saw the patient; None if none."""
    last = max(seen, default=None)
    missed = [window for window in windows(start) if today >= window[1] and (last is None or last < window[1])]
    if not missed:
        return None
    name, opens, closes = missed[-1]
    first_closed = missed[0][2]
    return Due(visit=name, opens=opens, closes=closes, missed_since=first_closed, overdue=today > first_closed)


def alarm_visit(since: date, today: date) -> Due:
    """The visit that an emergency sign calls for: due on the day of the sign."""
    return Due(visit=SAME_DAY, opens=since, closes=since, missed_since=since, overdue=today > since)


def windows(start: date) -> tuple[tuple[str, date, date], ...]:
    """All visits with the days on which their windows open and close."""
    return tuple(
        (name, start + timedelta(float(first)), start + timedelta(VISIT_UNTIL_DAYS[name]))
        for name, first in VISIT_FROM_DAYS.items()
    )

"""Several scans of one patient: each against the one before, and against the first, so that a slow collapse is seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from endplate.decision.recovery.deformity import Change, compare, measured

Scans = Sequence[tuple[date, Mapping[str, Any]]]
"""Days and documents, oldest first."""

Repairs = Sequence[tuple[date, Sequence[str]]]
"""Days and levels."""


def scan_series(scans: Scans, repairs: Repairs = ()) -> tuple[tuple[Change, ...], ...]:
    """The changes of each scan, level by level; none for the first.

    A level is held against the scan before and, where that is another one, against the scan that its loss counts from:
    the first that measured it, after a repair the first since, after a loss was found the one that showed it.
    """
    counts_from: dict[str, int] = {}
    out = []
    for place, (on, document) in enumerate(scans):
        found = list(_against(place - 1, place, scans, repairs)) if place else []
        done = set()
        for level in sorted({level for level, _ in measured(document)}):
            first = counts_from.setdefault(level, place)
            if level in _repaired(repairs, scans[first][0], on):
                counts_from[level] = place
            elif first < place - 1:
                done.add(first)
        for first in sorted(done):
            slow = _against(first, place, scans, repairs)
            found += [change for change in slow if counts_from.get(change.level) == first]
        counts_from |= {change.level: place for change in found if change.worse == "yes"}
        out.append(tuple(found))
    return tuple(out)


def _against(first: int, last: int, scans: Scans, repairs: Repairs) -> Iterator[Change]:
    """The changes between two scans, with the day of the earlier one."""
    (before_on, before), (on, after) = scans[first], scans[last]
    treated = _repaired(repairs, date.min, on)
    for change in compare(before, after, treated, _repaired(repairs, before_on, on)):
        yield replace(change, against=before_on)


def _repaired(repairs: Repairs, since: date, until: date) -> set[str]:
    """Levels repaired after one day, up to another."""
    return {level for on, levels in repairs if since < on <= until for level in levels}

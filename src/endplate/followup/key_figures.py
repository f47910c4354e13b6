"""Key figures of a fracture liaison service over the whole database (IOF/FFN/NOF set, Javaid 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from endplate.cited import cited, cited_table
from endplate.followup.record_steps import record_steps
from endplate.followup.row import Damage, read_rows, stored
from endplate.store import tables
from endplate.store.database import Store

_SOURCE = "IOF/FFN/NOF key performance indicators 2020 (Javaid)"
WITHIN_DAYS = cited_table(
    "kpi.within",
    "d",
    _SOURCE,
    "verified",
    {
        "risk assessed": 84.0,
        "density tested": 84.0,
        "exercise started": 112.0,
        "monitored": 112.0,
        "drug started": 112.0,
    },
    cite="javaid_2020",
)
ON_DRUG_DAYS = cited(364.0, "d", _SOURCE + ": on the drug at 52 weeks", "verified", cite="javaid_2020")
LOW_PERCENT = cited(50.0, "%", _SOURCE + ": bands below 50, 50-80, above 80 %", "verified", cite="javaid_2020")
HIGH_PERCENT = cited(80.0, "%", _SOURCE + ": bands below 50, 50-80, above 80 %", "verified", cite="javaid_2020")
KEPT = "on drug at 52 weeks"
NO_LIMIT = ("falls assessed", "drug recommended")

COMPLETE = ("onset_on", "low_energy", "record")
"""Fields of an episode that the figure on completeness counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigure:
    """A share of episodes, with what it counts. `percent` is None where nobody can be counted yet."""

    name: str
    done: int
    of: int
    percent: float | None
    band: str


def key_figures(store: Store, today: date, damage: list[Damage] | None = None) -> tuple[KeyFigure, ...]:
    """All figures as of a day. An episode counts once the time allowed has passed, or the step was done.

    A step is done that was ticked off, or that the episode's record shows (`record_steps`).

    Episodes known to be of high energy are left out; the others count, those of unknown energy too. What cannot be read
    is added to `damage`.
    """
    episode, milestone = tables.episode, tables.milestone
    with store.reading() as connection:
        columns = ("id", "started_on", *COMPLETE)
        counted = episode.c.low_energy.isnot(False) & (episode.c.started_on <= today)
        rows = read_rows(connection, episode, stored(episode, *columns).where(counted), damage)
        done: dict[tuple[int, str], date] = {}
        marks = stored(milestone, "id", "episode_id", "kind", "on").where(milestone.c.on <= today)
        for mark in read_rows(connection, milestone, marks, damage):
            key = (mark.episode_id, mark.kind)
            # Ticked twice: the first day counts, except for what is asked at the end of a year.
            first = max if mark.kind == KEPT else min
            done[key] = first(done.get(key, mark.on), mark.on)
    for row in rows:
        for kind, on in record_steps(row.record, row.started_on).items():
            # What the record shows counts beside what was ticked; the first day of the two.
            if on <= today:
                done[row.id, kind] = min(done.get((row.id, kind), on), on)
    out = [_within(name, float(days), rows, done, today) for name, days in WITHIN_DAYS.items()]
    out += [_within(name, None, rows, done, today) for name in NO_LIMIT]
    out.append(_kept(KEPT, rows, done, today))
    filled = sum(sum(getattr(row, name) is not None for name in COMPLETE) for row in rows)
    return (*out, _figure("data complete", filled, len(rows) * len(COMPLETE)))


def _within(
    name: str, days: float | None, rows: Sequence[Any], done: dict[tuple[int, str], date], today: date
) -> KeyFigure:
    """Share in which a step came in time."""
    in_time = counted = 0
    for row in rows:
        on = done.get((row.id, name))
        last = None if days is None else row.started_on + timedelta(days)
        good = on is not None and (last is None or on <= last)
        in_time += good
        counted += good or last is None or today > last
    return _figure(name if days is None else f"{name} within {days / 7:.0f} weeks", in_time, counted)


def _kept(name: str, rows: Sequence[Any], done: dict[tuple[int, str], date], today: date) -> KeyFigure:
    """Share still on the drug a year on, of those who started one at least a year ago."""
    started = {row.id: done[row.id, "drug started"] for row in rows if (row.id, "drug started") in done}
    old = [number for number, on in started.items() if (today - on).days >= ON_DRUG_DAYS]
    year = {row.id: row.started_on + timedelta(ON_DRUG_DAYS) for row in rows}
    # Ticked before the year was over, it says nothing about its end.
    kept = [number for number in old if (number, name) in done and done[number, name] >= year[number]]
    return _figure(name, len(kept), len(old))


def _figure(name: str, done: int, of: int) -> KeyFigure:
    percent = 100 * done / of if of else None
    band = "nobody to count yet" if percent is None else _band(percent)
    return KeyFigure(name=name, done=done, of=of, percent=percent, band=band)


def _band(percent: float) -> str:
    if percent < LOW_PERCENT:
        return "below 50 %"
    return "above 80 %" if percent > HIGH_PERCENT else "50-80 %"

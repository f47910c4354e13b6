"""The steps of a fracture liaison service in one episode, or in all open ones: done, due, or missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from endplate.followup.key_figures import KEPT, NO_LIMIT, WITHIN_DAYS
from endplate.followup.read import EpisodeCourse
from endplate.followup.record_steps import record_steps
from endplate.followup.row import Damage, read_rows, stored
from endplate.store import tables
from endplate.store.database import Store

STEPS = (*WITHIN_DAYS, *NO_LIMIT, KEPT)
"""As the key figures count them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of care: the day it was done, and the last day on which it counts as in time (None: no limit is set)."""

    name: str
    done_on: date | None
    until: date | None


def steps_of(seen: EpisodeCourse) -> list[Step]:
    """Every step of an episode, as it was ticked off or as its record shows it."""
    done: dict[str, date] = {}
    for mark in seen.milestones:
        done[mark.kind] = min(done.get(mark.kind, mark.on), mark.on)
    return _steps(seen.episode.record, seen.episode.started_on, done)


def open_steps(store: Store, damage: list[Damage] | None = None) -> dict[str, list[Step]]:
    """By patient, the steps with a limit that are not done yet in an open episode, the first due first.

    What cannot be read is added to `damage`.
    """
    episode, milestone = tables.episode, tables.milestone
    with store.reading() as connection:
        columns = ("id", "patient_id", "started_on", "record")
        rows = read_rows(connection, episode, stored(episode, *columns).where(episode.c.closed_on.is_(None)), damage)
        marks = read_rows(connection, milestone, stored(milestone, "id", "episode_id", "kind", "on"), damage)
    done: dict[int, dict[str, date]] = {}
    for mark in marks:
        done.setdefault(mark.episode_id, {})[mark.kind] = mark.on
    found: dict[str, list[Step]] = {}
    for row in rows:
        steps = _steps(row.record, row.started_on, done.get(row.id, {}))
        found.setdefault(row.patient_id, []).extend(one for one in steps if one.done_on is None and one.until)
    return {patient: sorted(steps, key=lambda one: one.until or date.max) for patient, steps in found.items()}


def _steps(record: Any, started_on: date, ticked: Mapping[str, date]) -> list[Step]:
    done = dict(ticked)
    for kind, on in record_steps(record, started_on).items():
        done[kind] = min(done.get(kind, on), on)
    limits = {name: started_on + timedelta(float(days)) for name, days in WITHIN_DAYS.items()}
    return [Step(name=name, done_on=done.get(name), until=limits.get(name)) for name in STEPS]

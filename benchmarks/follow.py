"""Speed of the follow-up database: the due list over 100,000 episodes, and one write.

`python -m benchmarks follow`. No peer: the check is that the list names exactly those whom nobody saw or whose alarm
stands, counted again by the rule in plain Python.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from endplate.decision.recovery.visits import due_visit, windows
from endplate.followup.read import due_list
from endplate.followup.write import Author, add
from endplate.store import tables
from endplate.store.database import Store, open_store

EPISODES, SHOWN, REPEATS, SEED = 100_000, 100, 15, 4711
LIMIT_S = 0.2
"""The due list must answer in less."""
ALARMS = 0.0005
"""Share of the episodes with an emergency sign that nobody denied: half a page of the list."""
TODAY = date(2026, 1, 1)


def rows() -> list[dict[str, Any]]:
    """Seconds of the due list and of a visit written, with the check."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "follow.db") as store:
        expected = fill(store)
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            _, total = due_list(store, TODAY, SHOWN)
            seconds.append(time.perf_counter() - start)
        writes = []
        for number in range(1, REPEATS + 1):
            start = time.perf_counter()
            add(store, Author(name="bench"), "visit", number, {"on": TODAY, "nrs": 4.0})
            writes.append(time.perf_counter() - start)
    goal = f"limit {LIMIT_S} s {'kept' if max(seconds) < LIMIT_S else 'BROKEN'}"
    right = "agrees" if total == expected else "DISAGREES"
    return [
        _row(f"due list, {EPISODES} episodes", seconds, f"{right}: {total} due, {SHOWN} shown; {goal}"),
        _row("one visit written, history kept", writes, "each a transaction flushed to disk"),
    ]


def fill(store: Store) -> int:
    """Made-up episodes, started over 500 days and seen or not; returns how many are due by the rule."""
    chance, people, courses, due = random.Random(SEED), [], [], 0
    for number in range(EPISODES):
        start = TODAY - timedelta(chance.randrange(500))
        last = None if chance.random() < 0.3 else start + timedelta(chance.randrange((TODAY - start).days + 1))
        alarm = last if chance.random() < ALARMS else None
        due += alarm is not None or due_visit(start, [] if last is None else [last], TODAY) is not None
        opens = next((opens for _, opens, _ in windows(start) if last is None or opens > last), None)
        people.append({"id": f"p{number}", "sex": "female", "age_yr": 76.0, "version": 1})
        course = {"patient_id": f"p{number}", "started_on": start, "onset_on": start, "levels": ["L1"], "version": 1}
        derived = {"counts_from": start, "last_seen": last, "due_from": opens, "alarm_since": alarm}
        courses.append(course | derived | {"low_energy": True})
    with store.writing() as connection:
        connection.execute(insert(tables.patient), people)
        connection.execute(insert(tables.episode), courses)
    return due


def _row(case: str, seconds: list[float], check: str) -> dict[str, Any]:
    note = f"{check}; slowest {max(seconds):.4f} s"
    return {"case": case, "peer": "none", "ours_s": statistics.median(seconds), "peer_s": None, "ratio": None,
            "check": note}  # fmt: skip

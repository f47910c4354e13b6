"""A database that an older version made is brought to the newest schema with what it holds."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import endplate.store
from endplate.followup.read import course, due_list
from endplate.followup.write import Author, add
from endplate.store.database import open_store

DAY = date(2026, 1, 5)


@pytest.fixture
def old(where):
    """Path or URL of a database at the first step, and a way to run SQL in it."""
    url = where.replace("postgresql://", "postgresql+psycopg://") if "://" in where else f"sqlite:///{where}"
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(endplate.store.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    def run(statement, **values):
        with engine.begin() as connection:
            connection.execute(text(statement), values)

    yield run
    engine.dispose()


def fill(run, visits):
    """One episode, with visits of (day, fever, deficit)."""
    run("INSERT INTO patient (id, sex, age_yr, version) VALUES ('p', 'female', 76, 1)")
    run(
        "INSERT INTO episode (patient_id, started_on, levels, counts_from, last_seen, due_from, version)"
        " VALUES ('p', :day, '[\"L1\"]', :day, :day, :due, 1)",
        day=DAY,
        due=DAY + timedelta(77),
    )
    for day, fever, deficit in visits:
        run(
            'INSERT INTO visit (episode_id, "on", nrs, fever, deficit, version)'
            " VALUES (1, :on, 8, :fever, :deficit, 1)",
            on=DAY + timedelta(day),
            fever=fever,
            deficit=deficit,
        )


@pytest.mark.parametrize(
    ("visits", "since"),
    [
        ([(0, None, None), (20, False, None)], None),
        ([(-1, True, None), (20, None, None)], None),
        ([(2, True, None), (20, None, None)], 2),
        ([(2, True, None), (20, False, None), (30, False, None)], None),
        ([(2, True, None), (20, False, True), (30, True, None)], 20),
        ([(2, True, None), (5, True, None), (5, False, None)], 2),
    ],
)
def test_what_an_older_version_kept_is_read_and_its_alarms_are_counted(old, where, visits, since):
    fill(old, visits)
    with open_store(where, create=False) as store:
        seen = course(store, 1)
        assert [visit.nrs for visit in seen.visits] == [8] * len(visits)
        expected = None if since is None else DAY + timedelta(since)
        assert seen.episode.alarm_since == expected
        assert min((f.since for f in seen.flags() if f.urgency == "same day"), default=None) == expected
        assert due_list(store, DAY + timedelta(40))[1] == (since is not None)
        scores = {"eq5d": 0.41, "qualeffo": 62.0, "pcs": 28.0}
        add(store, Author(name="anna"), "visit", 1, {"on": DAY + timedelta(50), **scores})
        last = course(store, 1)
        assert {name: getattr(last.readings[-1], name) for name in scores} == scores
        assert last.episode.alarm_since == expected

"""Several writers, killed processes, locked and damaged databases: one clear line, nothing lost."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from datetime import date

import pytest

from endplate.followup.read import course, history
from endplate.followup.write import Author, add, start_episode
from endplate.store import database as store_module
from endplate.store.database import StoreError, open_store

DAY = date(2026, 1, 5)
ANNA = Author(name="anna")
PATIENT = {"id": "p", "sex": "female", "age_yr": 76}

WRITER = """
import sys
from datetime import date, timedelta
from endplate.store.database import open_store
from endplate.followup.write import Author, add
with open_store(sys.argv[1]) as store:
    print("ready", flush=True)
    for n in range(int(sys.argv[4])):
        add(store, Author(name=sys.argv[3]), "visit", int(sys.argv[2]),
            {"on": date(2026, 1, 6) + timedelta(n % 300), "nrs": n % 10, "note": sys.argv[3]})
"""


def writer(where, number, name, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, where, str(number), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_writers_at_the_same_time_lose_nothing(where):
    with open_store(where) as store:
        number = start_episode(store, ANNA, PATIENT, DAY, ["L1"])
    running = [writer(where, number, f"w{n}", 20) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    with open_store(where) as store:
        visits = course(store, number).visits
        assert len(visits) == 60 and len(history(store, number)) == 62
        assert {name: sum(v.note == name for v in visits) for name in ("w0", "w1", "w2")} == dict.fromkeys(
            ("w0", "w1", "w2"), 20
        )


def test_a_killed_writer_leaves_whole_visits_only(where):
    with open_store(where) as store:
        number = start_episode(store, ANNA, PATIENT, DAY, ["L1"])
    process = writer(where, number, "w", 100_000)
    assert process.stdout.readline().strip() == "ready"
    time.sleep(0.4)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    with open_store(where) as store:
        seen = course(store, number)
        kept = [row for row in history(store, number) if row.entity == "visit"]
        assert len(seen.visits) == len(kept) > 0
        assert seen.episode.last_seen == max(visit.on for visit in seen.visits)
        add(store, ANNA, "visit", number, {"on": DAY})


def test_a_locked_database_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "WAIT_S", 0.2)
    path = tmp_path / "follow.db"
    with open_store(path) as store:
        number = start_episode(store, ANNA, PATIENT, DAY, ["L1"])
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked by another program"):
            add(store, ANNA, "visit", number, {"on": DAY})
        holder.execute("ROLLBACK")
        assert not course(store, number).visits


def test_locks_of_another_program_in_postgresql_are_not_waited_for_without_end(postgres_server, monkeypatch):
    import psycopg

    monkeypatch.setattr(store_module, "WAIT_S", 0.5)
    with psycopg.connect(postgres_server.format(name="postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE held")
    where = postgres_server.format(name="held")
    with open_store(where) as store:
        number = start_episode(store, ANNA, PATIENT, DAY, ["L1"])
        with psycopg.connect(where) as holder:
            holder.execute("SELECT * FROM episode FOR UPDATE")
            with pytest.raises(StoreError, match="locked by another program"):
                add(store, ANNA, "visit", number, {"on": DAY})
        assert not course(store, number).visits


def test_a_server_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(store_module, "WAIT_S", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        where = f"postgres://anna:secret@127.0.0.1:{deaf.getsockname()[1]}/clinic"
        with pytest.raises(StoreError, match="timeout expired") as error, open_store(where):
            pass
    assert "secret" not in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("where_cut", [16, 4096])
def test_a_damaged_database_is_told_and_left_alone(tmp_path, where_cut):
    path = tmp_path / "follow.db"
    with open_store(path) as store:
        start_episode(store, ANNA, PATIENT, DAY, ["L1"])
    broken = bytearray(path.read_bytes())
    broken[where_cut : where_cut + 3000] = b"\x5a" * 3000
    path.write_bytes(broken)
    with pytest.raises(StoreError) as error, open_store(path) as store:
        course(store, 1)
        history(store, 1)
        start_episode(store, ANNA, PATIENT | {"id": "q"}, DAY, ["L1"])
    assert "\n" not in str(error.value) and path.read_bytes() == bytes(broken)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "absent" / "a.db", "cannot be made"),
        (lambda folder: folder, "cannot be made"),
        (lambda folder: "nonsense://x", "cannot be opened here"),
        (lambda folder: "://", "not a database URL"),
        (lambda folder: "postgresql://nobody@/none?host=/nowhere", "cannot be reached"),
    ],
)
def test_a_place_that_is_no_database_is_told(tmp_path, make, says):
    with pytest.raises(StoreError, match=says), open_store(make(tmp_path)):
        pass


def test_a_file_that_is_no_database_is_not_touched(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("keep me, I am not a database at all")
    with pytest.raises(StoreError, match="not an SQLite database"), open_store(path):
        pass
    assert path.read_text().startswith("keep me")


def test_a_missing_database_is_not_made_by_a_reader(tmp_path):
    with pytest.raises(StoreError, match="does not exist"), open_store(tmp_path / "a.db", create=False):
        pass
    assert not list(tmp_path.iterdir())


def test_an_empty_file_is_no_database_to_read_and_may_become_one(tmp_path):
    path = tmp_path / "a.db"
    path.touch()
    with pytest.raises(StoreError, match="is empty"), open_store(path, create=False):
        pass
    assert not path.stat().st_size
    with open_store(path) as store:
        assert start_episode(store, ANNA, PATIENT, DAY, ["L1"])


def test_a_database_of_a_newer_version_is_told(where):
    with open_store(where) as store, store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer endplate"), open_store(where):
        pass


def test_the_tables_are_those_that_the_steps_make(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from endplate.store.tables import metadata

    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []

"""A damaged row is a gap with its reason: the rest stays readable, and the row can be mended or removed."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from datetime import date

import pytest
from tests.support.small_case import small_document, small_finding

from endplate.cli.app import main
from endplate.followup.read import course, due_list, episodes, history
from endplate.followup.write import Author, add, add_scan, correct, remove, start_episode
from endplate.store.database import StoreError, open_store

DAY, LATER = date(2026, 1, 5), date(2026, 2, 5)
ANNA = Author(name="anna")
PATIENT = {"id": "p", "sex": "female", "age_yr": 76}


@pytest.fixture
def path(tmp_path):
    """A database with an episode, a visit, a repair, two scans and a milestone, all of them sound."""
    where = tmp_path / "follow.db"
    with open_store(where) as store:
        number = start_episode(store, ANNA, PATIENT, DAY, ["L1"])
        add(store, ANNA, "visit", number, {"on": DAY, "nrs": 8.0, "note": "fell"})
        add(store, ANNA, "visit", number, {"on": LATER, "nrs": 4.0})
        add(store, ANNA, "repair", number, {"on": DAY, "kind": "kyphoplasty", "levels": ["L1"]})
        add(store, ANNA, "milestone", number, {"on": DAY, "kind": "drug started"})
        for on, height in ((DAY, 20.0), (LATER, 19.0)):
            add_scan(store, ANNA, number, on, small_document(small_finding("anterior_height", height)))
    return where


def spoil(path, table, column, value, number=1):
    with sqlite3.connect(path) as raw:
        raw.execute(f'update "{table}" set "{column}" = ? where id = ?', (value, number))


BAD = [
    ("visit", "on", "2026-99-99"), ("visit", "nrs", "much"), ("visit", "nrs", 99), ("visit", "nrs", b"\xff\x00"),
    ("visit", "fever", 7), ("visit", "fever", "perhaps"), ("visit", "note", b"caf\xe9"), ("visit", "version", "one"),
    ("repair", "kind", "glue"), ("repair", "levels", '["Z9"]'), ("repair", "levels", "not json"), ("repair", "on", 3.5),
    ("scan", "document", "{"), ("scan", "document", "[1]"), ("scan", "document", '{"levels": ["L1"], "findings": 3}'),
    ("scan", "document", json.dumps(small_document(small_finding("anterior_height", "tall")))),
    ("scan", "document", json.dumps(small_document(small_finding("anterior_height", 10**400)))),
    ("scan", "document", json.dumps(small_document(small_finding("wedge_angle", 3.0, low=9.0, high=1.0)))),
    ("scan", "document", "[" * 100_000), ("milestone", "on", ""), ("milestone", "kind", b"\x05"),
    ("episode", "low_energy", "maybe"), ("episode", "record", "[]"), ("episode", "last_seen", "soon"),
    ("episode", "counts_from", "never"), ("episode", "alarm_since", 12), ("episode", "onset_on", b"\x00"),
    ("patient", "age_yr", "old"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "value"), BAD, ids=lambda value: str(value)[:24])
def test_a_bad_cell_hides_nothing_else_and_no_command_stops(path, table, column, value, capsys):
    spoil(path, table, column, value, "p" if table == "patient" else 1)
    at = ["--database", str(path), "--json"]
    for words in (["show", "1"], ["list"], ["due"], ["kpi"], ["history", "1"], ["visit", "1", "--nrs", "3"]):
        assert main(["follow", *words, *at]) == 0, (words, capsys.readouterr())
        answer = json.loads(capsys.readouterr().out)["result"]
        if words[0] == "show" and table != "patient":
            assert any(f"{table} 1: {column}" in gap for gap in answer["gaps"]), answer["gaps"]
            assert any(visit["nrs"] == 4 for visit in answer["visits"])
    assert main(["follow", "show", "1", "--database", str(path)]) == 0
    shown = capsys.readouterr().out
    # What is counted from other cells is counted again with every write.
    healed = column in ("last_seen", "counts_from", "alarm_since") or table == "patient"
    assert (f"? {table} 1: {column}" in shown) is not healed


@pytest.mark.parametrize(
    ("table", "column", "value"), [bad for bad in BAD if bad[0] in ("visit", "repair", "scan", "milestone")], ids=str
)
def test_a_damaged_row_can_be_removed_and_the_history_keeps_it(path, table, column, value, capsys):
    spoil(path, table, column, value)
    assert main(["follow", "remove", table, "1", "--database", str(path), "--who", "bob"]) == 0, capsys.readouterr()
    with open_store(path) as store:
        assert not course(store, 1).damage
        (gone,) = [row for row in history(store, 1) if row.after is None]
        assert (gone.who, gone.entity, gone.entity_id) == ("bob", table, "1") and gone.before["id"] == 1
    assert main(["follow", "history", "1", "--database", str(path)]) == 0
    assert "removed" in capsys.readouterr().out


def test_a_bad_cell_can_be_corrected(path, capsys):
    spoil(path, "visit", "nrs", "much")
    spoil(path, "episode", "started_on", "yesterday")
    with (
        open_store(path) as store,
        pytest.raises(StoreError, match=r"episode 1 cannot be read: started_on is 'yesterday'"),
    ):
        course(store, 1)
    assert main(["follow", "correct", "episode", "1", f"started_on={DAY}", "--database", str(path)]) == 0
    assert main(["follow", "correct", "visit", "1", "nrs=7", "--database", str(path)]) == 0, capsys.readouterr()
    with open_store(path) as store:
        seen = course(store, 1)
        assert not seen.damage and seen.visits[0].nrs == 7
        assert history(store, 1)[-1].before["nrs"] == "much"


def test_an_episode_that_cannot_be_read_does_not_hide_the_others(path, capsys):
    with open_store(path) as store:
        start_episode(store, ANNA, PATIENT | {"id": "q"}, DAY, ["L2"])
        spoil(path, "episode", "levels", "{", 1)
        told = []
        assert [row.id for row in episodes(store, damage=told)] == [2] and len(told) == 1
        rows, _ = due_list(store, date(2026, 6, 1))
        assert {row.episode_id for row in rows} == {1, 2}
    assert main(["follow", "list", "--database", str(path)]) == 0
    assert "? episode 1: levels is no JSON; it is left out" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["tall", 10**400, True, None])
def test_a_scan_whose_height_is_no_number_is_refused_before_it_is_stored(path, tmp_path, capsys, value):
    (tmp_path / "case.json").write_text(json.dumps(small_document(small_finding("anterior_height", value))))
    assert main(["follow", "scan", "1", str(tmp_path / "case.json"), "--database", str(path)]) == 2
    assert "is not whole" in (line := capsys.readouterr().err) and line.count("\n") == 1
    with open_store(path) as store:
        assert len(course(store, 1).scans) == 2
        with pytest.raises(StoreError, match="was not stored"):
            add_scan(store, ANNA, 1, LATER, small_document(small_finding("anterior_height", "tall")))


def test_a_failure_after_the_visit_is_stored_is_no_error(path, monkeypatch, capsys):
    def broken(*arguments):
        raise RuntimeError("the drawing of conclusions broke")

    monkeypatch.setattr("endplate.cli.follow.actions.course", broken)
    assert main(["follow", "visit", "1", "--nrs", "3", "--database", str(path), "--json"]) == 0
    printed = capsys.readouterr()
    assert "is stored, but what follows from it cannot be told" in printed.err
    assert json.loads(printed.out)["result"]["visit"] == 3
    monkeypatch.undo()
    with open_store(path) as store:
        assert [visit.nrs for visit in course(store, 1).visits] == [8, 4, 3]


@pytest.mark.parametrize("bad", ["caf\udce9", "nul\0"])
def test_a_note_with_a_bad_byte_is_told_as_that(path, bad):
    held = path.read_bytes()
    with open_store(path) as store, pytest.raises(StoreError, match="the note holds a byte that is no letter"):
        add(store, ANNA, "visit", 1, {"on": LATER, "note": bad})
    with open_store(path) as store, pytest.raises(StoreError, match="the who holds a byte"):
        add(store, Author(name=bad), "visit", 1, {"on": LATER, "nrs": 3.0})
    assert path.read_bytes() == held


def test_a_row_of_either_database_is_removed_and_counted_no_more(store):
    number = start_episode(store, ANNA, PATIENT, DAY, ["L1"])
    visit = add(store, ANNA, "visit", number, {"on": LATER, "deficit": True})
    assert course(store, number).episode.alarm_since == LATER
    remove(store, ANNA, "visit", visit)
    seen = course(store, number)
    assert not seen.visits and seen.episode.alarm_since is None and seen.episode.last_seen is None
    assert history(store, number)[-1].after is None
    with pytest.raises(StoreError, match="there is no visit"):
        remove(store, ANNA, "visit", visit)
    with pytest.raises(StoreError, match="there is no visit"):
        correct(store, ANNA, "visit", visit, {"nrs": 3.0})


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_a_new_database_is_for_its_owner_alone(tmp_path, umask):
    before = os.umask(umask)
    try:
        with open_store(tmp_path / "a.db") as store:
            start_episode(store, ANNA, PATIENT, DAY, ["L1"])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "where",
    [
        "postgresql://anna:se:cr@t@:nowhere/x", "postgresql+psycopg://anna:secret@localhost:1/x?connect_timeout=1",
        "mysql://anna:secret@localhost/x", "postgresql://anna@localhost:1/x?password=secret&connect_timeout=1",
    ],
)  # fmt: skip
def test_no_error_holds_the_password_of_a_database(where, capsys):
    assert main(["follow", "list", "--database", where, "--json"]) == 2
    printed = capsys.readouterr()
    assert "secret" not in printed.out + printed.err and "se:cr" not in printed.out + printed.err
    assert main(["follow", "list", f"--databse={where}"]) == 2
    assert "secret" not in capsys.readouterr().err

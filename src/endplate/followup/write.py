"""Writes: each one transaction, each kept as a change (who, when, before, after)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any, TypeGuard

from sqlalchemy import Connection, RowMapping, Table, delete, select, update

from endplate.followup.document import unfit
from endplate.followup.keep import Author, Values, insert_row, keep_change, plain, recount, storable
from endplate.followup.read import episode_row
from endplate.followup.row import parsed, read_rows, readable_cells, stored
from endplate.store import tables
from endplate.store.database import Store, StoreError

__all__ = ["Author", "add", "add_scan", "close_episode", "correct", "plain", "remove", "scan_row", "start_episode"]


def start_episode(
    store: Store,
    author: Author,
    patient: Values,
    started_on: date,
    levels: Sequence[str],
    rows: Sequence[tuple[str, Values]] = (),
    **more: Any,
) -> int:
    """Begin an episode, and the patient where new, with what is known of its course: all of it or nothing.

    Returns its number.

    Parameters
    ----------
    patient : id, sex, age_yr. started_on : the day the episode came under care. levels : fractured levels.
    rows : repairs, visits and scans by kind. more : onset_on, low_energy, record (the whole record as plain JSON).

    Raises
    ------
    StoreError : the patient is known with another sex, already has an open episode with one of these levels, or a
    row or the start lies before the onset.
    """
    with store.writing() as connection:
        _patient(connection, author, patient)
        query = stored(tables.episode, "id", "levels").where(
            tables.episode.c.patient_id == patient["id"], tables.episode.c.closed_on.is_(None)
        )
        for row in read_rows(connection, tables.episode, query):
            both = sorted(set(row.levels) & set(levels))
            if both:
                raise StoreError(
                    f"patient {patient['id']} already has episode {row.id} open for {', '.join(both)}",
                    "one fracture would be followed twice",
                    f"add visits to episode {row.id}, or close it",
                )
        values = {"patient_id": patient["id"], "started_on": started_on, "levels": list(levels)}
        values |= {"counts_from": started_on} | more
        number = insert_row(connection, author, tables.episode, values, None)
        _not_before("start", started_on, more.get("onset_on") or started_on)
        first = more.get("onset_on") or started_on
        for kind, known in rows:
            _not_before(kind, known["on"], first)
            insert_row(connection, author, tables.TABLES[kind], dict(known) | {"episode_id": number}, number)
        recount(connection, number)
        return int(number)


def add(store: Store, author: Author, kind: str, episode_id: int, values: Values) -> int:
    """Add a repair, visit, scan or milestone to an episode; returns its number.

    Raises
    ------
    StoreError : no such episode, it is closed, the day lies before the onset, or a repair is of other levels.
    """
    with store.writing() as connection:
        episode = _open_episode(connection, episode_id)
        _not_before(kind, values["on"], episode.onset_on or episode.started_on)
        if kind == "scan":
            _new_scan(connection, episode_id, values)
        if kind == "repair":
            _of_this_episode(episode, values)
        number = insert_row(
            connection, author, tables.TABLES[kind], dict(values) | {"episode_id": episode_id}, episode_id
        )
        recount(connection, episode_id)
        return int(number)


def _of_this_episode(episode: Any, repair: Values) -> None:
    """Refuse a repair of other levels: the course would count from it."""
    if not set(repair["levels"]) & set(episode.levels):
        raise StoreError(
            f"a repair of {', '.join(repair['levels'])} is none of episode {episode.id} ({', '.join(episode.levels)})",
            "the course would count from it",
            "check the level, or start an episode for it",
        )


def _not_before(kind: str, on: date, first: date) -> None:
    if on < first:
        raise StoreError(
            f"the {kind} on {on} lies before the onset on {first}",
            "an episode begins with its onset",
            "check both dates",
        )


def scan_row(on: date, document: Values) -> dict[str, Any]:
    """The row of a follow-up CT: its document, and the fingerprint by which it is known.

    Raises
    ------
    StoreError : the document cannot be compared with others.
    """
    if reason := unfit(dict(document)):
        raise StoreError(f"the document of the scan {reason}", "it was not stored", "assess the scan again")
    text = json.dumps(document, sort_keys=True)
    return {"on": on, "fingerprint": hashlib.sha256(text.encode()).hexdigest(), "document": dict(document)}


def add_scan(store: Store, author: Author, episode_id: int, on: date, document: Values) -> int:
    """Keep the document of a follow-up CT with its fingerprint; the same document twice is refused."""
    return add(store, author, "scan", episode_id, scan_row(on, document))


def _new_scan(connection: Connection, episode_id: int, values: Values) -> None:
    """Refuse a document that the episode already holds; its row is locked, so no other writer slips in."""
    scan = tables.scan
    query = select(scan.c.on).where(scan.c.episode_id == episode_id, scan.c.fingerprint == values["fingerprint"])
    known = connection.execute(query).first()
    if known:
        raise StoreError(f"this scan is already in episode {episode_id}, as of {known.on}", "nothing was written")


def correct(store: Store, author: Author, kind: str, number: int, values: Values, version: int | None = None) -> None:
    """Change fields of a row; the old values are kept.

    Parameters
    ----------
    version : the version that the writer saw; a row changed since is refused, so that no correction is lost.

    Raises
    ------
    StoreError : no such row, or it changed meanwhile.
    """
    table = tables.TABLES[kind]
    with store.writing() as connection:
        before = _raw(connection, kind, number)
        if version is not None and before["version"] != version:
            raise StoreError(
                f"{kind} {number} was changed by somebody else meanwhile", "nothing was written", "read it again"
            )
        changed = storable(dict(values) | {"version": 1 + (before["version"] if _count(before["version"]) else 0)})
        after = _whole_row(table, dict(before), changed)
        _possible(connection, kind, after)
        connection.execute(update(table).where(table.c.id == number).values(changed))
        episode_id = number if kind == "episode" else before.get("episode_id")
        stated = readable_cells(table, before)
        keep_change(connection, author, table, number, episode_id, stated, stated | changed)
        if episode_id is not None:
            recount(connection, int(episode_id))


def remove(store: Store, author: Author, kind: str, number: int) -> None:
    """Take a repair, visit, scan or milestone out of its episode; the history keeps what it held.

    Raises
    ------
    StoreError : no such row, or the row of its episode cannot be read.
    """
    table = tables.TABLES[kind]
    with store.writing() as connection:
        before = _raw(connection, kind, number)
        episode_id = before["episode_id"]
        episode_row(connection, episode_id, lock=True)
        connection.execute(delete(table).where(table.c.id == number))
        keep_change(connection, author, table, number, episode_id, readable_cells(table, before), None)
        recount(connection, episode_id)


def _raw(connection: Connection, kind: str, number: int) -> RowMapping:
    """A row as it is stored, whatever its cells hold."""
    table = tables.TABLES[kind]
    found = connection.execute(stored(table).where(table.c.id == number).with_for_update()).mappings().first()
    if found is None:
        raise StoreError(f"there is no {kind} {number}", "", f"list the course to find its {kind}s")
    return found


def _count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _whole_row(table: Table, before: dict[str, Any], changed: Values) -> dict[str, Any]:
    """A row as it will be; refused where a cell that every row has still cannot be read."""
    kept = {name: value for name, value in before.items() if name not in changed}
    row, stated = parsed(table, kept)
    if row is None:
        reason = "; ".join(one.reason for one in stated if one.whole)
        raise StoreError(
            f"the {table.name} cannot be used: {reason}", "nothing was written", "correct that field first"
        )
    return row._mapping | dict(changed)


def _possible(connection: Connection, kind: str, after: Values) -> None:
    """Refuse a corrected row whose dates stand the wrong way round, or a repair of other levels."""
    if kind == "episode":
        first, end = after["onset_on"] or after["started_on"], after["closed_on"]
        if end is not None:
            _not_before("end", end, first)
        days = [("start", after["started_on"])]
        for name in ("repair", "visit", "scan", "milestone"):
            table = tables.TABLES[name]
            of = stored(table, "id", "on").where(table.c.episode_id == after["id"])
            days += [(name, row.on) for row in read_rows(connection, table, of)]
        for name, on in days:
            _not_before(name, on, first)
            _not_after(name, on, end)
    elif "episode_id" in after:
        row = episode_row(connection, after["episode_id"], lock=True)
        _not_before(kind, after["on"], row.onset_on or row.started_on)
        _not_after(kind, after["on"], row.closed_on)
        if kind == "repair":
            _of_this_episode(row, after)


def _not_after(kind: str, on: date, end: date | None) -> None:
    if end is not None and on > end:
        raise StoreError(
            f"the {kind} on {on} lies after the end on {end}",
            "a closed episode holds nothing later",
            "check both dates",
        )


def close_episode(store: Store, author: Author, episode_id: int, on: date) -> None:
    """End an episode; it leaves the due list."""
    with store.reading() as connection:
        row = _open_episode(connection, episode_id)
    # The version seen goes along, so that of two who close it at once one is told.
    correct(store, author, "episode", episode_id, {"closed_on": on}, version=row.version)


def _patient(connection: Connection, author: Author, patient: Values) -> None:
    table = tables.patient
    known = connection.execute(stored(table).where(table.c.id == patient["id"])).mappings().first()
    if known is None:
        insert_row(connection, author, table, dict(patient), None)
    elif known["sex"] != patient["sex"]:
        raise StoreError(
            f"patient {patient['id']} is {known['sex']} in the database and {patient['sex']} in the record",
            "two patients may share this id",
            "give each its own id",
        )


def _open_episode(connection: Connection, number: int) -> Any:
    row = episode_row(connection, number, lock=True)
    if row.closed_on is not None:
        raise StoreError(f"episode {number} was closed on {row.closed_on}", "nothing was written", "begin a new one")
    return row

"""Writes: each one transaction, each kept as a change (who, when, before, after)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, update

from endplate.decision.recovery.flags import SIGNS, alarm_since
from endplate.decision.recovery.visit_scores import VisitScores
from endplate.decision.recovery.visits import windows
from endplate.followup import tables
from endplate.followup.store import Store, StoreError

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who writes."""

    name: str


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
        query = select(tables.episode.c.id, tables.episode.c.levels).where(
            tables.episode.c.patient_id == patient["id"], tables.episode.c.closed_on.is_(None)
        )
        for row in connection.execute(query):
            both = sorted(set(row.levels) & set(levels))
            if both:
                raise StoreError(
                    f"patient {patient['id']} already has episode {row.id} open for {', '.join(both)}",
                    "one fracture would be followed twice",
                    f"add visits to episode {row.id}, or close it",
                )
        values = {"patient_id": patient["id"], "started_on": started_on, "levels": list(levels)}
        values |= {"counts_from": started_on} | more
        number = _insert(connection, author, tables.episode, values, None)
        _not_before("start", started_on, more.get("onset_on") or started_on)
        first = more.get("onset_on") or started_on
        for kind, known in rows:
            _not_before(kind, known["on"], first)
            _insert(connection, author, tables.TABLES[kind], dict(known) | {"episode_id": number}, number)
        _recount(connection, number)
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
        number = _insert(connection, author, tables.TABLES[kind], dict(values) | {"episode_id": episode_id}, episode_id)
        _recount(connection, episode_id)
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
    """The row of a follow-up CT: its document, and the fingerprint by which it is known."""
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
        before = connection.execute(select(table).where(table.c.id == number).with_for_update()).mappings().first()
        if before is None:
            raise StoreError(f"there is no {kind} {number}", "", f"list the course to find its {kind}s")
        if version is not None and before["version"] != version:
            raise StoreError(
                f"{kind} {number} was changed by somebody else meanwhile", "nothing was written", "read it again"
            )
        after = dict(before) | dict(values) | {"version": before["version"] + 1}
        _possible(connection, kind, after)
        connection.execute(update(table).where(table.c.id == number).values(after))
        episode_id = number if kind == "episode" else before.get("episode_id")
        _keep(connection, author, table, number, episode_id, dict(before), after)
        if episode_id is not None:
            _recount(connection, int(episode_id))


def _possible(connection: Connection, kind: str, after: Values) -> None:
    """Refuse a corrected row whose dates stand the wrong way round, or a repair of other levels."""
    episode = tables.episode
    if kind == "episode":
        first, end = after["onset_on"] or after["started_on"], after["closed_on"]
        if end is not None:
            _not_before("end", end, first)
        days = [("start", after["started_on"])]
        for name in ("repair", "visit", "scan", "milestone"):
            on = tables.TABLES[name].c.on
            of = select(func.min(on), func.max(on)).where(tables.TABLES[name].c.episode_id == after["id"])
            days += [(name, day) for day in connection.execute(of).one() if day is not None]
        for name, on in days:
            _not_before(name, on, first)
            _not_after(name, on, end)
    elif "episode_id" in after:
        row = connection.execute(select(episode).where(episode.c.id == after["episode_id"]).with_for_update()).one()
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
    known = connection.execute(select(table).where(table.c.id == patient["id"])).mappings().first()
    if known is None:
        _insert(connection, author, table, dict(patient), None)
    elif known["sex"] != patient["sex"]:
        raise StoreError(
            f"patient {patient['id']} is {known['sex']} in the database and {patient['sex']} in the record",
            "two patients may share this id",
            "give each its own id",
        )


def _open_episode(connection: Connection, number: int) -> Any:
    table = tables.episode
    row = connection.execute(select(table).where(table.c.id == number).with_for_update()).first()
    if row is None:
        raise StoreError(f"there is no episode {number}", "", "`endplate follow list` shows all")
    if row.closed_on is not None:
        raise StoreError(f"episode {number} was closed on {row.closed_on}", "nothing was written", "begin a new one")
    return row


def _insert(
    connection: Connection, author: Author, table: Table, values: dict[str, Any], episode_id: int | None
) -> Any:
    values = values | {"version": 1}
    result = connection.execute(insert(table).values(values))
    key = result.inserted_primary_key
    number = values.get("id") or (key[0] if key is not None else None)
    about = number if table is tables.episode else episode_id
    _keep(connection, author, table, number, about, None, values)
    return number


def _keep(
    connection: Connection,
    author: Author,
    table: Table,
    number: object,
    episode_id: int | None,
    before: Values | None,
    after: Values,
) -> None:
    connection.execute(
        insert(tables.change).values(
            at=datetime.now(UTC).replace(tzinfo=None),
            who=author.name,
            entity=table.name,
            entity_id=str(number),
            episode_id=episode_id,
            before=None if before is None else plain(before),
            after=plain(after),
        )
    )


def plain(values: Values) -> dict[str, Any]:
    """Values as JSON knows them: days as ISO text."""
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in values.items()}


def _recount(connection: Connection, number: int) -> None:
    """Bring the columns that the due list walks along up to date: derived, so not kept as changes."""
    episode, repair, visit = tables.episode, tables.repair, tables.visit
    row = connection.execute(select(episode).where(episode.c.id == number)).one()
    repairs = connection.execute(select(repair.c.on).where(repair.c.episode_id == number)).scalars().all()
    said = select(visit.c.on, *(visit.c[sign] for sign in SIGNS)).where(visit.c.episode_id == number)
    seen = connection.execute(said.order_by(visit.c.on, visit.c.id)).all()
    start = max(repairs, default=row.started_on)
    last = max((one.on for one in seen), default=None)
    alarm = alarm_since([VisitScores(**one._mapping) for one in seen if one.on >= start])
    due = next((opens for _, opens, _ in windows(start) if last is None or opens > last), None)
    connection.execute(
        update(episode)
        .where(episode.c.id == number)
        .values(counts_from=start, last_seen=last, due_from=due, alarm_since=alarm)
    )

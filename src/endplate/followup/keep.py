"""How a write is kept: the row, who changed it, when, before and after, and what the due list counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, update

from endplate.decision.recovery.flags import SIGNS, alarm_since
from endplate.decision.recovery.visit_scores import VisitScores
from endplate.decision.recovery.visits import windows
from endplate.followup.read import episode_row
from endplate.followup.row import Row, jsonable, read_rows, stored
from endplate.store import tables
from endplate.store.database import StoreError

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who writes."""

    name: str


def insert_row(
    connection: Connection, author: Author, table: Table, values: dict[str, Any], episode_id: int | None
) -> Any:
    """Insert a row and keep it as a change; returns its number."""
    values = storable(values | {"version": 1})
    result = connection.execute(insert(table).values(values))
    key = result.inserted_primary_key
    number = values.get("id") or (key[0] if key is not None else None)
    about = number if table is tables.episode else episode_id
    keep_change(connection, author, table, number, about, None, values)
    return number


def keep_change(
    connection: Connection,
    author: Author,
    table: Table,
    number: object,
    episode_id: int | None,
    before: Values | None,
    after: Values | None,
) -> None:
    """Keep who changed a row, when, from what to what; None before a new row, and after one that was removed."""
    connection.execute(
        insert(tables.change).values(
            at=datetime.now(UTC).replace(tzinfo=None),
            who=storable({"who": author.name})["who"],
            entity=table.name,
            entity_id=str(number),
            episode_id=episode_id,
            before=None if before is None else plain(before),
            after=None if after is None else plain(after),
        )
    )


def storable(values: dict[str, Any]) -> dict[str, Any]:
    """Values whose texts can be kept and read back."""
    for name, value in values.items():
        if isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
            raise StoreError(
                f"the {name} holds a byte that is no letter of UTF-8", "it could not be read back", "type it again"
            )
    return values


def plain(values: Values) -> dict[str, Any]:
    """Values as JSON knows them: days as ISO text, what cannot be read as it is shown."""
    return {key: jsonable(value) for key, value in values.items()}


def recount(connection: Connection, number: int) -> None:
    """Bring the columns that the due list walks along up to date: derived, so not kept as changes."""
    episode, repair, visit = tables.episode, tables.repair, tables.visit
    row = episode_row(connection, number)
    done = stored(repair, "id", "on").where(repair.c.episode_id == number)
    said = stored(visit, "id", "on", *SIGNS).where(visit.c.episode_id == number)
    seen = sorted(read_rows(connection, visit, said), key=lambda one: (one.on, one.id))
    start = max((one.on for one in read_rows(connection, repair, done)), default=row.started_on)
    last = max((one.on for one in seen), default=None)
    alarm = alarm_since([_signs(one) for one in seen if one.on >= start])
    due = next((opens for _, opens, _ in windows(start) if last is None or opens > last), None)
    connection.execute(
        update(episode)
        .where(episode.c.id == number)
        .values(counts_from=start, last_seen=last, due_from=due, alarm_since=alarm)
    )


def _signs(row: Row) -> VisitScores:
    """The signs of a visit, by which an alarm stands or ends."""
    return VisitScores(on=row.on, **{sign: getattr(row, sign) for sign in SIGNS})

"""What readers say of a case, kept with who and when; a reading is withdrawn, never removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from endplate.store import work_tables
from endplate.store.database import Store, StoreError
from endplate.store.ids import now

table = work_tables.reading


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow:
    """A reading as it is kept.

    Attributes
    ----------
    level : the name that the vertebra had when this was said. what, value : as of `endplate.case.readings`.
    withdrawn_by, withdrawn_at : None while it holds.
    """

    id: int
    level: str
    what: str
    value: dict[str, Any]
    reason: str
    who: str
    at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None

    @property
    def plain(self) -> dict[str, Any]:
        """As `parse_reading` takes it."""
        time = f"{self.at.isoformat(timespec='seconds')}Z"
        return {"what": self.what, "level": self.level, "reason": self.reason, "who": self.who, "at": time} | self.value


def add_reading(store: Store, case_id: str, reading: Mapping[str, Any], who: str) -> int:
    """Keep a reading; returns its number.

    Parameters
    ----------
    reading : `what`, `level`, `reason`, and `to` and `scope` where it has them.
    """
    value = {key: reading[key] for key in ("to", "scope") if reading.get(key) is not None}
    row = {"level": str(reading["level"]), "what": str(reading["what"]), "reason": str(reading["reason"])}
    with store.writing() as connection:
        done = connection.execute(insert(table).values(case_id=case_id, value=value, who=who[:200], at=now(), **row))
        return int((done.inserted_primary_key or (0,))[0])


def withdraw_reading(store: Store, case_id: str, number: int, who: str) -> None:
    """Withdraw a reading of a case.

    Raises
    ------
    StoreError : there is none that holds.
    """
    found = table.c.id == number, table.c.case_id == case_id, table.c.withdrawn_at.is_(None)
    with store.writing() as connection:
        done = connection.execute(update(table).where(*found).values(withdrawn_by=who[:200], withdrawn_at=now()))
    if done.rowcount != 1:
        raise StoreError("there is no such reading", "it was withdrawn already", "load the page again")


def readings_of(store: Store, case_id: str, *, withdrawn: bool = False) -> list[ReadingRow]:
    """The readings of a case in the order in which they were made; those withdrawn only where asked for."""
    query = select(table).where(table.c.case_id == case_id).order_by(table.c.id)
    if not withdrawn:
        query = query.where(table.c.withdrawn_at.is_(None))
    with store.reading() as connection:
        rows = connection.execute(query).mappings().all()
    return [ReadingRow(**{key: row[key] for key in ReadingRow.__dataclass_fields__}) for row in rows]

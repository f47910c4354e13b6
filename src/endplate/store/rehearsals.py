"""Rehearsals of a case: kept with who, when, settings and what they were computed from; removed, never erased.

One whose files or readings are not those of the case any more is out of date: its numbers are of another image, of a
vertebra that had another name, or of one that a reader judged otherwise since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from endplate.store import work_tables
from endplate.store.cases import inputs_of
from endplate.store.database import Store, StoreError
from endplate.store.ids import now
from endplate.store.readings import ReadingRow, readings_of

table = work_tables.rehearsal
NAMING = ("renumber", "set_aside")
"""Readings that can give any level another name; others are about their own level alone."""
ROLE_WORDS = {"ct": "the CT", "labels": "the labels", "record": "the record", "scheme": "the scheme of the labels"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalRow:
    """A rehearsal as it is kept.

    Attributes
    ----------
    id : of the job that computed it. level : the name that the vertebra had then. title : shown.
    asked : what the job was asked with. result : what it found, as `jobs.variant` makes it.
    basis : as `basis_of` gave it when the job began. version : of endplate. who, at : who asked, and when it was kept.
    """

    id: str
    case_id: str
    level: str
    title: str
    asked: dict[str, Any]
    result: dict[str, Any]
    basis: dict[str, Any]
    version: str
    who: str
    at: datetime
    removed_by: str | None
    removed_at: datetime | None


def basis_of(store: Store, case_id: str, level: str) -> dict[str, Any]:
    """What a rehearsal of a level rests on: hashes of the files by role, and the readings that concern the level."""
    files = {role: row.sha256 for role, row in sorted(inputs_of(store, case_id).items())}
    return {"files": files, "readings": [_of(one) for one in readings_of(store, case_id) if _concerns(one, level)]}


def _concerns(reading: ReadingRow, level: str) -> bool:
    return reading.what in NAMING or reading.level == level


def _of(reading: ReadingRow) -> dict[str, Any]:
    return {"id": reading.id, "what": reading.what, "level": reading.level} | reading.value


def why_old(kept: Mapping[str, Any], present: Mapping[str, Any]) -> str:
    """Why a rehearsal is out of date, in words; empty where it is not.

    Parameters
    ----------
    kept, present : two of `basis_of`.
    """
    then, today = kept.get("files", {}), present.get("files", {})
    changed = [words for role, words in ROLE_WORDS.items() if then.get(role) != today.get(role)]
    said, says = kept.get("readings", []), present.get("readings", [])
    naming = [[one for one in found if one["what"] in NAMING] for found in (said, says)]
    reasons = [f"{', '.join(changed)} of the case changed since"] if changed else []
    if naming[0] != naming[1]:
        reasons.append("a correction of the levels was made or withdrawn since, so its level may bear another name")
    elif said != says:
        reasons.append("a reader judged this level otherwise since")
    return "; ".join(reasons)


def keep_rehearsal(store: Store, case_id: str, values: Mapping[str, Any]) -> None:
    """Keep a rehearsal; of a job that was run again, the last one.

    Parameters
    ----------
    values : by column: `id`, `level`, `title`, `asked`, `result`, `basis`, `version`, `who`.
    """
    with store.writing() as connection:
        connection.execute(table.delete().where(table.c.id == values["id"]))
        connection.execute(insert(table).values(case_id=case_id, at=now(), **dict(values)))


def rehearsals_of(store: Store, case_id: str, *, removed: bool = False) -> list[RehearsalRow]:
    """The rehearsals of a case, the oldest first; those removed only where asked for."""
    query = select(table).where(table.c.case_id == case_id).order_by(table.c.at, table.c.id)
    if not removed:
        query = query.where(table.c.removed_at.is_(None))
    with store.reading() as connection:
        rows = connection.execute(query).mappings().all()
    return [RehearsalRow(**{name: row[name] for name in RehearsalRow.__dataclass_fields__}) for row in rows]


def remove_rehearsal(store: Store, case_id: str, rehearsal_id: str, who: str) -> None:
    """Take a rehearsal off its case; it stays in the store with who removed it.

    Raises
    ------
    StoreError : there is none.
    """
    found = table.c.id == rehearsal_id, table.c.case_id == case_id, table.c.removed_at.is_(None)
    with store.writing() as connection:
        done = connection.execute(update(table).where(*found).values(removed_by=who[:200], removed_at=now()))
    if done.rowcount != 1:
        raise StoreError("there is no such rehearsal", "it was removed already", "load the page again")

"""Who read or changed which patient, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from endplate.store import work_tables as tables
from endplate.store.cases import CaseRow
from endplate.store.database import Store
from endplate.store.ids import now

AGAIN_AFTER = timedelta(minutes=10)
"""A page that is looked at again within this time is one reading, not many."""
OPENED = "opened a results folder"


def note(store: Store, who: str, did: str, case: CaseRow | None = None, detail: str = "") -> None:
    """Keep that somebody did something, with the case and patient that it was about."""
    with store.writing() as connection:
        connection.execute(insert(tables.audit).values(**_values(who, did, case, detail)))


def note_reading(store: Store, who: str, did: str, case: CaseRow) -> None:
    """Keep that somebody read of a case, once in `AGAIN_AFTER`."""
    table = tables.audit
    with store.reading() as connection:
        since = now() - AGAIN_AFTER
        query = select(table.c.id).where(
            table.c.case_id == case.id, table.c.at > since, table.c.who == who, table.c.did == did
        )
        if connection.execute(query.limit(1)).first() is not None:
            return
    note(store, who, did, case)


def note_opened(store: Store, who: str, case: CaseRow, folder: Path) -> None:
    """Keep that a results folder was opened as a case."""
    note(store, who, OPENED, case, str(folder))


def opened_as(store: Store, folder: Path) -> str | None:
    """The id of the case on the worklist as which a results folder was opened last; None where it never was."""
    table, case = tables.audit, tables.case
    query = select(table.c.case_id).join(case, case.c.id == table.c.case_id)
    query = query.where(table.c.did == OPENED, table.c.detail == str(folder)[:400], case.c.removed_at.is_(None))
    with store.reading() as connection:
        found = connection.execute(query.order_by(table.c.id.desc()).limit(1)).scalar()
    return None if found is None else str(found)


def _values(who: str, did: str, case: CaseRow | None, detail: str) -> dict[str, Any]:
    about = {} if case is None else {"case_id": case.id, "patient_id": case.patient_id}
    return {"at": now(), "who": who[:200], "did": did[:60], "detail": detail[:400] or None} | about


def notes(store: Store, patient_id: str | None = None, case_id: str | None = None, limit: int = 200) -> Sequence[Any]:
    """The last entries, newest first, of a patient, of a case, or of all."""
    table = tables.audit
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if patient_id is not None:
        query = query.where(table.c.patient_id == patient_id)
    if case_id is not None:
        query = query.where(table.c.case_id == case_id)
    with store.reading() as connection:
        return connection.execute(query).all()

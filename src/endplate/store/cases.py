"""Cases: what the worklist lists, from which files each was read, and where its results lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from endplate.store import work_tables as tables
from endplate.store.database import Store, StoreError
from endplate.store.files import Files, series_hash
from endplate.store.ids import new_id, now

ROLES = ("ct", "labels", "record", "scheme")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case as it is listed.

    Attributes
    ----------
    id : ours. name : shown. patient_id, record : of its patient record, None without one.
    record_names : by a vertebra's name in the labels the one by which the record's levels were last said, where that
        differs; None before anybody said.
    folder : where its results lie, None until it was measured. summary : what the worklist shows of them.
    added_at, changed_at : UTC. version : goes up with every change, so that two who change it are noticed.
    """

    id: str
    name: str
    patient_id: str | None
    record: dict[str, Any] | None
    folder: Path | None
    summary: dict[str, Any]
    added_at: datetime
    changed_at: datetime
    version: int
    record_names: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """A file or series that a case is read from: its role (of `ROLES`), hash and name as it was given."""

    role: str
    sha256: str
    name: str


def add_case(store: Store, name: str, folder: Path | None = None) -> str:
    """Begin a case; returns its id."""
    case_id = new_id()
    with store.writing() as connection:
        connection.execute(
            insert(tables.case).values(
                id=case_id,
                name=name[:200] or "case",
                folder=None if folder is None else str(folder),
                added_at=now(),
                changed_at=now(),
                version=1,
            )
        )
    return case_id


def case_row(store: Store, case_id: str) -> CaseRow:
    """A case by its id.

    Raises
    ------
    StoreError : there is none.
    """
    with store.reading() as connection:
        found = (
            connection.execute(
                select(tables.case).where(tables.case.c.id == case_id, tables.case.c.removed_at.is_(None))
            )
            .mappings()
            .first()
        )
    if found is None:
        raise StoreError("there is no such case", "it was removed, or the address is wrong", "go to the worklist")
    return _row(found)


def case_rows(store: Store, limit: int = 5000) -> list[CaseRow]:
    """All cases, the last changed first."""
    query = select(tables.case).where(tables.case.c.removed_at.is_(None))
    with store.reading() as connection:
        found = connection.execute(query.order_by(tables.case.c.changed_at.desc()).limit(limit)).mappings().all()
    return [_row(one) for one in found]


def _row(found: Mapping[Any, Any]) -> CaseRow:
    return CaseRow(
        id=found["id"],
        name=found["name"],
        patient_id=found["patient_id"],
        record=found["record"],
        folder=None if found["folder"] is None else Path(found["folder"]),
        summary=found["summary"] or {},
        added_at=found["added_at"],
        changed_at=found["changed_at"],
        version=found["version"],
        record_names=found["record_names"],
    )


def change_case(store: Store, case_id: str, values: Mapping[str, Any], version: int | None = None) -> int:
    """Change columns of a case; returns its new version.

    Parameters
    ----------
    values : by column of the table `case`.
    version : the one that was read; where somebody changed the case since, nothing is written.

    Raises
    ------
    StoreError : no such case, or it was changed meanwhile.
    """
    table = tables.case
    with store.writing() as connection:
        found = connection.execute(
            select(table.c.version).where(table.c.id == case_id, table.c.removed_at.is_(None)).with_for_update()
        ).first()
        if found is None:
            raise StoreError("there is no such case", "nothing was written", "go to the worklist")
        if version is not None and found.version != version:
            raise StoreError(
                "this case was changed by somebody else meanwhile", "nothing was written", "read it again, then repeat"
            )
        new = found.version + 1
        connection.execute(
            update(table).where(table.c.id == case_id).values(**dict(values), version=new, changed_at=now())
        )
    return int(new)


def remove_case(store: Store, case_id: str) -> None:
    """Take a case off the worklist; its files and results stay where they are."""
    change_case(store, case_id, {"removed_at": now()})


def set_input(store: Store, case_id: str, role: str, sha256: str, name: str) -> None:
    """Name the file of a role; a former one of this role stays known as replaced."""
    table = tables.case_input
    with store.writing() as connection:
        now_given = table.c.case_id == case_id, table.c.role == role, table.c.replaced_at.is_(None)
        same = connection.execute(select(table.c.id).where(*now_given, table.c.sha256 == sha256)).first()
        if same is not None:
            return
        connection.execute(update(table).where(*now_given).values(replaced_at=now()))
        connection.execute(insert(table).values(case_id=case_id, role=role, sha256=sha256, name=name[:200]))


def inputs_of(store: Store, case_id: str) -> dict[str, InputRow]:
    """The files of a case by role."""
    with store.reading() as connection:
        return _inputs(connection, case_id)


def _inputs(connection: Connection, case_id: str) -> dict[str, InputRow]:
    table = tables.case_input
    query = select(table.c.role, table.c.sha256, table.c.name)
    found = connection.execute(query.where(table.c.case_id == case_id, table.c.replaced_at.is_(None)))
    return {row.role: InputRow(role=row.role, sha256=row.sha256, name=row.name) for row in found}


def input_paths(store: Store, files: Files, case_id: str) -> dict[str, Path]:
    """What a reader opens for each role of a case.

    Raises
    ------
    OutputError : a stored file is gone.
    """
    return {role: files.path_of(row.sha256) for role, row in inputs_of(store, case_id).items()}


def case_with_files(store: Store, hashes: Sequence[str]) -> CaseRow | None:
    """The case that was read from images of exactly these hashes (CT and labels); None where there is none.

    Parameters
    ----------
    hashes : the SHA-256 of every image file; those of a series stand for one input together.
    """
    table = tables.case_input
    if not hashes:
        return None
    with store.reading() as connection:
        query = select(table.c.case_id, table.c.sha256).where(
            table.c.role.in_(("ct", "labels")), table.c.replaced_at.is_(None)
        )
        have: dict[str, set[str]] = {}
        for row in connection.execute(query):
            have.setdefault(row.case_id, set()).add(row.sha256)
    alike = [case_id for case_id, found in have.items() if found == set(hashes) or found == {series_hash(hashes)}]
    return next((row for row in case_rows(store) if row.id in alike), None)


def case_of_folder(store: Store, folder: Path) -> CaseRow | None:
    """The case whose results lie in a folder; None where there is none."""
    table = tables.case
    with store.reading() as connection:
        query = select(table).where(table.c.folder == str(folder), table.c.removed_at.is_(None))
        found = connection.execute(query).mappings().first()
    return None if found is None else _row(found)

"""The rows of jobs: asked for, claimed by one worker, brought on, ended. Every step names the state that it leaves,
so that of two who take the same step one alone succeeds and nothing is run twice.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select, update

from endplate.jobs.job import AGAIN, OPEN, Job, State
from endplate.store import work_tables
from endplate.store.database import Store, StoreError
from endplate.store.ids import new_id, now

table = work_tables.job


def submit(
    store: Store, task: str, title: str, asked_by: str, case_id: str | None = None, arguments: Mapping[str, Any] = {}
) -> str:
    """Ask for a job; returns its id. One of the same task, case and arguments that is still open is taken instead."""
    job_id, wanted = new_id(), dict(arguments)
    with store.writing() as connection:
        same = select(table.c.id, table.c.arguments).where(
            table.c.task == task, table.c.case_id == case_id, table.c.state.in_(OPEN), table.c.cancel_asked.is_(False)
        )
        for row in connection.execute(same):
            if row.arguments == wanted:
                return str(row.id)
        connection.execute(
            insert(table).values(
                id=job_id, case_id=case_id, task=task, title=title[:200], arguments=wanted, state="queued", attempt=1,
                cancel_asked=False, asked_by=asked_by[:200], asked_at=now(), version=_next(connection),
            )
        )  # fmt: skip
    return job_id


def job_row(store: Store, job_id: str) -> Job:
    """A job by its id.

    Raises
    ------
    StoreError : there is none.
    """
    with store.reading() as connection:
        found = connection.execute(select(table).where(table.c.id == job_id)).mappings().first()
    if found is None:
        raise StoreError("there is no such job", "", "go to the worklist")
    return _job(found)


def jobs(store: Store, states: Sequence[State] = (), case_id: str | None = None, limit: int = 200) -> list[Job]:
    """Jobs, the last asked for first, in some states or all, of a case or of all."""
    query = select(table).order_by(table.c.asked_at.desc()).limit(limit)
    if states:
        query = query.where(table.c.state.in_(states))
    if case_id is not None:
        query = query.where(table.c.case_id == case_id)
    with store.reading() as connection:
        return [_job(found) for found in connection.execute(query).mappings()]


def last_of_cases(store: Store) -> dict[str, Job]:
    """By case, the job that was asked for last, where it did not end well or is open."""
    last = select(table.c.case_id, func.max(table.c.asked_at).label("at")).group_by(table.c.case_id).subquery()
    query = select(table).join(last, (table.c.case_id == last.c.case_id) & (table.c.asked_at == last.c.at))
    with store.reading() as connection:
        found = connection.execute(query.where(table.c.state != "done")).mappings()
        return {one["case_id"]: _job(one) for one in found}


def changed_since(store: Store, version: int) -> list[Job]:
    """Jobs that were written to after a version, oldest change first."""
    query = select(table).where(table.c.version > version).order_by(table.c.version)
    with store.reading() as connection:
        return [_job(found) for found in connection.execute(query).mappings()]


def last_version(store: Store) -> int:
    """The version of the newest change."""
    with store.reading() as connection:
        return int(connection.execute(select(func.max(table.c.version))).scalar() or 0)


def claim(store: Store, job_id: str) -> Job | None:
    """Take a waiting job for this process; None where another one has it, or it was cancelled."""
    values = {"state": "running", "pid": os.getpid(), "host": platform.node(), "started_at": now()}
    return job_row(store, job_id) if _step(store, job_id, ("queued",), values, cancelled=False) else None


def bring_on(store: Store, job_id: str, values: Mapping[str, Any]) -> bool:
    """Write how far a running job is; False where it runs no more."""
    return _step(store, job_id, ("running",), values)


def end(store: Store, job_id: str, state: State, values: Mapping[str, Any] = {}) -> bool:
    """End a running or waiting job; False where it had ended already."""
    more = {"state": state, "ended_at": now(), "seconds_left": None, "pid": None}
    return _step(store, job_id, OPEN, more | dict(values))


def ask_cancel(store: Store, job_id: str) -> bool:
    """Ask for the end of a job; one that waits ends at once. False where it had ended already."""
    waited = _step(
        store, job_id, ("queued",),
        {"state": "cancelled", "cancel_asked": True, "ended_at": now(), "kept": "it had not begun"},
    )  # fmt: skip
    return waited or _step(store, job_id, ("running",), {"cancel_asked": True})


def run_again(store: Store, job_id: str, asked_by: str) -> bool:
    """Let a job that did not end well wait for a worker once more; False where it is open or done."""
    nothing = ("stage", "fraction", "detail", "seconds_left", "kept", "error", "pid", "host", "started_at", "ended_at")
    values: dict[str, Any] = dict.fromkeys(nothing)
    values |= {"state": "queued", "cancel_asked": False, "asked_by": asked_by[:200], "attempt": table.c.attempt + 1}
    return _step(store, job_id, AGAIN, values)


def cancel_asked(store: Store, job_id: str) -> bool:
    """Whether the end of a job was asked for."""
    with store.reading() as connection:
        return bool(connection.execute(select(table.c.cancel_asked).where(table.c.id == job_id)).scalar())


def former_stage_seconds(store: Store, job: Job) -> dict[str, float]:
    """How long each stage took in the last such job that ended well, in order; empty where there was none.

    Such a one has the same task and, but for its files, the same arguments.
    """
    query = select(table.c.arguments, table.c.stage_seconds).where(table.c.task == job.task, table.c.state == "done")
    with store.reading() as connection:
        for row in connection.execute(query.order_by(table.c.ended_at.desc()).limit(20)):
            if _how(row.arguments) == _how(job.arguments) and isinstance(row.stage_seconds, dict):
                return row.stage_seconds
    return {}


def _how(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in ("upload", "basis", "lines", "kind")}


def _step(
    store: Store, job_id: str, leaves: Sequence[State], values: Mapping[str, Any], cancelled: bool | None = None
) -> bool:
    """Change a row that is in one of some states, and in no other."""
    step = update(table).where(table.c.id == job_id, table.c.state.in_(leaves))
    if cancelled is not None:
        step = step.where(table.c.cancel_asked.is_(cancelled))
    with store.writing() as connection:
        done = connection.execute(step.values(**dict(values), version=_next(connection)))
        return bool(done.rowcount == 1)


def _next(connection: Any) -> int:
    return int(connection.execute(select(func.max(table.c.version))).scalar() or 0) + 1


def _job(found: Mapping[Any, Any]) -> Job:
    values = dict(found)
    return Job(**values | {"stage_seconds": values["stage_seconds"] or {}})

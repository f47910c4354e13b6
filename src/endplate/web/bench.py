"""What every handler may use: the store, the files beside it, the executor of jobs, and how the server was started."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from endplate.jobs import queue
from endplate.jobs.executor import Executor
from endplate.store.cases import CaseRow
from endplate.store.database import Store
from endplate.store.files import Files
from endplate.store.users import User
from endplate.web.rate import Rate


@dataclass(slots=True, kw_only=True)
class WebSettings:
    """How the server is reached.

    Attributes
    ----------
    local : it listens on this computer alone, and the address with a token is the door; else users sign in.
    hosts : names (with port) by which it may be asked; anything else in the Host header is refused.
    port : it listens on; cookies of one address are shared by all its ports, so the cookie's name holds it.
    local_user : who works where no password is asked. secure : the cookie is sent over TLS alone.
    upload_bytes : most of one upload. form_bytes : most of a form without files.
    expanded_bytes : most of what a zip file holds. upload_files : most files.
    """

    local: bool = True
    hosts: frozenset[str] = frozenset()
    port: int = 0
    local_user: str = "local user"
    secure: bool = False
    upload_bytes: int = 4 * 2**30
    form_bytes: int = 4 * 2**20
    expanded_bytes: int = 12 * 2**30
    upload_files: int = 10_000


@dataclass(slots=True, kw_only=True)
class Bench:
    """The open workbench."""

    store: Store
    files: Files
    executor: Executor
    settings: WebSettings
    # The token of the address; None once it was used.
    entry_token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32))
    sign_in_rate: Rate = field(default_factory=Rate)


def bench_of(request: Request) -> Bench:
    """The workbench of a request."""
    bench: Bench = request.app.state.bench
    return bench


def start_job(
    bench: Bench,
    user: User,
    task: str,
    title: str,
    case: CaseRow | None = None,
    arguments: dict[str, Any] | None = None,
) -> str:
    """Ask for a job and hand it to the executor; returns its id.

    One of the same task, case and arguments that still waits or runs is taken instead.
    """
    case_id = None if case is None else case.id
    job_id = queue.submit(bench.store, task, title, user.name, case_id, arguments or {})
    bench.executor.start(job_id)
    return job_id

"""Dependencies of handlers: who asks, with which role, and about which case. Changes carry a CSRF token."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request

from endplate.errors import EndplateError
from endplate.store.audit import note_reading
from endplate.store.cases import CaseRow, case_row
from endplate.store.database import StoreError
from endplate.store.files import HEX_ID
from endplate.store.users import Role, User
from endplate.web.bench import Bench, bench_of
from endplate.web.guard import SAFE


class RefusedError(EndplateError):
    """A request that is answered with a status of its own."""

    def __init__(self, status: int, what: str, why: str = "", fix: str = "") -> None:
        self.status = status
        super().__init__(what, why, fix)


async def reader(request: Request) -> User:
    """The user, who may read."""
    return await _user(request, "reader")


async def editor(request: Request) -> User:
    """The user, who may change and compute."""
    return await _user(request, "editor")


async def admin(request: Request) -> User:
    """The user, who may see the audit and keep tokens."""
    return await _user(request, "admin")


async def _user(request: Request, role: Role) -> User:
    user: User | None = request.state.user
    if user is None:
        raise RefusedError(401, "you are not signed in", "", "sign in")
    if not user.may(role):
        raise RefusedError(403, f"this needs the role {role}", f"you are {user.role}", "ask an admin")
    if request.method not in SAFE and not request.url.path.startswith("/api/"):
        await _check_csrf(request, user)
    return user


async def _check_csrf(request: Request, user: User) -> None:
    """The token of the session in a header, or as a field of a form."""
    given = request.headers.get("x-csrf-token")
    kind = request.headers.get("content-type", "")
    if given is None and kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        field = (await request.form(max_files=10_000, max_fields=2_000)).get("csrf")
        given = field if isinstance(field, str) else None
    if given is None or not user.csrf or not hmac.compare_digest(given.encode(), user.csrf.encode()):
        raise RefusedError(
            403, "this form does not belong to your session", "nothing was changed", "load the page again, then repeat"
        )


TheBench = Annotated[Bench, Depends(bench_of)]
Reader = Annotated[User, Depends(reader)]
Editor = Annotated[User, Depends(editor)]
Admin = Annotated[User, Depends(admin)]
"""Types of a handler's arguments, by which FastAPI hands over what is asked for."""


def the_case(request: Request, case_id: str, bench: TheBench, user: Reader) -> CaseRow:
    """The case of the address, looked up by its id; that it was read is kept in the audit."""
    if not HEX_ID.fullmatch(case_id):
        raise RefusedError(404, "there is no such case", "", "go to the worklist")
    try:
        case = case_row(bench.store, case_id)
    except StoreError as error:
        if "no such case" not in error.what:
            raise
        raise RefusedError(404, error.what, error.why, error.fix) from error
    if request.method in SAFE and "hx-request" not in request.headers:
        note_reading(bench.store, user.name, "read", case)
    return case


TheCase = Annotated[CaseRow, Depends(the_case)]

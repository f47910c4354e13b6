"""Settings: tokens of other programs, users, and the audit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from endplate.store.audit import note, notes
from endplate.store.users import (
    ROLES,
    Role,
    add_api_token,
    api_tokens,
    disable_user,
    enable_user,
    users,
    withdraw_api_token,
)
from endplate.web.access import Admin, TheBench
from endplate.web.bench import Bench
from endplate.web.pages import page
from endplate.web.text import one_line

router = APIRouter(include_in_schema=False)


@router.get("/settings")
def settings_page(request: Request, bench: TheBench, user: Admin) -> Response:
    """The page."""
    return _page(request, bench, "")


@router.post("/settings/tokens")
def new_token(
    request: Request,
    bench: TheBench,
    user: Admin,
    name: Annotated[str, Form()] = "token",
    role: Annotated[str, Form()] = "reader",
) -> Response:
    """Make a token; it is shown once."""
    wanted: Role = next((one for one in ROLES if one == role), "reader")
    name = one_line(name, 200) or "token"
    key = add_api_token(bench.store, user, name, wanted)
    note(bench.store, user.name, "made a token", detail=f"{name[:100]} ({wanted})")
    return _page(request, bench, key)


@router.post("/settings/tokens/{number}/withdraw")
def withdraw(number: int, bench: TheBench, user: Admin) -> Response:
    """Let a token open nothing any more."""
    withdraw_api_token(bench.store, number)
    note(bench.store, user.name, "withdrew a token", detail=str(number))
    return RedirectResponse("/settings", 303)


@router.post("/settings/users/disable")
def disable(bench: TheBench, user: Admin, name: Annotated[str, Form()]) -> Response:
    """Let nobody in by a name any more."""
    disable_user(bench.store, name)
    note(bench.store, user.name, "disabled a user", detail=one_line(name, 100))
    return RedirectResponse("/settings", 303)


@router.post("/settings/users/enable")
def enable(bench: TheBench, user: Admin, name: Annotated[str, Form()]) -> Response:
    """Let a user in again."""
    enable_user(bench.store, name)
    note(bench.store, user.name, "enabled a user", detail=one_line(name, 100))
    return RedirectResponse("/settings", 303)


@router.get("/settings/api")
def programs(request: Request, user: Admin) -> Response:
    """Every request of the REST door, from its generated description."""
    described = request.app.state.api.openapi()
    requests = [
        {
            "method": method.upper(),
            "path": "/api" + path,
            "words": one.get("description", ""),
            "given": [field["name"] for field in one.get("parameters", [])],
        }
        for path, methods in described["paths"].items()
        for method, one in methods.items()
    ]
    return page(request, "programs.html.j2", requests=requests, about=described["info"]["description"])


def _page(request: Request, bench: Bench, key: str) -> Response:
    return page(
        request, "settings.html.j2", tokens=api_tokens(bench.store), roles=ROLES, key=key, users=users(bench.store),
        audit=notes(bench.store, limit=200),
    )  # fmt: skip

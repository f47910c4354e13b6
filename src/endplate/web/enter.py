"""The door: the address with a one-time token on this computer, or a name with a password on a network."""

from __future__ import annotations

import hmac
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from endplate.store.audit import note
from endplate.store.users import User, begin_session, checked_user, end_session
from endplate.web.access import Reader, RefusedError, TheBench
from endplate.web.bench import Bench
from endplate.web.guard import cookie_name
from endplate.web.pages import page

router = APIRouter(include_in_schema=False)


@router.get("/enter")
def enter(request: Request, bench: TheBench) -> Response:
    """Exchange the token of the address, once, for the cookie of a session."""
    if request.state.user is not None:  # the address opened again in the same browser
        return RedirectResponse("/", 303)
    given = parse_qs(request.url.query).get("token", [""])[0]
    token = bench.entry_token
    if not bench.settings.local or token is None or not hmac.compare_digest(given.encode(), token.encode()):
        raise RefusedError(
            403,
            "this token does not open the workbench",
            "each opens it once",
            "start endplate serve again for a new one",
        )
    bench.entry_token = None
    return _begun(bench, User(name=bench.settings.local_user, role="admin"))


@router.get("/sign-in")
def sign_in_page(request: Request, bench: TheBench) -> Response:
    """The form for name and password."""
    if bench.settings.local:
        raise RefusedError(403, "nobody signs in here", "", "open the address that endplate serve printed")
    return page(request, "sign_in.html.j2", refusal="")


@router.post("/sign-in")
def sign_in(
    request: Request,
    bench: TheBench,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Check name and password; few wrong ones, then a wait."""
    if bench.settings.local or _cross_site(request):
        raise RefusedError(403, "nobody signs in from here", "", "open the sign-in page itself")
    client = request.client.host if request.client else ""
    keys = (f"name {name.strip().lower()[:100]}", f"from {client}")
    wait = bench.sign_in_rate.waits(*keys)
    if wait > 0:
        words = f"too many wrong passwords; try again in {int(wait) // 60 + 1} min"
        return page(request, "sign_in.html.j2", 429, refusal=words)
    user = checked_user(bench.store, name, password)
    if user is None:
        bench.sign_in_rate.failed(*keys)
        note(bench.store, name.strip()[:100] or "nobody", "was refused at sign-in", detail=client)
        return page(request, "sign_in.html.j2", 403, refusal="name and password do not belong together")
    bench.sign_in_rate.passed(keys[0])
    note(bench.store, user.name, "signed in", detail=client)
    return _begun(bench, user)


@router.post("/sign-out")
def sign_out(request: Request, bench: TheBench, user: Reader) -> Response:
    """End the session."""
    end_session(bench.store, request.cookies.get(cookie_name(bench), ""))
    note(bench.store, user.name, "signed out")
    return RedirectResponse("/sign-in", 303)


@router.get("/healthy")
def healthy() -> dict[str, bool]:
    """Whether the server answers; says nothing else."""
    return {"ok": True}


def _begun(bench: Bench, user: User) -> Response:
    key = begin_session(bench.store, user, bench.settings.local)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(cookie_name(bench), key, httponly=True, samesite="strict", secure=bench.settings.secure, path="/")
    return answer


def _cross_site(request: Request) -> bool:
    """A form of another site must not sign somebody in under its own name."""
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")

"""What every request passes before any handler: the Host header, the size, who asks, and the headers of the answer."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from endplate.errors import EndplateError
from endplate.store.users import User, api_user, session_user
from endplate.web.bench import Bench

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; frame-src 'self'; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
OPEN = ("/static/", "/enter", "/sign-in", "/healthy")
"""Addresses that need no session; none of them shows anything of a patient."""
OPEN_BYTES = 2**16
"""Most of a body that is read from somebody whom we do not know."""
SAFE = ("GET", "HEAD", "OPTIONS")
MOST_DIGITS = 18
"""Of a Content-Length; a longer one is no size of anything."""


class Guard:
    """ASGI middleware; the user is in `request.state.user` afterwards, None where the address is open."""

    def __init__(self, app: ASGIApp, bench: Bench) -> None:
        self.app, self.bench = app, bench

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refused(request)
        if refusal is None:
            user, lost = None, ""
            try:
                user = await run_in_threadpool(self._user, request)
            except EndplateError as error:  # the database is lost or locked
                lost = str(error).rstrip(".")
            scope.setdefault("state", {})["user"] = user
            if lost:
                refusal = refused(request, 503, lost, "nothing was changed")
            elif user is None and not scope["path"].startswith(OPEN):
                refusal = self._unknown(request)
            elif user is not None and _foreign(request):
                refusal = refused(request, 403, "this request comes from another site", "it was not answered")
        await (refusal or self.app)(scope, receive, send_with_headers)

    def _refused(self, request: Request) -> Response | None:
        """A refusal that needs nothing but the headers."""
        host = request.headers.get("host", "").lower()
        if host not in self.bench.settings.hosts:
            return refused(request, 400, "this server is not known by the name it was asked by", "use its own address")
        if "transfer-encoding" in request.headers:
            return refused(request, 411, "an upload that does not say its length", "send a Content-Length")
        length, most = request.headers.get("content-length", "0"), self._most(request)
        if not length.isdecimal() or len(length) > MOST_DIGITS or int(length) > most:
            return refused(request, 413, f"more than {most / 2**20:.4g} MiB in one request", "give it in parts")
        return None

    def _most(self, request: Request) -> int:
        """Most bytes of a body: those of an upload where files are taken, else those of a form."""
        settings, path = self.bench.settings, request.url.path
        if path.startswith(OPEN):
            return OPEN_BYTES
        takes_files = path in ("/cases", "/api/cases") or (path.startswith("/cases/") and path.endswith("/files"))
        return settings.upload_bytes if takes_files else min(settings.form_bytes, settings.upload_bytes)

    def _user(self, request: Request) -> User | None:
        local = self.bench.settings.local
        if request.url.path.startswith("/api/"):
            kind, _, key = request.headers.get("authorization", "").partition(" ")
            return api_user(self.bench.store, key.strip(), local) if kind.lower() == "bearer" and key else None
        key = request.cookies.get(cookie_name(self.bench), "")
        return session_user(self.bench.store, key, local) if key else None

    def _unknown(self, request: Request) -> Response:
        if request.url.path.startswith("/api/"):
            return refused(
                request, 401, "no token of this server", "send Authorization: Bearer TOKEN; make one in Settings"
            )
        if self.bench.settings.local:
            return refused(
                request, 401, "this address needs the token that endplate serve printed",
                "open the address it printed, or start it again",
            )  # fmt: skip
        if request.method in SAFE and "hx-request" not in request.headers:
            return Response(status_code=303, headers={"Location": "/sign-in"})
        return refused(request, 401, "you are not signed in, or were away too long", "sign in again")


def _foreign(request: Request) -> bool:
    """Whether a page of another origin sent a request that may change something or be read by it."""
    if request.url.path.startswith("/api/"):
        return False  # a token is sent by a program, never by a browser on its own
    site = request.headers.get("sec-fetch-site", "none")
    if request.method in SAFE:
        return site in ("cross-site", "same-site") and request.headers.get("sec-fetch-mode") != "navigate"
    origin = request.headers.get("origin")
    own = {f"{scheme}://{request.headers.get('host', '').lower()}" for scheme in ("http", "https")}
    return site not in ("none", "same-origin") or (origin is not None and origin.lower() not in own)


def cookie_name(bench: Bench) -> str:
    """The name of the session's cookie."""
    return f"endplate_{bench.settings.port}"


def refused(request: Request, status: int, what: str, fix: str) -> Response:
    """A refusal in the form that was asked for: one line as JSON for programs and parts of pages, else a small page."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"ok": False, "error": {"what": what, "why": "", "fix": fix}}, status)
    from endplate.web.pages import bare_page

    if "hx-request" in request.headers:
        return Response(f"{what}; {fix}.", status, media_type="text/plain")
    return HTMLResponse(bare_page("Not answered", what, fix), status)


def state_user(scope: Any) -> User | None:
    """The user that the guard found."""
    user: User | None = scope.get("state", {}).get("user")
    return user

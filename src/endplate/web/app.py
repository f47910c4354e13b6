"""The application: guard, screens, REST door, static files, and errors as one clear line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from endplate.errors import EndplateError
from endplate.web.bench import Bench
from endplate.web.candidacy_answer import close_beside
from endplate.web.guard import Guard
from endplate.web.pages import error_page
from endplate.web.request_words import request_error
from endplate.web.rest import rest_app, rest_error
from endplate.web.screens import routers

log = logging.getLogger("endplate.web")
STATUS = {400: "this request cannot be understood", 404: "there is nothing at this address",
          405: "this address does not take that kind of request"}  # fmt: skip


def create_app(bench: Bench) -> FastAPI:
    """The workbench as an ASGI application.

    Parameters
    ----------
    bench : the open store, its files, and the executor of jobs, which is closed when the application ends.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.ending = asyncio.Event()
        bench.executor.recover()
        yield
        app.state.ending.set()
        close_beside()
        bench.executor.close()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.bench = bench
    app.mount("/static", StaticFiles(directory=str(files("endplate.web").joinpath("static"))), name="static")
    api = rest_app(bench)
    app.state.api = api
    app.mount("/api", api)
    for router in routers():
        app.include_router(router)
    for one, answer in ((app, _page_error), (api, _rest_error)):
        for kind in (EndplateError, HTTPException, RequestValidationError, Exception):
            one.add_exception_handler(kind, answer)
    app.add_middleware(Guard, bench=bench)
    return app


async def _page_error(request: Request, error: Exception) -> Response:
    plain = _in_words(request, error)
    return error_page(request, _status(error), plain)


async def _rest_error(request: Request, error: Exception) -> Response:
    status, plain = _status(error), _in_words(request, error)
    answer = rest_error(request, plain)
    answer.status_code = status
    return answer


def _status(error: Exception) -> int:
    if isinstance(error, EndplateError):
        default = 400 if error.exit_code == 2 else 500
        return int(getattr(error, "status", default))
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, OSError) and error.errno in (28, 122):
        return 507
    return 422 if isinstance(error, RequestValidationError) else 500


def _in_words(request: Request, error: Exception) -> EndplateError:
    if isinstance(error, EndplateError):
        return error
    if isinstance(error, HTTPException):
        return EndplateError(STATUS.get(error.status_code, str(error.detail)), "", "go to the worklist")
    if isinstance(error, RequestValidationError):
        return request_error(error)
    if isinstance(error, OSError) and error.errno in (28, 122):
        return EndplateError("the disk of the server is full", "nothing was kept", "free some space, then repeat")
    log.error("a fault of our own at %s", request.url.path, exc_info=error)
    return EndplateError(
        "endplate met a fault of its own", "nothing more is known here", "see the terminal of the server"
    )

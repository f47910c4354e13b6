"""Open the store, say the address, and serve until interrupted."""

from __future__ import annotations

import getpass
import logging
import os
import socket
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from endplate.errors import InputError, OptionError
from endplate.jobs.executor import DaskScheduler, Executor, LocalProcesses
from endplate.jobs.supervise import Place
from endplate.store.database import Store, open_store
from endplate.store.files import Files
from endplate.store.users import users
from endplate.web.bench import Bench, WebSettings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
EVERYWHERE = ("0.0.0.0", "::", "")
DATABASE = "endplate.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How `endplate serve` was called.

    Attributes
    ----------
    data : folder of files. database : path or URL; an SQLite file in `data` where None.
    host, port : to listen on; port 0 takes a free one. names : further names by which the server may be asked.
    scheduler : address of a Dask scheduler. at_once : local jobs at a time. results : result folders to open.
    tls : a proxy before it speaks TLS, so the cookie is sent over TLS alone.
    """

    data: Path
    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 8420
    names: Sequence[str] = ()
    scheduler: str | None = None
    at_once: int = 2
    results: Sequence[Path] = ()
    tls: bool = False


def default_data() -> Path:
    """The folder of files where none is named: that of the user's data."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "endplate"


def serve(options: ServeOptions, say: Callable[[str], None], browse: Callable[[str], None] | None) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    say : prints a line. browse : opens an address in a browser; None opens none.

    Raises
    ------
    InputError : the store cannot be opened, the port is taken, or a network is to be served without users.
    """
    import uvicorn

    from endplate.web.app import create_app
    from endplate.web.opened import open_results

    files = Files(options.data.absolute()).prepare()
    database = options.database or str(files.root / DATABASE)
    with open_store(database) as store, _listening(options) as listener:
        port = listener.getsockname()[1]
        settings = _settings(store, options, port)
        place = Place(database=_absolute(database), data=str(files.root))
        bench = Bench(store=store, files=files, executor=_executor(store, place, options), settings=settings)
        for folder in options.results:
            open_results(store, files, folder, settings.local_user)
        name = "127.0.0.1" if options.host in LOOPBACK else options.host
        address = f"http://{name}:{port}/"
        if settings.local:
            address += f"enter?token={bench.entry_token}"
        app = create_app(bench)
        say(f"The workbench is at {address}")
        say(f"Cases lie in {files.root}; jobs are done by {bench.executor.name}. Ctrl-C ends it.")
        if browse is not None:
            browse(address)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=2,
            proxy_headers=False,
        )  # fmt: skip
        logging.getLogger("uvicorn.error").addFilter(_no_cancelled_request)
        uvicorn.Server(config).run(sockets=[listener])


def _no_cancelled_request(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log is worth printing: a request that Ctrl-C cut short is no fault."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is not CancelledError and not str(record.msg).startswith("Cancel %s running task")


def _absolute(database: str) -> str:
    return database if "://" in database else str(Path(database).absolute())


def _listening(options: ServeOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where a socket says that it is TCP; with it the body of an answer waits
    # about 40 ms for the acknowledgement of its head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
        # From here on the system keeps who comes too early, so the address may be said.
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or "ports go from 0 to 65535"
        raise OptionError(
            f"cannot listen on {options.host} port {options.port}: {why}",
            "",
            "name another --port, or 0 for a free one",
        ) from error
    return listener


def _settings(store: Store, options: ServeOptions, port: int) -> WebSettings:
    local = options.host in LOOPBACK
    if not local and not users(store):
        raise InputError(
            f"--host {options.host} without users",
            "everybody on the network could read the patients",
            "add one first: endplate serve --add-user NAME --role admin",
        )
    if options.host in EVERYWHERE and not options.names:
        raise InputError(
            f"--host {options.host} without --name",
            "only requests for a known name are answered",
            "say by which name or address browsers ask for it, such as --name 10.0.0.5",
        )
    names = {"127.0.0.1", "localhost", "[::1]"} if local else {options.host, *options.names}
    hosts = {f"{name.lower()}:{port}" for name in names} | ({name.lower() for name in options.names})
    user = "local user"
    with suppress(Exception):  # no such user in a container
        user = getpass.getuser()
    return WebSettings(local=local, hosts=frozenset(hosts), port=port, local_user=user, secure=options.tls)


def _executor(store: Store, place: Place, options: ServeOptions) -> Executor:
    if options.scheduler:
        return DaskScheduler(store, place, options.scheduler)
    return LocalProcesses(store, place, options.at_once)

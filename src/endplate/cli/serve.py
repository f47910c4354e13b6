"""What `endplate serve` does: users and tokens from the terminal, or the workbench itself."""

from __future__ import annotations

import getpass
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from endplate.cli.terminal import say
from endplate.errors import InputError, OptionError

if TYPE_CHECKING:
    from endplate.web.server import ServeOptions

NEEDED = ("fastapi", "uvicorn", "multipart", "argon2")


def check_extra() -> None:
    """Refuse in one line where the libraries of the workbench are missing.

    Raises
    ------
    OptionError : naming what to install.
    """
    from importlib.util import find_spec

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise OptionError(
            f"endplate serve needs {', '.join(missing)}", "the workbench is an extra", "pip install 'endplate[web]'"
        )


def run_serve(options: ServeOptions, browser: bool) -> int:
    """Serve until interrupted."""
    from endplate.web.server import serve

    # Ctrl-C is how it ends; uvicorn has closed everything by then.
    with suppress(KeyboardInterrupt):
        serve(options, _line, _open if browser else None)
    return 0


def run_add_user(options: ServeOptions, name: str, role: Any) -> int:
    """Ask for a password and add a user, or change one."""
    from endplate.store.users import add_user

    with _store(options) as store:
        add_user(store, name, role, _password())
    say(f"{name} may sign in as {role}.")
    return 0


@contextmanager
def _store(options: ServeOptions) -> Iterator[Any]:
    from endplate.store.database import open_store
    from endplate.store.files import Files
    from endplate.web.server import DATABASE

    files = Files(options.data.absolute()).prepare()
    with open_store(options.database or files.root / DATABASE) as store:
        yield store


def _password() -> str:
    """Typed twice at a terminal, or the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        raise InputError("the two passwords differ", "nothing was changed", "type the same twice")
    return first


def _line(words: str) -> None:
    say(words)
    sys.stdout.flush()


def _open(address: str) -> None:
    webbrowser.open(address)

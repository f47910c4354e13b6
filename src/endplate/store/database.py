"""Open a database (SQLite file by default, PostgreSQL by URL), bring it to the newest schema, and write to it whole.

Every write is one transaction that holds the lock from its first statement, so two writers queue and a killed process
leaves nothing half-written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)

from endplate.atomic import FILE_MODE
from endplate.errors import InputError

WAIT_S = 20.0
"""How long a writer waits for another one before it gives up; a write takes milliseconds."""

SQLITE_HEADER = b"SQLite format 3\x00"
VERSIONS = "alembic_version"
"""The table by which our databases are known."""


class StoreError(InputError):
    """The database cannot be used."""


class FullDiskError(StoreError):
    """There is no room for what is to be written."""

    status = 507
    """As HTTP says it."""


class Store:
    """An open database. Use `reading()` or `writing()` as a context."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine, self.name = engine, name
        self._file = Path(engine.url.database) if engine.dialect.name == "sqlite" and engine.url.database else None
        self._inode = _inode_of(self._file)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database."""
        with _clear_errors(self.name), _readable(self.name), self.engine.connect() as connection:
            connection.execution_options(endplate_reads=True)
            self._check_there()
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is kept, or nothing."""
        with _clear_errors(self.name), _readable(self.name), self.engine.begin() as connection:
            self._check_there()
            yield connection

    def _check_there(self) -> None:
        """Refuse a file that was moved, removed or exchanged: what is written to its open remains would be lost."""
        if self._file is not None and self._inode is not None and _inode_of(self._file) != self._inode:
            raise StoreError(
                f"the database {self.name} was moved or removed while it was open",
                "what is written now would be lost",
                "put it back where it was, or start again",
            )

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


def _inode_of(path: Path | None) -> tuple[int, int] | None:
    """By what the system knows a file; None where there is none."""
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


@contextmanager
def open_store(where: str | Path, create: bool = True) -> Iterator[Store]:
    """Open a database and bring it to the newest schema.

    Parameters
    ----------
    where : path of an SQLite file, or a URL such as postgresql+psycopg://user@host/name.
    create : make the file where there is none; else that is an error.

    Raises
    ------
    StoreError : unreachable, locked, damaged, not a database, or made by a newer version.
    """
    url, name = _url(where, create)
    with _clear_errors(name):
        store = Store(_engine(url), name)
        try:
            _upgrade(store)
            yield store
        finally:
            store.close()


def _url(where: str | Path, create: bool) -> tuple[Any, str]:
    text = str(where)
    if "://" in text:
        try:
            url = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text))
        except (ArgumentError, ValueError) as error:
            # The text itself is not repeated: it may hold a password.
            kind = text.partition("://")[0][:40]
            raise StoreError(
                f"what begins with {kind}:// is not a database URL", "", "write postgresql://user@host/name"
            ) from error
        if url.get_backend_name() != "sqlite":
            # Options in the URL may hold a password too.
            return url, url.set(query={}).render_as_string(hide_password=True)
        if not url.database:
            raise StoreError(f"{text!r} names no file", "nothing would be kept", "name an SQLite file")
        return _file(Path(url.database), create)
    return _file(Path(where), create)


def _file(path: Path, create: bool) -> tuple[Any, str]:
    """The URL of an SQLite file that is one, or is still to be made."""
    try:
        _check_file(path, create)
    except OSError as error:
        raise StoreError(f"the database {path} cannot be read", error.strerror or "", "check its path") from error
    # An absolute path, since some relative names (":memory:") mean something else to SQLite.
    return URL.create("sqlite", database=str(path.absolute())), str(path)


def _check_file(path: Path, create: bool) -> None:
    if not path.exists() and not create:
        raise StoreError(f"the database {path} does not exist", "", "check its path, or begin one with `follow start`")
    if path.is_dir() or not path.parent.is_dir():
        raise StoreError(
            f"the database {path} cannot be made", "it is a folder or its folder is missing", "name a file"
        )
    if path.exists() and not path.is_file():
        raise StoreError(f"the database {path} is not a file", "it was not changed", "name another file")
    if path.exists() and not path.stat().st_size and not create:
        raise StoreError(f"the database {path} is empty", "", "check its path, or begin one with `follow start`")
    if not path.exists():
        _make_private(path)
    elif path.stat().st_size:
        with path.open("rb") as stream:
            if stream.read(len(SQLITE_HEADER)) != SQLITE_HEADER:
                raise StoreError(f"{path} is not an SQLite database", "it was not changed", "name another file")


def _make_private(path: Path) -> None:
    """An empty file that its owner alone reads, whatever the umask; SQLite gives its journal the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE))
    os.chmod(path, FILE_MODE)


def _engine(url: Any) -> Engine:
    try:
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True, connect_args=_patience(url))
        engine = create_engine(url, connect_args={"timeout": WAIT_S})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"databases of the kind {url.drivername!r} cannot be opened here",
            "endplate keeps its data in an SQLite file or in PostgreSQL",
            "use an SQLite file, or install endplate[postgres] and write postgresql://user@host/name",
        ) from error
    event.listen(engine, "connect", _plain_transactions)
    event.listen(engine, "begin", _lock_at_once)
    return engine


def _patience(url: Any) -> dict[str, Any]:
    """How long to wait for a server and for the locks of another program, where the URL does not say."""
    if url.get_backend_name() != "postgresql":
        return {}
    ours = {"connect_timeout": int(WAIT_S), "options": f"-c lock_timeout={int(1000 * WAIT_S)}"}
    return {name: value for name, value in ours.items() if name not in url.query}


def _plain_transactions(connection: Any, record: Any) -> None:
    """Let SQLAlchemy, not the driver, say when a transaction begins."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # A byte that is no letter is found in its cell, not told as the end of the whole database.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")


def _lock_at_once(connection: Connection) -> None:
    """Take the write lock with the first statement: two readers that then both write would deadlock.

    Who only reads takes none, so that pages are read while a job writes.
    """
    reads = connection.get_execution_options().get("endplate_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _upgrade(store: Store) -> None:
    config = Config()
    # A % would be read as the start of a variable.
    place = str(files("endplate.store").joinpath("migrations")).replace("%", "%%")
    config.set_main_option("script_location", place)
    try:
        with _readable(store.name), store.engine.begin() as connection:
            if store.engine.dialect.name == "postgresql":
                # Two programs that open a new database at once would both create its tables.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7305123)")
            _refuse_another_programs(connection, store.name)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the database {store.name} was made by a newer endplate", "it was not changed", "install that version"
        ) from error


def _refuse_another_programs(connection: Connection, name: str) -> None:
    """Do not put our tables beside those of another program."""
    tables = inspect(connection).get_table_names()
    if tables and VERSIONS not in tables:
        raise StoreError(f"the database {name} belongs to another program", "it was not changed", "name another one")


@contextmanager
def _clear_errors(name: str) -> Iterator[None]:
    """Turn what the database says into one clear line."""
    try:
        yield
    except OperationalError as error:
        said = _first_line(error)
        if "locked" in said or "lock timeout" in said:
            raise StoreError(
                f"the database {name} is locked by another program", "nothing was written", "try again when it is done"
            ) from error
        if "malformed" in said or "disk image" in said:
            raise _damaged(name, said) from error
        if "disk is full" in said or "No space left" in said:
            raise FullDiskError(
                f"the disk of the database {name} is full", "nothing was written", "free some space, then repeat"
            ) from error
        if "connection" in said:
            why, fix = _unreached(said), "check its address, and that the server runs and knows this user"
            raise StoreError(f"the database {name} cannot be reached: {why}", "nothing was written", fix) from error
        raise StoreError(f"the database {name} cannot be used: {said}", "nothing was written", "check it") from error
    except (DataError, IntegrityError) as error:
        raise StoreError(f"the database {name} refuses a value: {_first_line(error)}", "nothing was written") from error
    except DatabaseError as error:
        raise _damaged(name, _first_line(error)) from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database {name} cannot be used: {_first_line(error)}", "nothing was written") from error


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """What is stored and cannot be read back is damage; a number beyond 64 bits is nothing that is stored."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise StoreError(
            "a text holds a byte that is no letter of UTF-8", "nothing was written", "type it again"
        ) from error
    except OverflowError as error:
        raise StoreError("a number is too large for the database", "no row has it", "check the number") from error
    except ValueError as error:
        raise _damaged(name, " ".join(str(error).split())) from error


def _unreached(said: str) -> str:
    """What a server or the way to it answered, without what our driver says about itself."""
    return said.rpartition("failed: ")[2].removeprefix("FATAL:").strip() or "no answer"


def _damaged(name: str, said: str) -> StoreError:
    return StoreError(f"the database {name} is damaged or not ours: {said}", "nothing was written", "restore a backup")


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]

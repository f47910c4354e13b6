"""Both kinds of database: an SQLite file, and a real PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from endplate.store.database import open_store

BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
NOBODY = "postgres"


def _as_server(arguments: list[str]) -> None:
    """Run a server program; it refuses to be root."""
    prefix = ["runuser", "-u", NOBODY, "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *arguments], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL (without database name) of a PostgreSQL server on a socket of its own."""
    if not BIN:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="endplate-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, NOBODY)
    programs, data = BIN[-1].parent, folder / "data"
    _as_server([str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "tester", "--no-sync"])
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w"]
    _as_server([*control, "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield f"postgresql://tester@/{{name}}?host={folder}"
    finally:
        _as_server([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request, tmp_path) -> str:
    """Path or URL of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "follow.db")
    import psycopg

    server = request.getfixturevalue("postgres_server")
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    with psycopg.connect(server.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(name=name)


@pytest.fixture
def store(where):
    """An open, empty database of either kind."""
    with open_store(where) as opened:
        yield opened

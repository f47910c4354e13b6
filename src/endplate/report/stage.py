"""Hidden folders in which results are built, the lock that shows whose they are, and what killed runs left of them."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from endplate.atomic import private_folder, try_lock, write_text
from endplate.errors import OutputError
from endplate.report.journal import (
    DONE,
    JOURNAL,
    NEW,
    OLD,
    InTheWayError,
    Journal,
    close_journal,
    forward,
    read_journal,
    undo,
    write_journal,
)
from endplate.report.manifest import HIDDEN

MARK = "endplate"
"""A file by which a hidden folder is known as ours."""
WAIT_S = 60.0
"""How long to wait for another endplate that exchanges results in the same folder; it takes milliseconds."""
UNLOCKED_STALE_S = 86400.0
"""Where there are no locks: age from which a hidden folder is what a killed run left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A hidden folder of this run, locked as long as it lives."""

    path: Path
    handle: int

    @property
    def new(self) -> Path:
        """Where new files wait."""
        return self.path / NEW

    def commit(self, folder: Path, journal: Journal) -> None:
        """Exchange old files for new ones, or put everything back as it was."""
        try:
            write_journal(self.path, journal)
            forward(folder, self.path, journal)
            close_journal(self.path)
        except BaseException:
            # Where even this fails, the journal stays, and the next run in this folder completes or undoes it.
            with suppress(OSError, InTheWayError):
                if self.pending:
                    undo(folder, self.path, journal)
                    close_journal(self.path)
            raise

    def end(self) -> None:
        """Remove the hidden folder, unless an exchange is still to be completed; let go of its lock."""
        if not self.pending:
            shutil.rmtree(self.path, ignore_errors=True)
        _close(self.handle)

    @property
    def pending(self) -> bool:
        """Whether an exchange stopped half-way and could not be undone."""
        return (self.path / JOURNAL).exists()


def begin_stage(folder: Path) -> Stage:
    """A new hidden folder, locked.

    Raises
    ------
    OSError : the folder cannot be written.
    """
    while True:
        path = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=folder))
        try:
            handle = _opened(path)
        except FileNotFoundError:  # swept away by another run before it was locked
            continue
        if try_lock(handle) is not False and path.exists():
            stage = Stage(path=path, handle=handle)
            try:
                write_text(path / MARK, "results in the making; remove this folder only when no endplate is running\n")
                for name in (NEW, OLD):
                    private_folder(path / name)
            except BaseException:
                stage.end()
                raise
            return stage
        _close(handle)


def sweep(folder: Path) -> None:
    """Complete or undo what killed runs began in a folder, and remove what they left.

    Raises
    ------
    OutputError : something stands in the way of an exchange that was stopped; both states are kept.
    """
    for path in sorted(folder.glob(f"{HIDDEN}*")):
        if path.is_dir() and not path.is_symlink():
            _settle(folder, path)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Let one endplate at a time exchange results in a folder.

    Raises
    ------
    OutputError : another one holds it too long.
    """
    handle = _opened(folder)
    try:
        last = time.monotonic() + WAIT_S
        while try_lock(handle) is False:
            if time.monotonic() > last:
                raise OutputError(
                    f"another endplate is writing to {folder}", "nothing was written", "try again when it is done"
                )
            time.sleep(0.02)
        yield
    finally:
        _close(handle)


def _opened(folder: Path) -> int:
    """A handle of a folder to lock it by; -1 where the system opens no folders."""
    return os.open(folder, os.O_RDONLY) if os.name == "posix" else -1


def _close(handle: int) -> None:
    if handle >= 0:
        os.close(handle)


def _settle(folder: Path, path: Path) -> None:
    """One hidden folder: left alone where its run lives or it is none of ours."""
    try:
        handle = _opened(path)
    except OSError:
        return
    try:
        if _abandoned(path, handle) and _ours(path):
            _complete(folder, path)
            shutil.rmtree(path, ignore_errors=True)
    finally:
        _close(handle)


def _abandoned(path: Path, handle: int) -> bool:
    taken = try_lock(handle)
    if taken is None:
        return time.time() - path.stat().st_mtime > UNLOCKED_STALE_S
    return taken


def _ours(path: Path) -> bool:
    names = {entry.name for entry in path.iterdir()}
    return not names or MARK in names or all(name.startswith(".writing-") for name in names)


def _complete(folder: Path, path: Path) -> None:
    try:
        journal = None if (path / DONE).exists() else read_journal(path)
    except (OSError, ValueError, RecursionError) as error:
        raise OutputError(
            f"{path} of an earlier run cannot be read", "it may hold earlier results", "look into it and move it away"
        ) from error
    if journal is None:
        return
    try:
        try:
            forward(folder, path, journal)
        except InTheWayError:
            undo(folder, path, journal)
    except InTheWayError as error:
        raise OutputError(
            f"an earlier run was stopped while it exchanged results in {folder}, and {error.name} there is not its own",
            f"both are kept, its files in {path}",
            f"move {folder / error.name} away",
        ) from error
    close_journal(path)

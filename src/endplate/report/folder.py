"""A results folder that changes all at once: built under a hidden name, then moved into place, or left as it was.

Built *inside* the target folder rather than beside it, so that a mounted folder, the current folder, or a folder that
also holds the user's own files all work: renames stay within one file system, and foreign files are never touched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from endplate.errors import OutputError

HIDDEN = ".endplate-partial-"
PAGE, DOCUMENT, VOLUMES = "report.html", "case.json", "volumes"
ENTRIES = (VOLUMES, DOCUMENT, PAGE)
"""What a results folder holds, in the order it is put in place: the page comes last, so no page stands without data."""
BESIDE = ("decision-aid.html", "decision.json", "fhir.json", "care.html")
"""What a decision leaves beside them: about the case that was there, so it goes with it."""


def check_writable(folder: Path) -> None:
    """Refuse early, before minutes of work, a folder that cannot take the results; leaves nothing behind.

    Raises
    ------
    OutputError : a file is in the way, the place cannot be written, or it holds files of these names that are not ours.
    """
    with _refusing(folder):
        made = _make(folder)
        try:
            Path(tempfile.mkdtemp(prefix=HIDDEN, dir=folder)).rmdir()
            _refuse_foreign(folder)
        finally:
            _unmake(made)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder to fill; its entries take their places when the block ends without an error.

    Interrupted or failed, everything that was there before is there still, and nothing new.

    Raises
    ------
    OutputError : as `check_writable`, or the disk is full.
    """
    with _refusing(folder):
        made = _make(folder)
        hidden = None
        try:
            hidden = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=folder))
            new, old = hidden / "new", hidden / "old"
            new.mkdir()
            old.mkdir()
            yield new
            _refuse_foreign(folder)
            _flush(new)
            _exchange(folder, new, old)
            made = []
        finally:
            if hidden is not None:
                shutil.rmtree(hidden, ignore_errors=True)
            _unmake(made)


@contextmanager
def _refusing(folder: Path) -> Iterator[None]:
    """Turn what the operating system says into one clear line."""
    try:
        yield
    except OSError as error:
        full = error.errno in (28, 122)
        fix = "free some space or choose another disk" if full else "choose a folder that you may write to"
        raise OutputError(
            f"cannot write results to {folder}: {error.strerror or error}", "nothing was left half-written", fix
        ) from error


def _make(folder: Path) -> list[Path]:
    """Make the folder; returns the folders that were missing, innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _unmake(made: Sequence[Path]) -> None:
    for path in made:
        with suppress(OSError):
            path.rmdir()


def _refuse_foreign(folder: Path) -> None:
    """Never replace files of our names that an endplate run did not leave: our folders always hold the document.

    A decision without a case is the user's own, and may be about another patient: it is neither removed nor joined.
    """
    if (folder / DOCUMENT).exists():
        return
    alone = [name for name in BESIDE if (folder / name).exists()]
    if alone:
        raise OutputError(
            f"{folder} already holds {' and '.join(alone)} of a decision without a case",
            "it would seem to belong to the new one",
            f"choose another folder, such as {folder / 'endplate'}",
        )
    foreign = [name for name in (PAGE, VOLUMES) if (folder / name).exists()]
    if foreign:
        raise OutputError(
            f"{folder} already holds {' and '.join(foreign)} that endplate did not write",
            "they would be replaced",
            f"choose another folder, such as {folder / 'endplate'}",
        )


def _flush(new: Path) -> None:
    """Bring everything to the disk before any of it gets its name, so that a full disk is met here."""
    for file in new.rglob("*"):
        if file.is_file():
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())


def _exchange(folder: Path, new: Path, old: Path) -> None:
    """Old entries out (page first), new entries in (page last); anything that goes wrong puts the old ones back.

    What an earlier decision left goes out with its case.
    """
    placed: list[str] = []
    try:
        for name in (*reversed(ENTRIES), *BESIDE):
            if (folder / name).exists():
                (folder / name).rename(old / name)
        for name in [name for name in ENTRIES if (new / name).exists()]:
            placed.append(name)
            (new / name).rename(folder / name)
    except BaseException:
        for name in placed:
            if not (new / name).exists():
                (folder / name).rename(new / name)
        for name in (*BESIDE, *ENTRIES):
            if (old / name).exists():
                (old / name).rename(folder / name)
        raise

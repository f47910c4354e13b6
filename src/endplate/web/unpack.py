"""Files of an upload into a folder of ours, under numbers: no name that was given is ever part of a path."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from endplate.atomic import FILE_MODE, write_text
from endplate.errors import InputError, plain
from endplate.jobs.intake import NAMES
from endplate.jobs.recognise import SHOWN, quick_kind
from endplate.store.files import SUFFIXES
from endplate.web.bench import WebSettings

PIECE = 2**20
SKIPPED = ("__MACOSX/", ".DS_Store", "Thumbs.db", "DICOMDIR")
MOST_NAMED = 3


def unpack(folder: Path, given: Iterable[tuple[str, IO[bytes]]], settings: WebSettings) -> dict[str, str]:
    """Write what was given into a folder, zip files opened; returns the name of each by its number.

    Raises
    ------
    InputError : too many or too large files, a damaged zip, or a file that is nothing endplate reads.
    """
    names: dict[str, str] = {}
    left = settings.expanded_bytes
    for name, stream in given:
        with _named(name):
            for inner, inside in _opened(name, stream, settings):
                if len(names) >= settings.upload_files:
                    raise InputError(f"more than {settings.upload_files} files", "so many are no series", "give one")
                short = plain(inner.replace("\\", "/").rpartition("/")[2], 120) or "file"
                number = f"{len(names):05d}{next((end for end in SUFFIXES if short.lower().endswith(end)), '')}"
                left -= _write(folder / number, inside, left)
                names[number] = short
    _check(folder, names)
    write_text(folder / NAMES, json.dumps(names))
    return names


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Turn what the zip library says into one clear line."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        what = f"the zip file {name} cannot be opened"
        locked = isinstance(error, RuntimeError) and "password" in str(error)
        why = "it has a password" if locked else "it is damaged, or packed in a way that is not read"
        raise InputError(what, why, "make it again, without a password") from error


def _opened(name: str, stream: IO[bytes], settings: WebSettings) -> Iterator[tuple[str, IO[bytes]]]:
    """The file itself, or every file within a zip file."""
    head = stream.read(4)
    stream.seek(0)
    if head != b"PK\x03\x04":
        if not _skipped(name):
            yield name, stream
        return
    with zipfile.ZipFile(stream) as archive:
        entries = [one for one in archive.infolist() if not one.is_dir() and not _skipped(one.filename)]
        _refuse_large(name, entries, settings)
        for entry in entries:
            with archive.open(entry) as inside:
                yield entry.filename, inside


def _refuse_large(name: str, entries: list[zipfile.ZipInfo], settings: WebSettings) -> None:
    total = sum(one.file_size for one in entries)
    many = "1 file" if len(entries) == 1 else f"{len(entries)} files"
    if len(entries) > settings.upload_files or total > settings.expanded_bytes:
        raise InputError(
            f"the zip file {name} holds {many} of {total / 2**30:.1f} GiB",
            f"at most {settings.upload_files} files and {settings.expanded_bytes / 2**30:g} GiB are taken",
            "give the one series that is needed",
        )


def _skipped(name: str) -> bool:
    last = name.rpartition("/")[2]
    return any(part in name for part in SKIPPED) or last.startswith("._") or not last


def _write(path: Path, stream: IO[bytes], most: int) -> int:
    """Write a stream, and no more than `most` bytes of it: what a zip file says of its sizes may be untrue."""
    written = 0
    with path.open("wb") as target:
        while piece := stream.read(PIECE):
            written += len(piece)
            if written > most:
                raise InputError("the files are larger than what is taken in one upload", "", "give one series")
            target.write(piece)
    path.chmod(FILE_MODE)
    return written


def _check(folder: Path, names: dict[str, str]) -> None:
    """Refuse at once what is none of the kinds that are read; the work itself is left to a job."""
    if not names:
        raise InputError("no file was given", "", f"give {SHOWN}")
    strange = [name for number, name in names.items() if quick_kind(folder / number) in (None, "zip")]
    if strange:
        more = f" and {len(strange) - MOST_NAMED} more" if len(strange) > MOST_NAMED else ""
        raise InputError(
            f"{', '.join(strange[:MOST_NAMED])}{more} {'is' if len(strange) == 1 else 'are'} none of the kinds of file "
            "that endplate reads",
            "",
            f"give {SHOWN}",
        )


def discard(folder: Path) -> None:
    """Remove an upload that was refused."""
    shutil.rmtree(folder, ignore_errors=True)

"""The exchange of old files for new ones, step by step, with a journal by which any later run completes or undoes it.

New files wait in `new/` of a hidden folder. Once the journal is on the disk, every state that a killed process can
leave tells from the places of the files alone how far it came: `forward` and `undo` both start from any of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from endplate.atomic import private_folder, write_text
from endplate.report.manifest import MANIFEST, file_sha256, is_sha256, safe_name

JOURNAL, DONE = "journal.json", "done.json"
NEW, OLD = "new", "old"


class InTheWayError(Exception):
    """Something that is neither the old file nor the new one stands under a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What an exchange does.

    Attributes
    ----------
    put : SHA-256 of every new file by its name. old : SHA-256 of every file that goes, replaced or removed.
    made : folders, within the target, that were not there before.
    """

    put: dict[str, str]
    old: dict[str, str]
    made: tuple[str, ...]


def write_journal(stage: Path, journal: Journal) -> None:
    """Put the journal on the disk; from here on the exchange will be completed or undone."""
    write_text(stage / JOURNAL, json.dumps(asdict(journal), indent=1) + "\n")
    _flush_folder(stage)


def read_journal(stage: Path) -> Journal | None:
    """The journal of a hidden folder; None where the exchange never began.

    Raises
    ------
    ValueError : it is no journal.
    """
    if not (stage / JOURNAL).exists():
        return None
    found = json.loads((stage / JOURNAL).read_bytes())
    if not isinstance(found, dict) or set(found) != {"put", "old", "made"}:
        raise ValueError("it has another format")
    put, old, made = found["put"], found["old"], found["made"]
    if not (_hashes(put) and _hashes(old) and isinstance(made, list) and all(map(_safe, made))):
        raise ValueError("an entry is not whole")
    return Journal(put=put, old=old, made=tuple(made))


def forward(folder: Path, stage: Path, journal: Journal) -> None:
    """Old files out (pages first), new files in (pages last), from wherever an earlier attempt stopped.

    Raises
    ------
    InTheWayError : something else stands under one of the names. OSError : as the system says.
    """
    for name in _pages_first(journal.old):
        _out(folder, stage, journal, name)
    for name in reversed(_pages_first(journal.put)):
        if os.path.lexists(stage / NEW / name):
            if os.path.lexists(folder / name):
                raise InTheWayError(name)
            move(stage / NEW / name, folder / name)
    _prune(folder, {*_folders(journal.old)} - {*_folders(journal.put)})


def _out(folder: Path, stage: Path, journal: Journal, name: str) -> None:
    """One old file out of the folder, unless it went before."""
    replaced = name in journal.put
    done = replaced and not os.path.lexists(stage / NEW / name)
    if done or not os.path.lexists(folder / name):
        return
    if os.path.lexists(stage / OLD / name) or _hash(folder / name) != journal.old[name]:
        if replaced:
            raise InTheWayError(name)
        return
    move(folder / name, stage / OLD / name)


def undo(folder: Path, stage: Path, journal: Journal) -> None:
    """New files out, old files in again, from wherever the exchange stopped; errors as of `forward`."""
    for name in _pages_first(journal.put):
        new = stage / NEW / name
        if not os.path.lexists(new) and _hash(folder / name) == journal.put[name]:
            move(folder / name, new)
    for name in reversed(_pages_first(journal.old)):
        if os.path.lexists(stage / OLD / name):
            if os.path.lexists(folder / name):
                raise InTheWayError(name)
            move(stage / OLD / name, folder / name)
    _prune(folder, journal.made)


def close_journal(stage: Path) -> None:
    """Say that nothing is left to complete or undo; one rename, so that a killed process said it or did not."""
    os.rename(stage / JOURNAL, stage / DONE)


def move(source: Path, target: Path) -> None:
    """Rename a file to where nothing stands."""
    private_folder(target.parent)
    os.rename(source, target)


def folders_missing(folder: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Folders within the target that the names need and that are not there yet."""
    return tuple(place for place in _folders(names) if not (folder / place).exists())


def _pages_first(names: Iterable[str]) -> list[str]:
    """Names in the order in which they go: pages, then the list of files, then data; so no page stands without data."""
    return sorted(names, key=lambda name: (not name.endswith(".html"), name != MANIFEST, name))


def _folders(names: Iterable[str]) -> list[str]:
    """Folders of the names, the deepest first."""
    found = {str(place) for name in names for place in PurePosixPath(name).parents if str(place) != "."}
    return sorted(found, key=lambda place: (-place.count("/"), place))


def _prune(folder: Path, places: Iterable[str]) -> None:
    for place in sorted(places, key=lambda place: -place.count("/")):
        with suppress(OSError):
            (folder / place).rmdir()


def _hash(path: Path) -> str:
    """SHA-256 of an ordinary file; empty text where there is none."""
    return file_sha256(path) if path.is_file() and not path.is_symlink() else ""


def _hashes(value: Any) -> bool:
    return isinstance(value, dict) and all(_safe(name) and is_sha256(found) for name, found in value.items())


def _safe(name: Any) -> bool:
    return isinstance(name, str) and safe_name(name)


def _flush_folder(folder: Path) -> None:
    """Bring a rename to the disk, where the system lets a folder be flushed."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

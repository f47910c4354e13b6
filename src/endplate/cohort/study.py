"""The folder of a study: which version and settings it was begun with, and the lock that keeps a second run out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endplate.atomic import private_folder, try_lock
from endplate.cohort.row import CohortRow
from endplate.cohort.settings import CohortSettings, settings_hash
from endplate.errors import OptionError, OutputError
from endplate.report.folder import write_file
from endplate.version import __version__

STUDY, CASES, LOCK = "study.json", "cases", ".endplate-lock"
FORMAT, FORMAT_VERSION = "endplate-study", 1
KIND = "study-begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The folder of a study.

    Parameters
    ----------
    folder : Path
    """

    folder: Path

    @property
    def cases(self) -> Path:
        """Where the folders of the cases lie."""
        return self.folder / CASES

    def case(self, row: CohortRow) -> Path:
        """The folder of a case."""
        return self.cases / row.folder


@contextmanager
def opened_study(folder: Path, source: Path, settings: CohortSettings) -> Iterator[Study]:
    """The study of a folder, made where it is not there yet, and locked meanwhile.

    Raises
    ------
    OptionError : it was begun by another version, or holds something else.
    OutputError : it cannot be written, or another run is at work there.
    """
    check_study(folder)
    try:
        private_folder(folder)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(f"the study {folder} cannot be written: {why}", "", "choose another folder") from error
    try:
        if try_lock(handle) is False:
            raise OutputError(
                f"another endplate is at work in {folder}",
                "two runs would do every case twice",
                "wait until it is done",
            )
        write_file(folder / STUDY, _text(source, settings), KIND)
        yield Study(folder=folder)
    finally:
        os.close(handle)


def check_study(folder: Path) -> None:
    """Refuse a folder that is a study of another version, or is full of other things.

    Raises
    ------
    OptionError
    """
    path = folder / STUDY
    if not os.path.lexists(path):
        if (folder / CASES).exists():
            raise OptionError(f"{folder} holds a folder {CASES} but no study", "", "choose another folder")
        return
    try:
        found: Any = json.loads(path.read_bytes()) if path.stat().st_size < 2**24 else None
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise OptionError(f"{path} is no study of endplate", "", "choose another folder")
    if found.get("version") != __version__ or found.get("format_version") != FORMAT_VERSION:
        raise OptionError(
            f"the study {folder} was begun with endplate {found.get('version')}, this is {__version__}",
            "results of two versions would be mixed",
            "choose another folder, or run the version it was begun with",
        )


def _text(source: Path, settings: CohortSettings) -> str:
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "source": str(source),
        "step": settings.step,
        "settings": settings_hash(settings),
    }
    return json.dumps(document, indent=1) + "\n"

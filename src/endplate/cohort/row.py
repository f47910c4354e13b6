"""A row of a cohort: one case by its name, and where its scan, labels and record lie."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from endplate.errors import OptionError

SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
LONGEST = 100
"""Letters of a folder's name; file systems take 255 bytes, and the folder gets longer names within."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRow:
    """One case of a cohort.

    Parameters
    ----------
    id : str
        Name of the case, unique in the cohort.
    ct : Path, optional
        NIfTI file or folder of one DICOM series.
    labels : Path, optional
        As of `read_case`; None where a segmenter makes them.
    record : Path or mapping, optional
        Patient record as a file or as its fields.
    notes : tuple of str, optional
        What was odd about the row where it was found.
    """

    id: str
    ct: Path | None = None
    labels: Path | None = None
    record: Path | Mapping[str, Any] | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def folder(self) -> str:
        """Name of the folder of the case: its id where that is a plain name, else the id in safe letters."""
        if SAFE.fullmatch(self.id) and not self.id.endswith("."):
            return self.id
        digest = hashlib.sha256(self.id.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        name = quote(self.id, safe="", errors="replace").replace(".", "%2E")
        return f"{name.replace('-', '%2D', 1) if name.startswith('-') else name:.{LONGEST - 9}}-{digest}"


def checked_rows(rows: Sequence[CohortRow], source: Path) -> list[CohortRow]:
    """The rows as they are.

    Raises
    ------
    OptionError : there is none, one has no id, or two have the same.
    """
    if not rows:
        raise OptionError(f"{source} holds no case", "there is nothing to do", "check the path")
    if nameless := [place for place, row in enumerate(rows, start=1) if not row.id]:
        raise OptionError(f"row {nameless[0]} of {source} has no id", "each case needs a name of its own", "name it")
    # Folders on some disks do not tell capitals from small letters.
    twice = [name for name, count in Counter(row.folder.casefold() for row in rows).items() if count > 1]
    if twice:
        names = [row.id for row in rows if row.folder.casefold() == twice[0]]
        more = f", and so are {len(twice) - 1} other ids" if len(twice) > 1 else ""
        raise OptionError(
            f"{len(names)} rows of {source} have the id {names[0]!r}{more}",
            "two cases would share one folder",
            "give each its own",
        )
    return list(rows)

"""The files of a folder, looked through without opening one."""

from __future__ import annotations

import os
from pathlib import Path

from endplate.errors import ImageError
from endplate.image.limits import RAISE, Limits


def files_of(folder: Path, limits: Limits, *, deep: bool = True) -> list[Path]:
    """The ordinary files of a folder in the order of their names, and with `deep` those in the folders below it.

    Raises
    ------
    ImageError : more files and folders than the limit.
    """
    found: list[Path] = []
    seen = 0
    for place, folders, names in os.walk(folder, onerror=_fail):
        seen += len(folders) + len(names)
        if seen > limits.files:
            raise ImageError(
                f"{folder} holds more than {limits.files} files and folders",
                "that many are not looked through",
                f"give the folder of one series, or {RAISE}",
            )
        found += [path for path in (Path(place) / name for name in names) if path.is_file()]
        if not deep:
            break
    return sorted(found)


def _fail(error: OSError) -> None:
    raise error

"""What endplate wrote into a folder: the name, hash and kind of every file. Only what it lists may be replaced."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from endplate.errors import OutputError

MANIFEST = ".endplate-manifest.json"
HIDDEN = ".endplate-partial-"
"""How the hidden folders begin in which results are built."""
FORMAT, FORMAT_VERSION = "endplate-manifest", 1
MAX_BYTES = 2**24
DEEPEST = 4
HEX = frozenset("0123456789abcdef")

Standing = Literal["absent", "ours", "changed", "foreign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file that endplate wrote: its SHA-256, and what it belongs to ("case", "decision" and so on)."""

    sha256: str
    of: str


Manifest = dict[str, Entry]
"""By name within the folder, with / between parts."""


def read_manifest(folder: Path) -> Manifest:
    """What endplate wrote into a folder; empty where it wrote nothing.

    Raises
    ------
    OutputError : there is a file of that name which is no such list.
    """
    path = folder / MANIFEST
    if not os.path.lexists(path):
        return {}
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > MAX_BYTES:
            raise ValueError("it is no ordinary file")
        return _parsed(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        raise OutputError(
            f"{path} is no list of files that endplate wrote",
            "without it nothing there may be replaced",
            "move it away, or choose another folder",
        ) from error


def manifest_text(manifest: Mapping[str, Entry]) -> str:
    """The list as JSON, names in order."""
    files = {name: asdict(manifest[name]) for name in sorted(manifest)}
    return json.dumps({"format": FORMAT, "format_version": FORMAT_VERSION, "files": files}, indent=1) + "\n"


def safe_name(name: str) -> bool:
    """Whether a name lies within its folder and is none of those that the exchange itself uses."""
    parts = PurePosixPath(name).parts
    plain = bool(name) and "\\" not in name and "\0" not in name and name == "/".join(parts)
    inside = 0 < len(parts) <= DEEPEST and not name.startswith("/") and ".." not in parts
    return plain and inside and not parts[0].startswith(HIDDEN)


def standing(folder: Path, name: str, entry: Entry | None) -> Standing:
    """What stands under a name: nothing, our file as we left it, our file changed since, or something of others."""
    path = folder
    for part in PurePosixPath(name).parts[:-1]:
        path = path / part
        if not os.path.lexists(path):
            return "absent"
        if not stat.S_ISDIR(path.lstat().st_mode):
            return "foreign"
    path = folder / name
    if not os.path.lexists(path):
        return "absent"
    if entry is None or not stat.S_ISREG(path.lstat().st_mode):
        return "foreign"
    try:
        return "ours" if file_sha256(path) == entry.sha256 else "changed"
    except OSError:
        return "changed"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_sha256(value: object) -> bool:
    """Whether a value is a SHA-256 in hex."""
    return isinstance(value, str) and len(value) == 64 and set(value) <= HEX


def _parsed(document: Any) -> Manifest:
    if (
        not isinstance(document, dict)
        or document.get("format") != FORMAT
        or not isinstance(document.get("files"), dict)
    ):
        raise ValueError("it has another format")
    found = {}
    for name, row in document["files"].items():
        whole = isinstance(row, dict) and is_sha256(row.get("sha256")) and isinstance(row.get("of"), str)
        if not whole or not safe_name(name) or name == MANIFEST:
            raise ValueError(f"its entry {name!r} is not whole")
        found[name] = Entry(sha256=row["sha256"], of=row["of"])
    return found

"""Limits on a record, checked before any work: bytes, items, depth; and no field twice."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from endplate.cited import cited
from endplate.errors import RecordError

MAX_BYTES = int(cited(2097152.0, "By", "A full record has some 10 KB: own choice", "design"))
MAX_ITEMS = int(cited(20000.0, "1", "A full record has some 400 fields and list items: own choice", "design"))
MAX_DEPTH = int(cited(24.0, "1", "A full record is 5 deep: own choice", "design"))
SMALL_BYTES = int(cited(16384.0, "By", "So short a text cannot hold more items than the limit", "design"))
SHOWN = int(cited(60.0, "1", "Letters of a name that are shown: own choice", "design"))


def bounded_bytes(path: Path) -> bytes:
    """The bytes of a record file that is a plain file within the limit.

    Raises
    ------
    RecordError : no plain file (a pipe would wait for ever), or larger than the limit.
    OSError : it cannot be read.
    """
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise RecordError(f"the record {path} is no plain file", "a pipe or folder is not read", "give a file")
    if state.st_size > MAX_BYTES:
        raise RecordError(
            f"the record {path} has {state.st_size} bytes, more than {MAX_BYTES}",
            "a record of one patient has some 10 KB",
            "give the record alone",
        )
    return path.read_bytes()


def checked_text(text: str | bytes, name: str) -> None:
    """Refuse JSON text that is too long, too deep, holds too many items, or a field twice.

    Text that is no JSON passes: the parser proper tells it better.

    Raises
    ------
    RecordError : the message opens with `name`.
    """
    if len(text) > MAX_BYTES:
        raise RecordError(f"{name} has {len(text)} bytes, more than {MAX_BYTES}", "", "give one patient's record")
    if not text.strip():
        raise RecordError(f"{name} is empty", "a record needs age and sex", "see `endplate record new`")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            double = shown(_first_double(pairs))
            raise RecordError(f"{name} gives {double} twice", "one of the two would be lost", "leave one out")
        return found

    try:
        data = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return
    if len(text) > SMALL_BYTES:
        _counted(data, name)


def _first_double(pairs: list[tuple[str, Any]]) -> str:
    seen = set[str]()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    return ""


def _counted(data: Any, name: str) -> None:
    items, layer, depth = 1, [data], 0
    while layer:
        layer = [inner for item in layer for inner in _inside(item)]
        items, depth = items + len(layer), depth + 1
        if items > MAX_ITEMS or depth > MAX_DEPTH:
            what = f"more than {MAX_ITEMS} items" if items > MAX_ITEMS else f"more than {MAX_DEPTH} layers"
            raise RecordError(f"{name} holds {what}", "no record has so many", "give one patient's record")


def _inside(item: Any) -> Iterator[Any]:
    if isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, list):
        yield from item


def shown(text: str) -> str:
    """A word from a file as it may be shown: cut where it is long, no signs that a terminal would obey."""
    cut = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return cut if cut.isprintable() else ascii(cut)

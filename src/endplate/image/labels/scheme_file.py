"""A label scheme from a TOML or JSON file: `L1 = 20`, and what else the map holds under `ignore`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from endplate.errors import LabelError
from endplate.image.error_text import name_of, one_line
from endplate.image.labels.level_name import level_from_name
from endplate.image.labels.numbering import Scheme
from endplate.image.limits import DEFAULT
from endplate.level import Level

MAX_LABEL = 2**16 - 1
_IGNORE = "ignore"
_EXAMPLE = 'write lines such as L1 = 20, and ignore = [91, "100-117"] or ignore = "rest" for other structures'


def scheme_from_file(path: Path) -> Scheme:
    """The scheme of `{"L1" = 20, ...}` or `{"20" = "L1", ...}`, at top level or under `levels`.

    `ignore` lists labels of other structures: numbers, ranges such as "100-117", a table of names, or "rest" for all
    that no level has. Without it, labels that the file does not name are left out and listed.

    Raises
    ------
    LabelError : too large, no TOML or JSON, or a line that pairs no level with a number.
    """
    parsed = _parsed(path)
    ignored = parsed.pop(_IGNORE, None)
    table = parsed.get("levels", parsed)
    if isinstance(table, dict) and table is not parsed:
        ignored = table.pop(_IGNORE, ignored)
    if not isinstance(table, dict) or not table:
        raise LabelError(f"scheme file {name_of(path)} holds no table", "", _EXAMPLE)
    levels: dict[int, Level] = {}
    for key, value in table.items():
        number, level = _entry(path, key, value)
        if number in levels or level in levels.values():
            raise LabelError(
                f"scheme file {name_of(path)} gives {number} or {level} twice", "", "make the table one to one"
            )
        levels[number] = level
    others = _others(path, ignored) - set(levels)
    name = f"file {name_of(path)}"
    return Scheme(
        name=name,
        description=f"the table in {name_of(path)}",
        levels=levels,
        others=frozenset(others),
        unlisted="left out" if ignored is None else "refused",
    )


def _parsed(path: Path) -> dict[str, Any]:
    most = DEFAULT.limits.table_bytes
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)
        if len(content) > most:
            raise LabelError(f"scheme file {name_of(path)} is larger than {most} bytes", "no scheme is", _EXAMPLE)
        text = content.decode("utf-8")
        parsed = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise LabelError(
            f"scheme file {name_of(path)} cannot be read: {one_line(error)}", "", "write TOML or JSON"
        ) from error
    if not isinstance(parsed, dict):
        raise LabelError(f"scheme file {name_of(path)} holds no table", "", _EXAMPLE)
    return parsed


def _entry(path: Path, key: str, value: Any) -> tuple[int, Level]:
    name, number = (value, key) if _number(key) is not None else (key, value)
    level = level_from_name(name) if isinstance(name, str) else None
    label = _number(number)
    if level is None or label is None:
        raise LabelError(f"scheme file {name_of(path)}: {key} = {value} pairs no level with a number", "", _EXAMPLE)
    return label, level


def _number(value: Any) -> int | None:
    """A label from 1 to 65535, written as a whole number or its plain digits."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip() if isinstance(value, str) or 0 < value <= MAX_LABEL else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        return None
    return int(text) if 0 < int(text) <= MAX_LABEL else None


def _others(path: Path, ignored: Any) -> set[int]:
    """The labels that stand for other structures."""
    if ignored is None:
        return set()
    if isinstance(ignored, str) and ignored.strip().lower() == "rest":
        return set(range(1, MAX_LABEL + 1))
    entries = list(ignored.values()) if isinstance(ignored, dict) else ignored
    entries = entries if isinstance(entries, list) else [entries]
    found: set[int] = set()
    for entry in entries:
        first, _, last = str(entry).partition("-") if isinstance(entry, str) else (entry, "", "")
        ends = _number(first), _number(last or first)
        if ends[0] is None or ends[1] is None or ends[1] < ends[0]:
            raise LabelError(f"scheme file {name_of(path)}: {entry} under ignore is no label", "", _EXAMPLE)
        found |= set(range(ends[0], ends[1] + 1))
    return found

"""One statement of a reader about one vertebra, with reason, name and time; and the file that holds several."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from endplate.errors import OptionError, plain
from endplate.image.file_type import is_ordinary
from endplate.level import Level, parse_level

What = Literal["renumber", "set_aside", "grade", "fracture"]
Scope = Literal["up", "down", "all", "one"]
"""Which vertebrae take other names: this one and those above, and those below, every one, or this one alone."""
FRACTURES = ("yes", "old", "no")
GRADES = (0, 1, 2, 3)
FORMAT, FORMAT_VERSION = "endplate-readings", 1
MAX_BYTES, MAX_READINGS, MAX_TEXT = 2**20, 1000, 500
_FIELDS = {"what", "level", "to", "scope", "reason", "who", "at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader says of one vertebra. It outranks what was computed.

    Parameters
    ----------
    what : {"renumber", "set_aside", "grade", "fracture"}
        What is said.
    level : Level
        The vertebra, by the name that it had when this was said: after the readings before it.
    to : Level, int, str or None
        The name that it should have; Genant grade 0 to 3; "yes", "old" or "no"; None where it is set aside.
    scope : {"up", "down", "all", "one"}
        Of a renumbering: which vertebrae move along.
    reason : str
        Why, in the reader's words; never empty.
    who : str
        Who says so.
    at : str
        When, ISO 8601.
    """

    what: What
    level: Level
    to: Level | int | str | None = None
    scope: Scope = "all"
    reason: str
    who: str
    at: str

    @property
    def signed(self) -> str:
        """Who and when, in brackets' words."""
        return f"{self.who}, {self.at[:10]}"


def parse_reading(given: Mapping[str, Any], name: str = "a reading") -> Reading:
    """A reading from plain values.

    Parameters
    ----------
    given : `what`, `level`, `to`, `scope` (of a renumbering), `reason`, `who`, `at`.
    name : what to call it in a message.

    Raises
    ------
    OptionError : a field that is unknown, missing, or has a value that it cannot have.
    """
    unknown = set(map(str, given)) - _FIELDS
    if unknown:
        raise OptionError(f"{name} has the unknown field {min(unknown)!r}", "", f"known: {', '.join(sorted(_FIELDS))}")
    what: Any = given.get("what")
    scope: Any = given.get("scope") or "all"
    if what not in get_args(What):
        raise OptionError(f"{name} says {what!r}", "", f"what is one of {', '.join(get_args(What))}")
    if scope not in get_args(Scope):
        raise OptionError(f"{name} has the scope {scope!r}", "", f"scope is one of {', '.join(get_args(Scope))}")
    if not given.get("level"):
        raise OptionError(f"{name} names no level", "", "give its level, such as L1")
    level = parse_level(given["level"])
    texts = {key: _text(given.get(key), key, name) for key in ("reason", "who", "at")}
    try:
        datetime.fromisoformat(texts["at"])
    except ValueError:
        raise OptionError(
            f"{name} was made at {texts['at']!r}", "", "write a time such as 2026-11-30T14:05:00Z"
        ) from None
    return Reading(what=what, level=level, to=_to(what, given.get("to"), name), scope=scope, **texts)


def _text(value: Any, key: str, name: str) -> str:
    text = " ".join(plain(value).split()) if isinstance(value, str) else ""
    if not text:
        why = "what a reader says outranks what was computed" if key == "reason" else ""
        raise OptionError(f"{name} has no {key}", why, f"give its {key}")
    if len(text) > MAX_TEXT:
        raise OptionError(f"{name} has a {key} of {len(text)} letters", f"at most {MAX_TEXT} are kept", "shorten it")
    return text


def _to(what: str, value: Any, name: str) -> Level | int | str | None:
    if what == "renumber":
        return parse_level(value if isinstance(value, str) else "")
    if what == "set_aside":
        if value is not None:
            raise OptionError(f"{name} sets a level aside to {value!r}", "", "leave `to` out")
        return None
    if what == "grade":
        if isinstance(value, bool) or value not in GRADES:
            raise OptionError(f"{name} has the grade {value!r}", "", "Genant's grades are 0, 1, 2 and 3")
        return int(value)
    if value not in FRACTURES:
        raise OptionError(f"{name} says {value!r} of a fracture", "", "say yes (a fracture), old, or no")
    return str(value)


def as_plain(reading: Reading) -> dict[str, Any]:
    """A reading as plain values, as `parse_reading` takes them."""
    found: dict[str, Any] = {"what": reading.what, "level": str(reading.level)}
    if reading.to is not None:
        found["to"] = str(reading.to) if isinstance(reading.to, Level) else reading.to
    if reading.what == "renumber":
        found["scope"] = reading.scope
    return found | {"reason": reading.reason, "who": reading.who, "at": reading.at}


def to_document(readings: Sequence[Reading]) -> dict[str, Any]:
    """The file of some readings."""
    return {"format": FORMAT, "format_version": FORMAT_VERSION, "readings": [as_plain(one) for one in readings]}


def read_readings(path: Path) -> tuple[Reading, ...]:
    """The readings of a file, in the order in which they were made.

    Raises
    ------
    OptionError : it cannot be read, is no file of readings, or one of them has no meaning.
    """
    if not is_ordinary(path):
        raise OptionError(f"the readings {path} are not an ordinary file", "", "check the path")
    if path.stat().st_size > MAX_BYTES:
        raise OptionError(f"the readings {path} have more than {MAX_BYTES} bytes", "", "give those of one scan")
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise OptionError(f"the readings {path} are no JSON", "", "see docs/howto/readings.md") from error
    return parse_readings(document, f"{path.name}")


def parse_readings(document: Any, name: str) -> tuple[Reading, ...]:
    """Readings from the values of a file, or from a list of plain readings.

    Raises
    ------
    OptionError : not such a document, of a later version, or a reading without a meaning.
    """
    rows = document
    if isinstance(document, dict):
        if document.get("format") != FORMAT or document.get("format_version") != FORMAT_VERSION:
            raise OptionError(
                f"{name} is no file of readings of format {FORMAT_VERSION}", "", "see docs/howto/readings.md"
            )
        rows = document.get("readings")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or len(rows) > MAX_READINGS:
        raise OptionError(f"{name} holds no list of readings", "", "see docs/howto/readings.md")
    return tuple(parse_reading(row, f"reading {number} of {name}") for number, row in enumerate(rows, start=1))

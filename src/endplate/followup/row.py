"""Rows as they are stored, cell by cell: what is not what its column says is a gap with its reason, never an error.

SQLite keeps any value in any column, and a file may be edited, damaged or written by another program. One bad cell
must not hide an episode.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, Date, DateTime, Float, Integer, RowMapping, Table, select
from sqlalchemy import type_coerce as as_type
from sqlalchemy.types import NullType

from endplate.followup.document import unfit
from endplate.level import Level
from endplate.patient.scale import SCALES

Raw = dict[str, Any] | RowMapping
"""Cells by name, as the driver gives them."""
REPAIRS = ("vertebroplasty", "kyphoplasty")
DERIVED = {"counts_from": "started_on"}
"""Cells that are counted from others, and the cell that stands for one until it is counted again."""


class Row:
    """A row that was read: its cells by name."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._mapping = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_mapping"][name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What of a stored row cannot be read, in words; `whole` where the row had to be left out."""

    kind: str
    number: object
    reason: str
    whole: bool

    def __str__(self) -> str:
        left = "it is left out" if self.whole else "it counts as unknown"
        return f"{self.kind} {self.number}: {self.reason}; {left}"


def stored(table: Table, *names: str) -> Any:
    """A query for the cells of a table as the driver gives them."""
    columns = [table.c[name] for name in names] or list(table.c)
    return select(*(as_type(column, NullType()).label(column.name) for column in columns))


def read_rows(connection: Connection, table: Table, query: Any, damage: list[Damage] | None = None) -> list[Row]:
    """The rows of a query made by `stored`; what cannot be read is added to `damage`."""
    found = []
    for raw in connection.execute(query).mappings():
        row, stated = parsed(table, raw)
        if damage is not None:
            damage += stated
        if row is not None:
            found.append(row)
    return found


def parsed(table: Table, raw: Raw) -> tuple[Row | None, list[Damage]]:
    """A row of what can be read of its cells; None where one is missing that every row has."""
    values: dict[str, Any] = {}
    found: list[Damage] = []
    number, lost = raw.get("id"), False
    for name in raw:
        column = table.c[name]
        try:
            values[name] = _cell(table, column, raw[name])
        except (ValueError, RecursionError, OverflowError) as error:
            needed = not column.nullable and name not in DERIVED
            reason = f"{name} {error}" if str(error) else f"{name} cannot be read"
            found.append(Damage(kind=table.name, number=number, reason=reason, whole=needed))
            values[name] = None
            lost |= needed
    for name, instead in DERIVED.items():
        if name in values and values[name] is None:
            values[name] = values.get(instead)
    return None if lost else Row(values), found


def readable_cells(table: Table, raw: Raw) -> dict[str, Any]:
    """Every cell as it reads, and as it is stored where it cannot be read."""
    found = dict(raw)
    for name in raw:
        with suppress(ValueError, RecursionError, OverflowError):
            found[name] = _cell(table, table.c[name], raw[name])
    return found


def jsonable(value: Any) -> Any:
    """A cell as JSON knows it, also one that cannot be read."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, str | int | float | bool | list | dict) or value is None:
        return value
    return repr(value)[:200]


def _cell(table: Table, column: Column[Any], value: Any) -> Any:
    kind = column.type
    if isinstance(kind, JSON) and isinstance(value, str | bytes):
        value = _json(value)
    if value is None:
        if column.nullable:
            return None
        raise ValueError("is missing")
    value = next((read for types, read in _READERS if isinstance(kind, types)), _text)(value)
    check = _CHECKS.get(f"{table.name}.{column.name}") or _CHECKS.get(column.name)
    if check is not None and (reason := check(value)):
        raise ValueError(reason)
    return value


def _json(value: str | bytes) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("is no JSON") from None


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"is {_shown(value)}, no whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"is {_shown(value)}, no number")
    return float(value)


def _truth(value: Any) -> bool:
    if value not in (0, 1) or isinstance(value, str | float):
        raise ValueError(f"is {_shown(value)}, neither yes nor no")
    return bool(value)


def _day(value: Any) -> date:
    try:
        return value if isinstance(value, date) and not isinstance(value, datetime) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"is {_shown(value)}, no day") from None


def _moment(value: Any) -> datetime:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"is {_shown(value)}, no time") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is {_shown(value)}, no text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("holds a byte that is no letter") from None
    return value


def _as_it_is(value: Any) -> Any:
    return value


_READERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (JSON, _as_it_is),
    (Boolean, _truth),
    (Float, _number),
    (Integer, _whole),
    (DateTime, _moment),
    (Date, _day),
)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _levels(value: Any) -> str:
    whole = (
        isinstance(value, list) and bool(value) and all(isinstance(v, str) and v in Level.__members__ for v in value)
    )
    return "" if whole else f"is {_shown(value)}, no list of vertebrae"


def _object(value: Any) -> str:
    return "" if isinstance(value, dict) else f"is {_shown(value)}, no object of JSON"


def _within(low: float, high: float) -> Callable[[Any], str]:
    return lambda value: "" if low <= value <= high else f"is {value:g}, outside {low:g} to {high:g}"


_CHECKS: dict[str, Callable[[Any], str]] = {
    "levels": _levels,
    "record": _object,
    "before": _object,
    "after": _object,
    "document": unfit,
    "repair.kind": lambda value: "" if value in REPAIRS else f"is {_shown(value)}, no repair",
    **{name: _within(min(s.worst, s.best), max(s.worst, s.best)) for name, s in SCALES.items()},
}
"""What a cell must be beyond its type, by column or by table and column; the answer is what is wrong with it."""

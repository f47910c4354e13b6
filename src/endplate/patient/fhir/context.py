"""What reading a resource needs beside it, and what it gives: fields, additions to lists, or why it is not used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The bundle round a resource.

    Attributes
    ----------
    today : the day that the record describes. whole_record : the bundle holds a record that endplate wrote.
    encounters, medications : resources that others refer to, by id.
    """

    today: date
    whole_record: bool
    encounters: Mapping[str, Resource] = field(default_factory=dict)
    medications: Mapping[str, Resource] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Told:
    """What a resource tells.

    Attributes
    ----------
    pairs : fields of the record with their values. items : additions to its lists: the list, and what an item gets by
    the end of its path. notes : what was read but should be asked about, by its place. unused : why it is not used, if
    it is not.
    """

    pairs: list[tuple[str, Any]] = field(default_factory=list)
    items: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    unused: str = ""


def left(reason: str) -> Told:
    """A resource that is not used."""
    return Told(unused=reason)

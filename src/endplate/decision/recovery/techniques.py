"""Techniques beside vertebroplasty and kyphoplasty: what guidelines say of each, and what trials found."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from endplate.bibliography import full_text
from endplate.cited import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a source says or found, with the key of its publication."""

    text: str
    cite: str
    trust: Trust

    @property
    def reference(self) -> str:
        """The publication in full."""
        return full_text((self.cite,))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """A technique: `says` of guidelines and payers, `found` of trials; empty where none is known here."""

    id: str
    name: str
    what: str
    says: tuple[Statement, ...]
    found: tuple[Statement, ...]


@cache
def techniques() -> tuple[Technique, ...]:
    """All of them, in the order of the file.

    Raises
    ------
    ValueError : a statement has a trust mark without a meaning. BibliographyError : it cites what is not there.
    """
    text = files("endplate.decision.recovery").joinpath("techniques.toml").read_text(encoding="utf-8")
    return tuple(
        Technique(id=row["id"], name=row["name"], what=row["what"], says=_statements(row["says"]),
                  found=_statements(row["found"]))
        for row in tomllib.loads(text)["technique"]
    )  # fmt: skip


def _statements(rows: Iterable[Mapping[str, Any]]) -> tuple[Statement, ...]:
    found = tuple(Statement(**row) for row in rows)
    for one in found:
        if one.trust not in get_args(Trust):
            raise ValueError(f"{one.text}: {one.trust} is no trust mark")
        full_text((one.cite,))
    return found

"""One publication and the whole bibliography, read from package data."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

KEY = re.compile(r"[a-z][a-z0-9_]*")
NEEDED = ("authors", "published")
ADDRESSES = ("url", "doi", "no_address")


class BibliographyError(ValueError):
    """The packaged bibliography is malformed, or something cites a key that it lacks: our fault, never the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A publication that a reader can look up.

    Attributes
    ----------
    key : how constants and rules cite it.
    authors : authors or the body that published it.
    published : journal with volume and page, or publisher and document.
    title : empty where the source was known by journal, year and authors only.
    year : of publication; None for a page without a date.
    doi : digital object identifier, without a resolver in front.
    url : a stable address.
    no_address : why there is neither `doi` nor `url`.
    note : what else a reader must know: who paid, what could be read.
    """

    key: str
    authors: str
    published: str
    title: str = ""
    year: int | None = None
    doi: str = ""
    url: str = ""
    no_address: str = ""
    note: str = ""

    @property
    def address(self) -> str:
        """Where it is found: DOI resolver or URL; empty if neither is known."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url

    def __str__(self) -> str:
        year = "undated" if self.year is None else str(self.year)
        parts = (self.authors, self.title, self.published, year, self.address or f"No address: {self.no_address}")
        return ". ".join(part.rstrip(".") for part in (*parts, self.note) if part)


@cache
def bibliography() -> Mapping[str, Reference]:
    """Every publication by key.

    Raises
    ------
    BibliographyError : a key stands twice, or an entry lacks authors, place or address.
    """
    found: dict[str, Reference] = {}
    for entry in sorted(files("endplate.bibliography").iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".toml"):
            part = read_bibliography(tomllib.loads(entry.read_text(encoding="utf-8")))
            if twice := sorted(found.keys() & part.keys()):
                raise BibliographyError(f"{entry.name}: {', '.join(twice)} stand in another file already")
            found |= part
    return found


def read_bibliography(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Reference]:
    """The publications of one file.

    Parameters
    ----------
    tables : one table per key, as read from TOML.

    Raises
    ------
    BibliographyError : a key or field that is not known, or a part that is missing; the message names the key.
    """
    return {key: _reference(key, table) for key, table in tables.items()}


def _reference(key: str, table: Mapping[str, Any]) -> Reference:
    known = {field.name for field in fields(Reference)} - {"key"}
    if not KEY.fullmatch(key) or not isinstance(table, Mapping) or set(table) - known:
        raise BibliographyError(f"bibliography: {key} has a key or a field that is not known")
    if lacking := [name for name in NEEDED if not table.get(name)]:
        raise BibliographyError(f"bibliography: {key} lacks {' and '.join(lacking)}")
    if not any(table.get(name) for name in ADDRESSES):
        raise BibliographyError(f"bibliography: {key} lacks doi or url, or no_address with the reason")
    return Reference(key=key, **table)


def full_text(cite: Iterable[str]) -> tuple[str, ...]:
    """The publications of some keys in full.

    Raises
    ------
    BibliographyError : a key is not in the bibliography.
    """
    return tuple(f"{key}: {_found(key)}" for key in cite)


def _found(key: str) -> Reference:
    try:
        return bibliography()[key]
    except KeyError:
        raise BibliographyError(f"the bibliography has no entry '{key}'") from None

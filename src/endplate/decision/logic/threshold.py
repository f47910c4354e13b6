"""A number of a rule with its unit, source, edition, publication and trust mark; no rule holds a bare number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from endplate.bibliography import BibliographyError, full_text
from endplate.cited import TRUST_WORDS, Trust, cite_keys
from endplate.errors import EndplateError

__all__ = [
    "CHECK_FIRST",
    "TRUST_WORDS",
    "Citation",
    "RuleFileError",
    "Threshold",
    "Trust",
    "read_citation",
    "read_cite",
    "read_threshold",
]

CHECK_FIRST: tuple[Trust, ...] = ("weak", "design", "knowledge", "secondary", "recomputed")
"""What a clinician should check first, weakest first."""


class RuleFileError(EndplateError):
    """A packaged rule file is malformed: our fault, never the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a rule or number stands.

    Attributes
    ----------
    edition : of the guideline. source : place in it (section, table, page) and what it says.
    trust : how far it may be trusted. cite : keys of the bibliography.
    """

    edition: str
    source: str
    trust: Trust
    cite: tuple[str, ...] = ()

    def __str__(self) -> str:
        keys = f": {', '.join(self.cite)}" if self.cite else ""
        return f"{self.source}; {self.edition} [{self.trust}{keys}]"

    @property
    def references(self) -> tuple[str, ...]:
        """The publications in full: key, authors, title, year, place and address."""
        return full_text(self.cite)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A named number of a rule file, or the points of a score's item."""

    name: str
    value: float
    unit: str
    citation: Citation


def read_citation(where: str, table: Mapping[str, Any], edition: str, cite: tuple[str, ...] = ()) -> Citation:
    """The citation of a table of a rule file.

    Parameters
    ----------
    where : name of the table, for messages.
    table : as read from TOML; `cite` is a key of the bibliography or a list of them, `[]` for none.
    edition : of the guideline, unless the table names its own.
    cite : keys of the guideline, unless the table names its own.

    Raises
    ------
    RuleFileError : source, edition or trust mark is missing or has no meaning, or a key is not in the bibliography.
    """
    edition, source = table.get("edition", edition), table.get("source")
    trust: Any = table.get("trust")
    if not source or not edition or trust not in get_args(Trust):
        raise RuleFileError(f"{where} lacks source, edition or trust mark", "every figure of a rule must carry them")
    keys = read_cite(where, table, cite)
    return Citation(edition=edition, source=source, trust=trust, cite=keys)


def read_cite(where: str, table: Mapping[str, Any], inherited: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The keys that a table of a rule file cites, or those of what holds it.

    Raises
    ------
    RuleFileError : a key is not in the bibliography.
    """
    keys = cite_keys(table.get("cite", inherited))
    try:
        full_text(keys)
    except BibliographyError as error:
        raise RuleFileError(f"{where}: {error}") from None
    return keys


def read_threshold(where: str, table: Mapping[str, Any], edition: str, cite: tuple[str, ...] = ()) -> Threshold:
    """A threshold of a rule file, `where` being its name; `edition` and `cite` are those of the guideline."""
    if "value" not in table or not table.get("unit"):
        raise RuleFileError(f"{where} lacks value or unit")
    citation = read_citation(where, table, edition, cite)
    return Threshold(name=where, value=table["value"], unit=table["unit"], citation=citation)

"""A number of a rule with its unit, source, edition and trust mark; no rule holds a bare number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from endplate.errors import EndplateError

Trust = Literal["V", "V2", "K", "K?", "D"]
"""How far a figure may be trusted; see `TRUST_WORDS`."""

TRUST_WORDS: dict[str, str] = {
    "V": "verified in the primary source",
    "V2": "second-hand: read in a digest of the source",
    "K": "from knowledge of the field, source not read",
    "K?": "from weak memory",
    "D": "our own choice where the source is silent",
}
SECTION = re.compile(r" \(reference [0-9][^)]*\)")
"""Where a rule file names the section of our working notes: for those who mend the file, not for those who read it."""
CHECK_FIRST = ("K?", "D", "K", "V2")
"""What a clinician should check first, weakest first."""


class RuleFileError(EndplateError):
    """A packaged rule file is malformed: our fault, never the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a rule or number stands: edition of the guideline, place in it, trust mark."""

    edition: str
    source: str
    trust: Trust

    def __str__(self) -> str:
        return f"{self.source}; {self.edition} [{self.trust}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A named number of a rule file, or the points of a score's item."""

    name: str
    value: float
    unit: str
    citation: Citation


def read_citation(where: str, table: Mapping[str, Any], edition: str) -> Citation:
    """The citation of a table of a rule file.

    Raises
    ------
    RuleFileError : source, edition or trust mark is missing or has no meaning; `where` names the table.
    """
    edition, source = table.get("edition", edition), table.get("source")
    trust: Any = table.get("trust")
    if not source or not edition or trust not in get_args(Trust):
        raise RuleFileError(f"{where} lacks source, edition or trust mark", "every figure of a rule must carry them")
    return Citation(edition=edition, source=SECTION.sub("", source), trust=trust)


def read_threshold(where: str, table: Mapping[str, Any], edition: str) -> Threshold:
    """A threshold of a rule file, `where` being its name."""
    if "value" not in table or not table.get("unit"):
        raise RuleFileError(f"{where} lacks value or unit")
    citation = read_citation(where, table, edition)
    return Threshold(name=where, value=table["value"], unit=table["unit"], citation=citation)

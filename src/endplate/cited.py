"""Numbers that carry their source: every clinical or physical constant is made by `cited`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Literal, get_args

Trust = Literal["verified", "secondary", "recomputed", "knowledge", "weak", "design"]
"""How far a constant may be trusted; see `TRUST_WORDS`. A `weak` one is never a limit in a test."""

TRUST_WORDS: dict[str, str] = {
    "verified": "read in the primary source",
    "secondary": "read in a page about the source, not in the source itself",
    "recomputed": "computed from public data or a stated formula",
    "knowledge": "known in the field, primary source not read",
    "weak": "from weak memory",
    "design": "our own choice, reason given",
}
"""The marks in words, in rule files and constants alike."""

_registry: list[Cited] = []


class Cited(float):
    """A float that knows its unit, source, trust and publications; arithmetic gives plain floats.

    `module` : the module that made it.
    """

    unit: str
    source: str
    trust: Trust
    cite: tuple[str, ...]
    module: str


def cited(
    value: float, unit: str, source: str, trust: Trust, *, name: str = "", cite: str | Iterable[str] = ()
) -> Cited:
    """A constant with its source.

    Parameters
    ----------
    value : the number, in `unit`.
    unit : UCUM text, "1" for a pure number.
    source : table, page or section, and what it says; for trust "design" the reason for the choice.
    trust : see `Trust`.
    name : name in messages when the constant sits in a table rather than at module level.
    cite : key or keys of the bibliography.

    Raises
    ------
    ValueError : an empty unit or source, or an unknown trust mark.
    """
    if not unit or len(source.strip()) < 8 or trust not in get_args(Trust):
        raise ValueError(f"constant {name or value}: unit, source and trust are all needed")
    number = Cited(value)
    number.unit, number.source, number.trust, number.cite = unit, source, trust, cite_keys(cite)
    number.module = _calling_module()
    _registry.append(number)
    return number


def cited_table(
    prefix: str,
    unit: str,
    source: str,
    trust: Trust,
    values: dict[str, float],
    *,
    cite: str | Iterable[str] = (),
) -> dict[str, Cited]:
    """A table of constants that share unit, source, trust and publications."""
    keys = cite_keys(cite)
    return {key: cited(value, unit, source, trust, name=f"{prefix}.{key}", cite=keys) for key, value in values.items()}


def _calling_module() -> str:
    """The nearest module up the stack that is not this one."""
    frame = sys._getframe()
    while frame.f_back and frame.f_globals["__name__"] == __name__:
        frame = frame.f_back
    return str(frame.f_globals["__name__"])


def cite_keys(cite: str | Iterable[str]) -> tuple[str, ...]:
    """Keys of the bibliography, given one or several."""
    return (cite,) if isinstance(cite, str) else tuple(cite)


def registered() -> tuple[Cited, ...]:
    """Every constant made so far, in the order of the imports."""
    return tuple(_registry)

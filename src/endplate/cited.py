"""Numbers that carry their source: every clinical or physical constant is made by `cited`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """What `cited` was told of a constant.

    Attributes
    ----------
    value : the number, in `unit`, which is UCUM text. source : table, page or section and what it says, or the reason.
    trust : see `Trust`. cite : keys of the bibliography. module : where the constant was made.
    """

    value: float
    unit: str
    source: str
    trust: Trust
    cite: tuple[str, ...]
    module: str


_registry: dict[int, tuple[float, Cited]] = {}
"""By the identity of the float, which is kept here, so that no other number can ever have it."""


def cited(
    value: float, unit: str, source: str, trust: Trust, *, name: str = "", cite: str | Iterable[str] = ()
) -> float:
    """A constant as a plain float, registered with its source: `citation_of` finds it again.

    Parameters
    ----------
    value : the number, in `unit`.
    unit : UCUM text, "1" for a pure number.
    source : table, page or section, and what it says; for trust "design" the reason for the choice.
    trust : see `Trust`.
    name : name in messages when the constant sits in a table rather than at module level.
    cite : key or keys of the bibliography.

    Returns
    -------
    float : a new object for every call, so that two constants of one value keep their own sources.

    Raises
    ------
    ValueError : an empty unit or source, or an unknown trust mark.
    """
    if not unit or len(source.strip()) < 8 or trust not in get_args(Trust):
        raise ValueError(f"constant {name or value}: unit, source and trust are all needed")
    number = float(repr(float(value)))
    about = Cited(value=number, unit=unit, source=source, trust=trust, cite=cite_keys(cite), module=_calling_module())
    _registry[id(number)] = (number, about)
    return number


def citation_of(number: float) -> Cited:
    """What a constant was registered with.

    Parameters
    ----------
    number : the constant itself, not a number computed from it or equal to it.

    Raises
    ------
    KeyError : it was not made by `cited`.
    """
    if not is_cited(number):
        raise KeyError(f"{number!r} was not made by cited()")
    return _registry[id(number)][1]


def is_cited(number: object) -> bool:
    """Whether this very object was made by `cited`."""
    known = _registry.get(id(number))
    return known is not None and known[0] is number


def cited_table(
    prefix: str,
    unit: str,
    source: str,
    trust: Trust,
    values: dict[str, float],
    *,
    cite: str | Iterable[str] = (),
) -> dict[str, float]:
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
    return tuple(about for _, about in _registry.values())

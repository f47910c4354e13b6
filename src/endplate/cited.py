"""Numbers that carry their source: every clinical or physical constant is made by `cited`."""

from __future__ import annotations

from typing import Literal, get_args

Trust = Literal["verified", "recomputed", "knowledge", "weak", "design"]
"""How far a constant may be trusted.

verified: read in the primary source. recomputed: computed from public data. knowledge: from knowledge of the field,
primary source not read. weak: from weak memory, never a limit in a test. design: our own choice, reason in `source`.
"""

_registry: dict[str, Cited] = {}


class Cited(float):
    """A float that knows its unit, source and trust; arithmetic gives plain floats."""

    unit: str
    source: str
    trust: Trust


def cited(value: float, unit: str, source: str, trust: Trust, *, name: str = "") -> Cited:
    """A constant with its source.

    Parameters
    ----------
    value : the number, in `unit`.
    unit : UCUM text, "1" for a pure number.
    source : author, year, journal or identifier; for trust "design" the reason for the choice.
    trust : see `Trust`.
    name : registry name when the constant sits in a table rather than at module level.

    Raises
    ------
    ValueError : an empty unit or source, or an unknown trust mark.
    """
    if not unit or len(source.strip()) < 8 or trust not in get_args(Trust):
        raise ValueError(f"constant {name or value}: unit, source and trust are all needed")
    number = Cited(value)
    number.unit, number.source, number.trust = unit, source, trust
    if name:
        _registry[name] = number
    return number


def cited_table(prefix: str, unit: str, source: str, trust: Trust, values: dict[str, float]) -> dict[str, Cited]:
    """A table of constants that share unit, source and trust; registered as `prefix.key`."""
    return {key: cited(value, unit, source, trust, name=f"{prefix}.{key}") for key, value in values.items()}

"""Facts that follow from others (`knowledge/definitions.toml`, group "derived"); what is stated is never replaced."""

from __future__ import annotations

from typing import Any

from endplate.decision.logic.kleene import FactValues, fields
from endplate.decision.rules.rulebook import rulebook

ASK = "ask"
"""The rung of a derived fact that says: it does not follow, it has to be asked."""

_DERIVED = rulebook().group("derived")
INPUTS = frozenset(name for grading in _DERIVED for node in grading.ladder.nodes for name in fields(node))


def derive(facts: FactValues) -> dict[str, Any]:
    """The facts, with those filled that follow from them."""
    filled = dict(facts)
    for grading in _DERIVED:
        if filled.get(grading.id) is None:
            value = grading.ladder.settled(filled)
            if value is not None and value != ASK:
                filled[grading.id] = value
    return filled

"""Facts that follow from others (`knowledge/definitions.toml`, group "derived"); what is stated is never replaced."""

from __future__ import annotations

from functools import cache
from typing import Any

from endplate.decision.logic.kleene import FactValues, fields
from endplate.decision.rules.rulebook import Grading, rulebook

ASK = "ask"
"""The rung of a derived fact that says: it does not follow, it has to be asked."""

_DERIVED = rulebook().group("derived")
INPUTS = frozenset(name for grading in _DERIVED for node in grading.ladder.nodes for name in fields(node))


@cache
def derived_from(name: str) -> frozenset[str]:
    """The facts that a derived fact follows from, through others that are derived too; empty for one that is asked."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        here = waiting.pop()
        inner = {
            field for one in _DERIVED if one.id == here for node in one.ladder.nodes for field in fields(node)
        }  # fmt: skip
        waiting += inner - found
        found |= inner
    return frozenset(found - {name})


def derivations(names: frozenset[str]) -> tuple[Grading, ...]:
    """How those of the facts that follow from others do so; they hold all that these follow from in turn."""
    return tuple(grading for grading in _DERIVED if grading.id in names)


def derive(facts: FactValues, ladders: tuple[Grading, ...] = _DERIVED) -> dict[str, Any]:
    """The facts, with those filled that follow from them; `ladders` where not all of them matter."""
    filled = dict(facts)
    for grading in ladders:
        if filled.get(grading.id) is None:
            value = grading.ladder.settled(filled)
            if value is not None and value != ASK:
                filled[grading.id] = value
    return filled

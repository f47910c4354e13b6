"""Every comparison that some rule makes of a fact: where they all agree, its exact number does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from endplate.decision.logic.kleene import Compare, Node, walk
from endplate.decision.rules.rulebook import Book, rulebook


@cache
def comparisons(name: str) -> tuple[Compare, ...]:
    """What the decision's rules compare a fact with."""
    parts = (part for book in rulebook().books for node in _nodes(book) for part in walk(node))
    found = {part: None for part in parts if isinstance(part, Compare) and part.field == name}
    return tuple(found)


def _nodes(book: Book) -> Iterator[Node]:
    yield from book.criteria.values()
    yield from (flag.when for flag in book.flags)
    yield from (node for grading in book.gradings for node in grading.ladder.nodes)
    for ruleset in book.rulesets:
        yield from (*ruleset.nodes(), *ruleset.scored_nodes())

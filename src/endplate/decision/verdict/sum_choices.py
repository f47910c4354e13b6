"""Values for the open facts of a count or score, so that it comes out as wanted or hangs on one of them.

Parts of a rule that compare one sum with several numbers, and ways into a scope that leave the sum alone, ask the same
again: what was found for the same sum and facts is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from random import Random
from typing import Any, Generic, TypeVar

from endplate.decision.logic.kleene import AtLeast, FactValues, fields
from endplate.decision.logic.score import Score, ScoreCompare

RANDOM_TRIES, SEED = 50, 4711
"""Combinations of a sum's open facts that are tried after the simple ones, the same ones every time."""

Sum = AtLeast | ScoreCompare
Choice = dict[str, Any]
Ends = tuple[float, float]
T = TypeVar("T")


class Kept(Generic[T]):
    """What a source gives, each part of it sought once however often it is asked for."""

    def __init__(self, source: Iterator[T]) -> None:
        self._source, self._seen = source, list[T]()

    def __iter__(self) -> Iterator[T]:
        yield from self._seen
        for found in self._source:
            self._seen.append(found)
            yield found


class SumChoices:
    """Choices for the open facts of sums; `samples` gives the values that stand for all of a fact."""

    def __init__(self, samples: Callable[[str], tuple[Any, ...]]) -> None:
        self.samples = samples
        self._ways: dict[tuple[Any, ...], Kept[tuple[Choice, tuple[Ends, ...]]]] = {}
        self._ranks: dict[tuple[Any, ...], list[Any]] = {}

    def force(self, node: Sum, wanted: bool, held: str, facts: FactValues) -> Choice | None:
        """The first choice at which the sum is as wanted, whatever the held fact is; None where none was found."""
        apart = held if held in fields(node) else ""
        for choice, (ends,) in self._tried(node, apart, (None,), facts):
            if node.judged(*ends) is wanted:
                return choice
        return None

    def pivot(self, node: Sum, held: str, facts: FactValues) -> Choice | None:
        """The first choice at which the held fact can give the sum two answers; None where none was found."""
        for choice, ends in self._tried(node, held, self.samples(held), facts):
            if len({node.judged(*one) for one in ends}) > 1:
                return choice
        return None

    def _tried(
        self, node: Sum, held: str, values: tuple[Any, ...], facts: FactValues
    ) -> Kept[tuple[Choice, tuple[Ends, ...]]]:
        """Choices from all low to all high one by one, then at random, each with the sum at every held value."""
        known = tuple(map(facts.get, _read_by(node)))
        key = (_summed(node), held, len(values), known)
        if key not in self._ways:
            at = dict(zip(_read_by(node), known, strict=True))
            self._ways[key] = Kept(
                (choice, tuple(node.bounds({**at, **choice, held: value}) for value in values))
                for choice in self._choices(node, held, at)
            )
        return self._ways[key]

    def _choices(self, node: Sum, held: str, facts: Choice) -> Iterator[Choice]:
        names = [name for name, value in facts.items() if value is None and name != held]
        ranked = {name: self._ranked(node, name, facts) for name in names}
        for high, turn in product(range(len(names) + 1), (names, names[::-1])):
            yield {name: ranked[name][-1 if place < high else 0] for place, name in enumerate(turn)}
        random = Random(SEED)
        for _ in range(RANDOM_TRIES):
            yield {name: random.choice(values) for name, values in ranked.items()}

    def _ranked(self, node: Sum, name: str, facts: Choice) -> list[Any]:
        """The values of an open fact, from those that give the sum least."""
        key = (_summed(node), name, *facts.values())
        if key not in self._ranks:
            self._ranks[key] = sorted(self.samples(name), key=lambda value: _amount(node, {**facts, name: value}))
        return self._ranks[key]


def _summed(node: Sum) -> AtLeast | Score:
    """What is added up, whatever it is compared with."""
    return node.score if isinstance(node, ScoreCompare) else node


@cache
def _read_by(node: Sum) -> tuple[str, ...]:
    return tuple(sorted(fields(node)))


def _amount(node: Sum, facts: FactValues) -> float:
    """How much of a sum is there."""
    low, high = node.bounds(facts)
    return low + high if isinstance(node, ScoreCompare) else low

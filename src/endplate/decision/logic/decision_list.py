"""Ordered questions, the first that holds gives the answer: classes, grades, points, a guideline's answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from endplate.decision.logic.kleene import FactValues, Node

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Clause(Generic[T]):
    """An answer and when it holds."""

    value: T
    when: Node


@dataclass(frozen=True, slots=True)
class DecisionList(Generic[T]):
    """Rungs from first to last; the last always holds, so that some answer is always reached."""

    rungs: tuple[Clause[T], ...]

    def reachable(self, facts: FactValues) -> tuple[T, ...]:
        """Answers that what is still unknown leaves open, without repeats; one where the answer is settled."""
        found: list[T] = []
        for rung in self.rungs:
            truth = rung.when.truth(facts)
            if truth is not False and rung.value not in found:
                found.append(rung.value)
            if truth is True:
                break
        return tuple(found)

    def open_answers(self, facts: FactValues) -> Iterator[T]:
        """As `reachable`, one by one and with repeats."""
        for rung in self.rungs:
            truth = rung.when.truth(facts)
            if truth is not False:
                yield rung.value
            if truth is True:
                return

    def settled(self, facts: FactValues) -> T | None:
        """The one answer that is left, or None where several are."""
        left = self.reachable(facts)
        return left[0] if len(left) == 1 else None

    def asked(self, facts: FactValues) -> Iterator[Clause[T]]:
        """The rungs that were asked, up to the one that held."""
        for rung in self.rungs:
            yield rung
            if rung.when.truth(facts) is True:
                return

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All questions."""
        return tuple(rung.when for rung in self.rungs)

"""Set the missing facts of a rule so that its verdict hangs on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from random import Random
from typing import Any

from endplate.decision.logic.kleene import All, AnyOf, AtLeast, FactValues, Node, Not, fields
from endplate.decision.logic.score import ScoreCompare
from endplate.decision.rules.ruleset import RuleSet

MAX_WAYS = 100
"""Ways into a scope that are tried."""

RANDOM_TRIES, SEED = 50, 4711
"""Combinations of a sum's open facts that are tried after the simple ones, the same ones every time."""

Sum = AtLeast | ScoreCompare


def sensitivity_search(ruleset: RuleSet, facts: FactValues, name: str, missing: list[str]) -> Iterator[dict[str, Any]]:
    """Facts at which the verdict may hang on `name`; whether it does is for the caller to try."""
    finder = _Finder(ruleset, name, missing)
    for start in (dict(facts), *finder.inside(ruleset.scope, facts)):
        for part, others in _contexts(ruleset, name):
            for filled in finder.pivot(part, dict(start)):
                if all(finder.force(node, wanted, filled) for node, wanted in others):
                    yield finder.completed(filled)


def _contexts(ruleset: RuleSet, name: str) -> Iterator[tuple[Node, list[tuple[Node, bool]]]]:
    """Each part that reads the fact, with what must hold elsewhere for that part to matter."""
    absolute, relative = AnyOf(ruleset.absolute), AnyOf(ruleset.relative)
    rungs = ruleset.answers.rungs
    free: list[tuple[Node, bool]] = [(absolute, False), (relative, False)]
    for index, rung in enumerate(rungs):
        earlier: list[tuple[Node, bool]] = [(before.when, False) for before in rungs[:index]]
        if name in fields(rung.when):
            yield rung.when, [(ruleset.scope, True), *earlier, *free]
            if ruleset.relative:
                # A relative contraindication that stands turns the yes into a conditional, which a no still is not.
                yield rung.when, [(ruleset.scope, True), *earlier, (absolute, False), (relative, True)]
        held = [*earlier, (rung.when, True)]
        if rung.value.status != "no" and name in fields(ruleset.scope):
            yield ruleset.scope, [*free, *held]
        if rung.value.status in ("yes", "conditional"):
            if name in fields(absolute):
                yield absolute, [(ruleset.scope, True), (relative, False), *held]
            if name in fields(relative):
                yield relative, [(ruleset.scope, True), (absolute, False), *held]


class _Finder:
    """Fills facts in place, never the one that everything is to hang on."""

    def __init__(self, ruleset: RuleSet, held: str, missing: list[str]) -> None:
        self.held, self.missing, self.samples = held, missing, ruleset.samples

    def completed(self, facts: dict[str, Any]) -> dict[str, Any]:
        """The facts with every other missing one filled by any value."""
        rest = {name: self.samples(name)[0] for name in self.missing if facts.get(name) is None and name != self.held}
        return facts | rest

    def inside(self, scope: Node, facts: FactValues) -> Iterator[dict[str, Any]]:
        """The facts with the open ones of a scope so that it holds, in every way; none where it is settled.

        A sum may otherwise take the very answer that leaves the scope.
        """
        if scope.truth(facts) is not None:
            return
        names = sorted(name for name in fields(scope) if facts.get(name) is None and name != self.held)
        for values in islice(product(*(self.samples(name) for name in names)), MAX_WAYS):
            filled = {**facts, **dict(zip(names, values, strict=True))}
            if scope.truth(filled):
                yield filled

    def force(self, node: Node, wanted: bool, facts: dict[str, Any]) -> bool:
        """Fill facts so that a node becomes `wanted`; False where that fails."""
        truth = node.truth(facts)
        if truth is not None:
            return truth is wanted
        if node.field:
            return self._force_atom(node, wanted, facts)
        if isinstance(node, Not):
            return self.force(node.child, not wanted, facts)
        if isinstance(node, AtLeast | ScoreCompare):
            return self._force_sum(node, wanted, facts)
        if wanted is isinstance(node, AnyOf):
            return any(self.force(child, wanted, facts) for child in node.children)
        return all(self.force(child, wanted, facts) for child in node.children)

    def _force_atom(self, node: Node, wanted: bool, facts: dict[str, Any]) -> bool:
        if node.field == self.held:
            return False
        for value in self.samples(node.field):
            if node.truth({node.field: value}) is wanted:
                facts[node.field] = value
                return True
        return False

    def _force_sum(self, node: Sum, wanted: bool, facts: dict[str, Any]) -> bool:
        for choice in self._choices(node, facts):
            if node.truth(facts | choice) is wanted:
                facts.update(choice)
                return True
        return False

    def _choices(self, node: Sum, facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Values for the open facts of a sum: from all low to all high one by one, then at random."""
        names = sorted(name for name in fields(node) if facts.get(name) is None and name != self.held)
        ranked = {name: sorted(self.samples(name), key=lambda v: _amount(node, facts | {name: v})) for name in names}
        for high, turn in product(range(len(names) + 1), (names, names[::-1])):
            yield {name: ranked[name][-1 if place < high else 0] for place, name in enumerate(turn)}
        random = Random(SEED)
        for _ in range(RANDOM_TRIES):
            yield {name: random.choice(values) for name, values in ranked.items()}

    def pivot(self, node: Node, facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Copies of the facts at which a node's answer may hang on the held fact."""
        if node.truth(facts) is not None:
            return
        if node.field:
            yield facts
        elif isinstance(node, AtLeast | ScoreCompare):
            yield from self._pivot_sum(node, facts)
        else:
            for index, child in enumerate(node.children):
                if self.held in fields(child):
                    others = node.children[:index] + node.children[index + 1 :]
                    yield from self._pivot_child(child, others, isinstance(node, All), facts)

    def _pivot_child(
        self, child: Node, others: tuple[Node, ...], wanted: bool, facts: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        for filled in self.pivot(child, facts):
            copy = dict(filled)
            # A part that reads the held fact too cannot be set; the caller tries whether it matters.
            if all(self.force(other, wanted, copy) or self.held in fields(other) for other in others):
                yield copy

    def _pivot_sum(self, node: Sum, facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for choice in self._choices(node, facts):
            filled = facts | choice
            if len({node.truth({**filled, self.held: value}) for value in self.samples(self.held)}) > 1:
                yield filled
                return


def _amount(node: Sum, facts: FactValues) -> float:
    """How much of a sum is there."""
    if isinstance(node, ScoreCompare):
        return sum(node.score.bounds(facts))
    return sum(child.truth(facts) is True for child in node.children)

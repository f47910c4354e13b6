"""Set the missing facts of a rule so that its verdict hangs on one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, islice, product
from typing import Any

from endplate.decision.logic.kleene import All, AnyOf, AtLeast, FactValues, Node, Not, Remembered, fields, truth_of
from endplate.decision.logic.score import ScoreCompare
from endplate.decision.rules.ruleset import RuleSet
from endplate.decision.verdict.sum_choices import Kept, Sum, SumChoices

MAX_WAYS = 100
"""Ways into a scope that are tried."""


class SensitivitySearch:
    """The facts at which a verdict may hang on one that is missing, sought for each of `missing` in turn."""

    def __init__(self, ruleset: RuleSet, facts: Remembered, missing: list[str]) -> None:
        self.ruleset, self.facts, self.missing = ruleset, facts, missing
        self._sums = SumChoices(ruleset.samples)
        self._inside: dict[tuple[str, ...], Kept[Remembered]] = {}

    def filled(self, name: str) -> Iterator[Remembered]:
        """Facts at which the verdict may hang on `name`; whether it does is for the caller to try."""
        finder = _Finder(self.ruleset, name, self._sums)
        for start in chain((self.facts,), self._ways_in(name)):
            for part, others in _contexts(self.ruleset, name):
                for filled in finder.pivot(part, start):
                    if all(finder.force(node, wanted, filled) for node, wanted in others):
                        filled.learn(self._rest(filled, name))
                        yield filled

    def _rest(self, facts: FactValues, held: str) -> dict[str, Any]:
        """Any value for every other missing fact."""
        samples = self.ruleset.samples
        return {name: samples(name)[0] for name in self.missing if facts.get(name) is None and name != held}

    def _ways_in(self, held: str) -> Iterable[Remembered]:
        """The facts with the open ones of the scope, but the held one, so that it holds; none where it is settled.

        A sum may otherwise take the very answer that leaves the scope.
        """
        scope, facts = self.ruleset.scope, self.facts
        if truth_of(scope, facts) is not None:
            return ()
        names = tuple(sorted(name for name in fields(scope) if facts.get(name) is None and name != held))
        if names not in self._inside:
            ways = islice(product(*map(self.ruleset.samples, names)), MAX_WAYS)
            filled = (facts.but(dict(zip(names, values, strict=True))) for values in ways)
            self._inside[names] = Kept(one for one in filled if truth_of(scope, one))
        return self._inside[names]


Context = tuple[Node, tuple[tuple[Node, bool], ...]]


@cache
def _contexts(ruleset: RuleSet, name: str) -> tuple[Context, ...]:
    """Each part that reads the fact, with what must hold elsewhere for that part to matter."""
    return tuple((part, tuple(others)) for part, others in _parts(ruleset, name))


def _parts(ruleset: RuleSet, name: str) -> Iterator[tuple[Node, list[tuple[Node, bool]]]]:
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

    def __init__(self, ruleset: RuleSet, held: str, sums: SumChoices) -> None:
        self.held, self.samples, self.sums = held, ruleset.samples, sums

    def force(self, node: Node, wanted: bool, facts: Remembered) -> bool:
        """Fill facts so that a node becomes `wanted`; False where that fails."""
        truth = truth_of(node, facts)
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

    def _force_atom(self, node: Node, wanted: bool, facts: Remembered) -> bool:
        if node.field == self.held:
            return False
        for value in self.samples(node.field):
            if node.truth({node.field: value}) is wanted:
                facts.learn({node.field: value})
                return True
        return False

    def _force_sum(self, node: Sum, wanted: bool, facts: Remembered) -> bool:
        choice = self.sums.force(node, wanted, self.held, facts)
        facts.learn(choice or {})
        return choice is not None

    def pivot(self, node: Node, facts: Remembered) -> Iterator[Remembered]:
        """Copies of the facts at which a node's answer may hang on the held fact."""
        if truth_of(node, facts) is not None:
            return
        if node.field:
            yield facts.but({})
        elif isinstance(node, AtLeast | ScoreCompare):
            choice = self.sums.pivot(node, self.held, facts)
            if choice is not None:
                yield facts.but(choice)
        else:
            for index, child in enumerate(node.children):
                if self.held in fields(child):
                    others = node.children[:index] + node.children[index + 1 :]
                    yield from self._pivot_child(child, others, isinstance(node, All), facts)

    def _pivot_child(
        self, child: Node, others: tuple[Node, ...], wanted: bool, facts: Remembered
    ) -> Iterator[Remembered]:
        for filled in self.pivot(child, facts):
            copy = filled.but({})
            # A part that reads the held fact too cannot be set; the caller tries whether it matters.
            if all(self.force(other, wanted, copy) or self.held in fields(other) for other in others):
                yield copy

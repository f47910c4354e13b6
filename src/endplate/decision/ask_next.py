"""What to ask next: the missing answers of all rule sets in one list, by how many open verdicts each settles.

How many an answer settles is a mean over made-up completions of everything that is missing: most rule sets ask for
several things together, so no answer can be weighed alone. A completion draws every missing fact from the values that
its rule sets can tell apart; an answer that would be a contraindication is drawn rarely. The list is greedy: each entry
is the best one to ask once those before it are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from endplate.cited import cited
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import FactValues, Node, fields
from endplate.decision.rules.derive import derive, derived_from
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.rules.ruleset import RuleSet

COMPLETIONS, SEED = 12, 4711
LENGTH = 8
"""Entries that are worked out: a longer list is no list of what comes next."""
MIN, FEW = 0.05, 0.25
"""Verdicts: fewer than the first are none; below the second an answer is looked at together with all others."""
RARELY = cited(
    0.1, "1", "Share of made-up answers that are a contraindication: own choice, they are the exception", "design"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextQuestion:
    """An answer to ask for.

    Attributes
    ----------
    title, unit : what is asked for. who : who can give the answer.
    settles : verdicts that it settles once the entries before it are known, on average; of `open_verdicts` in all.
    settled_so_far : what it and the entries before it settle together. rulesets : ids of those that ask for it.
    """

    field: str
    title: str
    unit: str
    who: str
    settles: float
    settled_so_far: float
    open_verdicts: int
    rulesets: tuple[str, ...]


def ask_next(levels: Sequence[LevelFacts], length: int = LENGTH) -> tuple[NextQuestion, ...]:
    """The missing answers that settle most open verdicts at these levels, the best first.

    Parameters
    ----------
    levels : facts of each level; a fact of the patient is asked once for all of them.
    length : at most so many.
    """
    chance = Random(SEED)
    cases = [case for facts in levels if (case := _case(facts.values, chance)).open]
    total = sum(len(case.open) for case in cases)
    known: frozenset[str] = frozenset()
    settled, found = 0.0, []
    names = sorted({name for case in cases for name in case.missing})
    gains = {name: _gain(cases, known, name) for name in names}
    while gains and len(found) < length:
        name, gain = _best(cases, known, gains)
        if gain < MIN:
            break
        del gains[name]
        known, settled = known | {name}, settled + gain
        found.append(_question(name, gain, settled, total, cases))
    return tuple(found)


def _best(cases: Sequence[_Case], known: frozenset[str], gains: dict[str, float]) -> tuple[str, float]:
    """The answer that settles most now; `gains` holds figures of earlier rounds and is brought up to date."""
    while True:
        # An old figure tells whom to look at first: what an answer adds seldom grows.
        name = max(gains, key=lambda one: gains[one])
        fresh = _gain(cases, known, name)
        if fresh >= gains[name] - MIN and fresh >= FEW:
            return name, fresh
        gains[name] = fresh
        if fresh < FEW and gains[max(gains, key=lambda one: gains[one])] <= fresh + MIN:
            # Little is left: now an answer may need another beside it, so that every figure is worked out again.
            for other in gains:
                gains[other] = _gain(cases, known, other)
            best = max(gains, key=lambda one: gains[one])
            return best, gains[best]


@dataclass(slots=True)
class _Case:
    """A level: what is known, which rule sets are open, what they miss, and completions of what they miss."""

    facts: dict[str, Any]
    open: tuple[RuleSet, ...]
    missing: frozenset[str]
    asks: Mapping[str, frozenset[str]]
    completions: tuple[dict[str, Any], ...]

    def settled(self, known: Iterable[str]) -> float:
        """Open verdicts that are settled where `known` facts are, on average over the completions."""
        names = self.missing.intersection(known)
        if not names:
            return 0.0
        asked = [rules for rules in self.open if not names.isdisjoint(self.asks[rules.id])]
        total = 0
        for completion in self.completions:
            filled = derive({**self.facts, **{name: completion[name] for name in names}})
            total += sum(len(_statuses(rules, filled)) == 1 for rules in asked)
        return total / len(self.completions)


def _case(values: FactValues, chance: Random) -> _Case:
    facts = derive(values)
    undecided = tuple(rules for rules in rulebook().rulesets if len(_statuses(rules, facts)) > 1)
    asks = {rules.id: askable(rules, facts) for rules in undecided}
    missing = frozenset().union(*asks.values())
    drawn = tuple({name: _drawn(name, chance) for name in sorted(missing)} for _ in range(COMPLETIONS))
    return _Case(facts, undecided, missing, asks, drawn)


def askable(rules: RuleSet, facts: FactValues) -> frozenset[str]:
    """The missing facts that a rule set can still use; in place of one that follows from others, those others too."""
    nodes: tuple[Node, ...] = (*rules.nodes(), *rules.scored_nodes())
    names = {name for node in nodes if node.truth(facts) is None for name in fields(node)}
    more = {inner for name in names if name in INPUTS_OF for inner in derived_from(name)}
    return frozenset(name for name in names | more if facts.get(name) is None)


INPUTS_OF = frozenset(grading.id for grading in rulebook().group("derived"))


def _gain(cases: Iterable[_Case], known: frozenset[str], name: str) -> float:
    return sum(case.settled(known | {name}) - case.settled(known) for case in cases)


def _statuses(rules: RuleSet, facts: FactValues) -> set[str]:
    return {outcome.status for outcome in rules.reachable(facts)}


def _drawn(name: str, chance: Random) -> Any:
    """A value of a fact that stands for others; one that is a contraindication comes rarely."""
    entry = field_catalogue()[name]
    if entry.kind == "bool":
        return chance.random() < (float(RARELY) if name in _contraindications() else 0.5)
    return chance.choice(_samples(name))


@cache
def _samples(name: str) -> tuple[Any, ...]:
    limits = {limit for rules in rulebook().rulesets for limit in rules.limits.get(name, ())}
    return field_catalogue()[name].samples(limits)


@cache
def _contraindications() -> frozenset[str]:
    """Facts that some rule set counts against the procedure."""
    return frozenset(
        name
        for rules in rulebook().rulesets
        for criterion in (*rules.absolute, *rules.relative)
        for name in fields(criterion)
    )


def _question(name: str, gain: float, settled: float, total: int, cases: Iterable[_Case]) -> NextQuestion:
    entry = field_catalogue()[name]
    asking = dict.fromkeys(rules.id for case in cases for rules in case.open if name in case.asks[rules.id])
    return NextQuestion(field=name, title=entry.title, unit=entry.unit, who=entry.who, settles=gain,
                        settled_so_far=settled, open_verdicts=total, rulesets=tuple(asking))  # fmt: skip


def asked_by(name: str) -> tuple[RuleSet, ...]:
    """The rule sets of the decision that can ask for a fact, by themselves or through what follows from it."""
    return tuple(rules for rules in rulebook().rulesets if name in _every_fact()[rules.id])


@cache
def _every_fact() -> dict[str, frozenset[str]]:
    found = {}
    for rules in rulebook().rulesets:
        names = {name for node in (*rules.nodes(), *rules.scored_nodes()) for name in fields(node)}
        found[rules.id] = frozenset(names.union(*(derived_from(name) for name in names)))
    return found

"""What to ask next: the missing answers of all rule sets in one list, by how many open verdicts each settles.

How many an answer settles is a mean over made-up completions of everything that is missing: most rule sets ask for
several things together, so no answer can be weighed alone. A completion draws every missing fact from the values that
its rule sets can tell apart; an answer that would be a contraindication is drawn rarely. The list is greedy: each entry
is the best one to ask once those before it are known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from endplate.cited import cited
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import FactValues, Node, Remembered, fields
from endplate.decision.rules.derive import INPUTS, derive, derived_from
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.rules.ruleset import RuleSet

COMPLETIONS, SEED = 12, 4711
LENGTH = int(cited(10, "1", "Own choice: entries worked out; a longer list is no list of what comes next", "design"))
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


def ask_next(
    levels: Sequence[LevelFacts],
    length: int = LENGTH,
    without: Collection[str] = (),
    rulesets: Sequence[RuleSet] | None = None,
) -> tuple[NextQuestion, ...]:
    """The missing answers that settle most open verdicts at these levels, the best first.

    Parameters
    ----------
    levels : facts of each level; a fact of the patient is asked once for all of them.
    length : at most so many. without : facts that nobody can be asked for.
    rulesets : of these alone; default all rule sets of the decision.
    """
    chance = Random(SEED)
    cases = [case for facts in levels if (case := _Case(facts.values, chance, rulesets)).undecided]
    total = sum(len(case.undecided) for case in cases)
    settled, found = 0.0, list[NextQuestion]()
    names = sorted({name for case in cases for name in case.asking} - set(without))
    gains = {name: _gain(cases, name) for name in names}
    while gains and len(found) < length:
        name, gain = _best(cases, gains)
        if gain < MIN:
            break
        del gains[name]
        settled += gain
        for case in cases:
            case.learn(name)
        found.append(_question(name, gain, settled, total, cases))
    return tuple(found)


def _best(cases: Sequence[_Case], gains: dict[str, float]) -> tuple[str, float]:
    """The answer that settles most now; `gains` holds figures of earlier rounds and is brought up to date."""
    while True:
        # An old figure tells whom to look at first: what an answer adds seldom grows.
        name = max(gains, key=lambda one: gains[one])
        fresh = _gain(cases, name)
        if fresh >= gains[name] - MIN and fresh >= FEW:
            return name, fresh
        gains[name] = fresh
        if fresh < FEW and gains[max(gains, key=lambda one: gains[one])] <= fresh + MIN:
            # Little is left: now an answer may need another beside it, so that every figure is worked out again.
            for other in gains:
                gains[other] = _gain(cases, other)
            best = max(gains, key=lambda one: gains[one])
            return best, gains[best]


class _Case:
    """A level: its open rule sets, what they ask for, and made-up completions as far as they are known."""

    def __init__(self, values: FactValues, chance: Random, rulesets: Sequence[RuleSet] | None) -> None:
        facts = derive(values)
        asked = rulebook().rulesets if rulesets is None else rulesets
        self.undecided = tuple(rules for rules in asked if not _is_settled(rules, facts))
        self.asking: dict[str, list[RuleSet]] = {}
        for rules in self.undecided:
            for name in askable(rules, facts):
                self.asking.setdefault(name, []).append(rules)
        self._completions = [{name: _drawn(name, chance) for name in sorted(self.asking)} for _ in range(COMPLETIONS)]
        self._known = [facts] * COMPLETIONS
        self._settled: list[frozenset[str]] = [frozenset()] * COMPLETIONS

    def gain(self, name: str) -> float:
        """Verdicts that an answer settles beside what is known already, on average over the completions."""
        return sum(len(now) for now in self._newly(name)) / COMPLETIONS

    def learn(self, name: str) -> None:
        """Let an answer be known."""
        newly = self._newly(name)
        self._settled = [before | now for before, now in zip(self._settled, newly, strict=True)]
        self._known = [self._with(place, name) for place in range(COMPLETIONS)]

    def _newly(self, name: str) -> list[frozenset[str]]:
        return [
            frozenset(
                rules.id
                for rules in self.asking.get(name, ())
                if rules.id not in self._settled[place] and _is_settled(rules, filled)
            )
            for place in range(COMPLETIONS)
            for filled in (Remembered(self._with(place, name)),)
        ]

    def _with(self, place: int, name: str) -> dict[str, Any]:
        """What is known of a completion, with an answer beside it; nothing changes where that follows already."""
        known = self._known[place]
        if name not in self.asking or known.get(name) is not None:
            return known
        filled = {**known, name: self._completions[place][name]}
        return derive(filled) if name in INPUTS else filled


def askable(rules: RuleSet, facts: FactValues) -> frozenset[str]:
    """The missing facts that a rule set can still use; in place of one that follows from others, those others too."""
    nodes: tuple[Node, ...] = (*rules.nodes(), *rules.scored_nodes())
    names = {name for node in nodes if node.truth(facts) is None for name in fields(node)}
    more = {inner for name in names if name in INPUTS_OF for inner in derived_from(name)}
    return frozenset(name for name in names | more if facts.get(name) is None)


INPUTS_OF = frozenset(grading.id for grading in rulebook().group("derived"))


def _gain(cases: Iterable[_Case], name: str) -> float:
    return sum(case.gain(name) for case in cases)


def _is_settled(rules: RuleSet, facts: FactValues) -> bool:
    return rules.is_settled(facts)


def _drawn(name: str, chance: Random) -> Any:
    """A value of a fact that stands for others; one that is a contraindication comes rarely."""
    entry = field_catalogue()[name]
    if entry.kind == "bool":
        return chance.random() < (RARELY if name in _contraindications() else 0.5)
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
    asking = dict.fromkeys(rules.id for case in cases for rules in case.asking.get(name, ()))
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

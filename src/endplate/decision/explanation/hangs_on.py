"""How many verdicts hang on each number and criterion of the rule files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from endplate.decision.explanation.rule_listing import ListedRule, every_book, listed_rules
from endplate.decision.logic.kleene import Criterion, Node, fields, walk
from endplate.decision.logic.score import Item, Score, ScoreCompare
from endplate.decision.rules.derive import ASK, derived_from
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.rules.ruleset import RuleSet

WEAK = ("weak", "design", "knowledge", "secondary")
"""Marks that a clinician should look at, weakest first."""


def ranked_weak_rules() -> tuple[tuple[ListedRule, int], ...]:
    """Weakly supported rules with the number of rule sets whose verdict they can enter, the most first."""
    counts = rulesets_by_rule()
    found = [(rule, len(counts.get(rule.name, ()))) for rule in listed_rules() if rule.citation.trust in WEAK]
    ranked = [pair for pair in found if pair[1] and not pair[0].name.endswith(f".{ASK}")]
    return tuple(sorted(ranked, key=lambda pair: (-pair[1], WEAK.index(pair[0].citation.trust), pair[0].name)))


@cache
def rulesets_by_rule() -> dict[str, frozenset[str]]:
    """Ids of the rule sets that each threshold, score item and criterion can enter, by its full name."""
    found: dict[str, set[str]] = {}
    for book in every_book():
        for rules in book.rulesets:
            for name in rule_names(rules):
                found.setdefault(name, set()).add(rules.id)
    return {name: frozenset(ids) for name, ids in found.items()}


def rule_names(rules: RuleSet) -> Iterator[str]:
    """Full names of everything that a rule set rests on, what its facts follow from included."""
    nodes: tuple[Node, ...] = (*rules.nodes(), *rules.scored_nodes())
    asked = {name for node in nodes for name in fields(node)}
    every = asked.union(*(derived_from(name) for name in asked))
    derived = [one for one in rulebook().group("derived") if one.id in every]
    yield from _names((*nodes, *(node for one in derived for node in one.ladder.nodes)))
    for score in rules.scores:
        yield from _score_names(score)


def _names(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        for part in walk(node):
            if isinstance(part, Criterion):
                yield part.name
            if isinstance(part, ScoreCompare):
                yield from _score_names(part.score)
            limit = getattr(part, "limit", None)
            if limit is not None:
                yield limit.name


def _score_names(score: Score) -> Iterator[str]:
    """Points of a score's items, as the listing names them."""
    for item in score.items:
        yield f"{_home(score)}.{score.name}.{_name(item)}.points"


def _name(item: Item) -> str:
    return item.name


@cache
def _home(score: Score) -> str:
    return next(book.edition.id for book in every_book() if score in book.scores.values())

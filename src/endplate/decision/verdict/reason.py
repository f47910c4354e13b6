"""Which criteria decided, and the facts that each of them used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.decision_list import DecisionList
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import Criterion, FactValues, Node, decisive, open_fields
from endplate.decision.logic.score import ScoreCompare
from endplate.decision.rules.ruleset import RuleSet
from endplate.decision.verdict.verdict import Reason, Used

WHOLE = ("contraindication", "relative")
"""Roles told as the guideline lists them, not by what lies beneath."""


def deciding(node: Node, facts: FactValues) -> tuple[Criterion, ...]:
    """The innermost criteria that brought about a node's answer, one that asks for a fact itself among them."""
    if isinstance(node, ScoreCompare):
        return ()
    inner = tuple(found for part in decisive(node, facts) for found in deciding(part, facts))
    if isinstance(node, Criterion) and (not inner or _asks_itself(node.child, facts)):
        return (node, *inner)
    return inner


def _asks_itself(node: Node, facts: FactValues) -> bool:
    """Whether a fact or score decided a node without a criterion between."""
    if node.field or isinstance(node, ScoreCompare):
        return True
    return not isinstance(node, Criterion) and any(_asks_itself(part, facts) for part in decisive(node, facts))


def used_fields(node: Node, facts: FactValues) -> tuple[str, ...]:
    """The facts that brought about a node's answer, those missing included."""
    if node.field:
        return (node.field,)
    parts = node.children if isinstance(node, ScoreCompare) else decisive(node, facts)
    return tuple(dict.fromkeys(name for part in parts for name in used_fields(part, facts)))


def reason(role: str, criterion: Criterion, facts: LevelFacts) -> Reason:
    """A criterion as a reason."""
    return Reason(
        role=role,
        criterion=criterion.name,
        words=criterion.words,
        truth=criterion.truth(facts.values),
        citation=criterion.citation,
        used=tuple(used(name, facts) for name in used_fields(criterion, facts.values)),
    )


def used(name: str, facts: LevelFacts) -> Used:
    """A fact as it was used."""
    entry = field_catalogue()[name]
    return Used(
        field=name, title=entry.title, value=facts.values.get(name), unit=entry.unit, origin=facts.origin.get(name, "")
    )


def verdict_reasons(ruleset: RuleSet, facts: LevelFacts) -> tuple[Reason, ...]:
    """Why the verdict is what it is: what holds and decides, or what keeps it open."""
    found: dict[tuple[str, Criterion], None] = {}
    for role, node in _deciding_parts(ruleset, facts.values):
        whole = (node,) if isinstance(node, Criterion) and role in WHOLE else ()
        found |= dict.fromkeys((role, part) for part in whole or deciding(node, facts.values))
    return tuple(reason(role, criterion, facts) for role, criterion in found)


def missing_fields(ruleset: RuleSet, facts: FactValues) -> tuple[str, ...]:
    """Facts that are missing and keep the verdict open, in the order of the catalogue."""
    if ruleset.status(facts) != "indeterminate":
        return ()
    return _in_order(open_fields((node for _, node in _open_parts(ruleset, facts)), facts))


def ladder_missing(ladder: DecisionList[Any], facts: FactValues) -> tuple[str, ...]:
    """Facts that keep a ladder from one answer."""
    if ladder.settled(facts) is not None:
        return ()
    return _in_order(open_fields((rung.when for rung in ladder.asked(facts)), facts))


def ladder_reasons(ladder: DecisionList[Any], facts: LevelFacts) -> tuple[Reason, ...]:
    """Why a ladder stops where it does."""
    nodes = [node for node in _ladder_parts(ladder, facts.values)]
    found = dict.fromkeys(criterion for node in nodes for criterion in deciding(node, facts.values))
    return tuple(reason("answer", criterion, facts) for criterion in found)


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    wanted = set(names)
    return tuple(name for name in field_catalogue() if name in wanted)


def _deciding_parts(ruleset: RuleSet, facts: FactValues) -> Iterator[tuple[str, Node]]:
    barred = [node for node in ruleset.absolute if node.truth(facts) is True]
    if ruleset.scope.truth(facts) is False:
        yield "scope", ruleset.scope
    elif barred:
        for node in barred:
            yield "contraindication", node
    elif ruleset.status(facts) == "indeterminate" and _any_open(ruleset, facts):
        yield from _open_parts(ruleset, facts)
    else:
        for node in ruleset.relative:
            if node.truth(facts) is True and _favours(ruleset, facts):
                yield "relative", node
        for rung in _ladder_parts(ruleset.answers, facts):
            yield "answer", rung


def _any_open(ruleset: RuleSet, facts: FactValues) -> bool:
    """Whether any part is open; a verdict can be indeterminate because the source keeps its answer to itself."""
    return next(_open_parts(ruleset, facts), None) is not None


def _ladder_parts(ladder: DecisionList[Any], facts: FactValues) -> Iterator[Node]:
    """The rung that held; for the last resort, why the others did not."""
    asked = list(ladder.asked(facts))
    last_resort = len(asked) == len(ladder.rungs)
    for rung in asked[:-1]:
        if last_resort or rung.when.truth(facts) is None:
            yield rung.when
    yield asked[-1].when


def _favours(ruleset: RuleSet, facts: FactValues) -> bool:
    """Whether a "yes" may come, so that relative contraindications matter."""
    return any(outcome.status == "yes" for outcome in ruleset.answers.reachable(facts))


def _open_parts(ruleset: RuleSet, facts: FactValues) -> Iterator[tuple[str, Node]]:
    """Parts of unknown truth that the verdict still hangs on."""
    parts: list[tuple[str, Node]] = [("scope", ruleset.scope)]
    parts += [("contraindication", node) for node in ruleset.absolute]
    # Once one relative contraindication stands, another adds nothing.
    if _favours(ruleset, facts) and not any(node.truth(facts) for node in ruleset.relative):
        parts += [("relative", node) for node in ruleset.relative]
    parts += [("answer", rung.when) for rung in ruleset.answers.asked(facts)]
    return ((role, node) for role, node in parts if node.truth(facts) is None)

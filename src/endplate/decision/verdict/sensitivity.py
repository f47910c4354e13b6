"""Which missing answer would change a verdict: each is shown with the verdicts that its values lead to.

Every change named is proved by evaluating the rule set at it. An answer that is not enough alone is sought together
with others: the rest of the rule is set so that everything hangs on it (`pivot`), then its values are tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import FactValues, Remembered, fields, open_fields
from endplate.decision.rules.derive import INPUTS, derivations, derive, derived_from
from endplate.decision.rules.rulebook import Grading
from endplate.decision.rules.ruleset import Outcome, RuleSet
from endplate.decision.verdict.reason import missing_fields
from endplate.decision.verdict.sensitivity_search import SensitivitySearch
from endplate.decision.verdict.verdict import Change


def find_sensitivities(ruleset: RuleSet, facts: FactValues) -> tuple[Change, ...]:
    """The missing facts that would change the verdict, alone or together with others."""
    candidates = list(missing_fields(ruleset, facts))
    candidates += sorted(open_fields(ruleset.scored_nodes(), facts) - set(candidates)) if ruleset.scores else []
    if not candidates:
        return ()
    read = _read_by(ruleset)
    asked = Remembered({name: value for name, value in facts.items() if name in read})
    before, search = ruleset.outcome(asked), SensitivitySearch(ruleset, asked, candidates)
    changes = (
        _changed(ruleset, asked, before, name, ruleset.samples(name)) or _together(ruleset, search, name)
        for name in candidates
    )
    return tuple(change for change in changes if change is not None)


def borderline(ruleset: RuleSet, facts: LevelFacts) -> tuple[Change, ...]:
    """Measured facts whose 95 % band reaches into another verdict."""
    changes, known = [], Remembered(facts.values)
    for name, (low, high) in facts.bands.items():
        entry = field_catalogue()[name]
        within = {limit for limit in ruleset.limits.get(name, ()) if low <= limit <= high}
        ends = sorted(within | {min(max(end, entry.low), entry.high) for end in (low, high)})
        change = _changed(ruleset, known, ruleset.outcome(known), name, ends) if within else None
        changes += [change] if change else []
    return tuple(changes)


@cache
def _read_by(ruleset: RuleSet) -> frozenset[str]:
    """The facts that a rule set can read, and those from which one of them may follow."""
    asked = frozenset[str]().union(*map(fields, (*ruleset.nodes(), *ruleset.scored_nodes())))
    return asked.union(*map(derived_from, asked))


def _changed(ruleset: RuleSet, facts: Remembered, before: Outcome, name: str, values: Iterable[Any]) -> Change | None:
    """The outcomes at some values of one fact, where any differs from that before."""
    tried = _tried(ruleset, facts, name, values)
    if all(_same(before, outcome) for _, outcome in tried):
        return None
    return Change(field=name, title=field_catalogue()[name].title, outcomes=tried)


def _together(ruleset: RuleSet, search: SensitivitySearch, name: str) -> Change | None:
    values = ruleset.samples(name)
    for filled in search.filled(name):
        left = [ruleset.reachable(filled.but({name: value})) for value in values]
        if sum(len(one) == 1 for one in left) < 2:
            continue
        tried = _tried(ruleset, filled, name, values)
        if len({outcome for one, (_, outcome) in zip(left, tried, strict=True) if len(one) == 1}) > 1:
            before = search.facts
            given = tuple((key, value) for key, value in filled.items() if before.get(key) is None and key != name)
            return Change(field=name, title=field_catalogue()[name].title, outcomes=tried, given=given)
    return None


def _tried(ruleset: RuleSet, facts: Remembered, name: str, values: Iterable[Any]) -> tuple[tuple[Any, Outcome], ...]:
    """The outcome at each value of one fact and at what then follows from it."""
    ladders = derivations(_read_by(ruleset)) if name in INPUTS else ()
    return tuple((value, ruleset.outcome(_followed(facts.but({name: value}), ladders))) for value in values)


def _followed(facts: Remembered, ladders: tuple[Grading, ...]) -> FactValues:
    """The facts with what follows from them."""
    filled = derive(facts, ladders) if ladders else facts
    return facts if filled == facts else Remembered(filled)


def _same(before: Outcome, after: Outcome) -> bool:
    """An open verdict that stays open is no change, though fewer outcomes be left."""
    return before.status == after.status and (before.status == "indeterminate" or before == after)

"""Which missing answer would change a verdict: each is shown with the verdicts that its values lead to.

Every change named is proved by evaluating the rule set at it. An answer that is not enough alone is sought together
with others: the rest of the rule is set so that everything hangs on it (`pivot`), then its values are tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import FactValues, open_fields
from endplate.decision.rules.derive import INPUTS, derive
from endplate.decision.rules.ruleset import Outcome, RuleSet
from endplate.decision.verdict.reason import missing_fields
from endplate.decision.verdict.sensitivity_search import sensitivity_search
from endplate.decision.verdict.verdict import Change


def find_sensitivities(ruleset: RuleSet, facts: FactValues) -> tuple[Change, ...]:
    """The missing facts that would change the verdict, alone or together with others."""
    candidates = list(missing_fields(ruleset, facts))
    candidates += sorted(open_fields(ruleset.scored_nodes(), facts) - set(candidates)) if ruleset.scores else []
    changes = (_alone(ruleset, facts, name) or _together(ruleset, facts, name, candidates) for name in candidates)
    return tuple(change for change in changes if change is not None)


def borderline(ruleset: RuleSet, facts: LevelFacts) -> tuple[Change, ...]:
    """Measured facts whose 95 % band reaches into another verdict."""
    changes = []
    for name, (low, high) in facts.bands.items():
        entry = field_catalogue()[name]
        within = {limit for limit in ruleset.limits.get(name, ()) if low <= limit <= high}
        ends = {min(max(end, entry.low), entry.high) for end in (low, high)}
        change = _changed(ruleset, facts.values, name, sorted(within | ends)) if within else None
        changes += [change] if change else []
    return tuple(changes)


def _alone(ruleset: RuleSet, facts: FactValues, name: str) -> Change | None:
    return _changed(ruleset, facts, name, ruleset.samples(name))


def _changed(ruleset: RuleSet, facts: FactValues, name: str, values: Iterable[Any]) -> Change | None:
    before = ruleset.outcome(facts)
    tried = _tried(ruleset, facts, name, values)
    if all(_same(before, outcome) for _, outcome in tried):
        return None
    return Change(field=name, title=field_catalogue()[name].title, outcomes=tried)


def _together(ruleset: RuleSet, facts: FactValues, name: str, candidates: list[str]) -> Change | None:
    for filled in sensitivity_search(ruleset, facts, name, candidates):
        tried = _tried(ruleset, filled, name, ruleset.samples(name))
        settled = {outcome for value, outcome in tried if len(ruleset.reachable({**filled, name: value})) == 1}
        if len(settled) > 1:
            given = tuple((key, value) for key, value in filled.items() if facts.get(key) is None and key != name)
            return Change(field=name, title=field_catalogue()[name].title, outcomes=tried, given=given)
    return None


def _tried(ruleset: RuleSet, facts: FactValues, name: str, values: Iterable[Any]) -> tuple[tuple[Any, Outcome], ...]:
    again = derive if name in INPUTS else dict
    return tuple((value, ruleset.outcome(again({**facts, name: value}))) for value in values)


def _same(before: Outcome, after: Outcome) -> bool:
    """An open verdict that stays open is no change, though fewer outcomes be left."""
    return before.status == after.status and (before.status == "indeterminate" or before == after)

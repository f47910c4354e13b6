"""Which missing answer would change a verdict: each is shown with the verdicts that its values lead to.

Every change named is proved by evaluating the rule set at it. An answer that is not enough alone is sought together
with others: the rest of the rule is set so that everything hangs on it (`pivot`), then its values are tried.
"""

from __future__ import annotations

from typing import Any

from endplate.decision.derive import INPUTS, derive
from endplate.decision.field import field_catalogue
from endplate.decision.kleene import Compare, FactValues, open_fields, walk
from endplate.decision.pivot import pivots
from endplate.decision.reason import missing_fields
from endplate.decision.ruleset import Outcome, RuleSet
from endplate.decision.verdict import Change


def would_change(ruleset: RuleSet, facts: FactValues) -> tuple[Change, ...]:
    """The missing facts that would change the verdict, alone or together with others, in the catalogue's order."""
    candidates = list(missing_fields(ruleset, facts))
    candidates += sorted(open_fields(ruleset.scored_nodes(), facts) - set(candidates)) if ruleset.scores else []
    changes = (_alone(ruleset, facts, name) or _together(ruleset, facts, name, candidates) for name in candidates)
    return tuple(change for change in changes if change is not None)


def limits(ruleset: RuleSet, name: str) -> set[float]:
    """The numbers that a rule set compares a fact with."""
    nodes = (*ruleset.nodes(), *ruleset.scored_nodes())
    return {
        part.limit.value for node in nodes for part in walk(node) if isinstance(part, Compare) and part.field == name
    }


def _alone(ruleset: RuleSet, facts: FactValues, name: str) -> Change | None:
    before = ruleset.outcome(facts)
    tried = _tried(ruleset, facts, name)
    if all(_same(before, outcome) for _, outcome in tried):
        return None
    return Change(field=name, title=field_catalogue()[name].title, outcomes=tried)


def _together(ruleset: RuleSet, facts: FactValues, name: str, candidates: list[str]) -> Change | None:
    for filled in pivots(ruleset, facts, name, candidates):
        tried = _tried(ruleset, filled, name)
        settled = {outcome for _, outcome in tried if outcome.status != "indeterminate"}
        if len(settled) > 1:
            given = tuple((key, filled[key]) for key in candidates if facts.get(key) is None and key in filled)
            return Change(field=name, title=field_catalogue()[name].title, outcomes=tried, given=given)
    return None


def _tried(ruleset: RuleSet, facts: FactValues, name: str) -> tuple[tuple[Any, Outcome], ...]:
    values = field_catalogue()[name].samples(limits(ruleset, name))
    again = derive if name in INPUTS else dict
    return tuple((value, ruleset.outcome(again({**facts, name: value}))) for value in values)


def _same(before: Outcome, after: Outcome) -> bool:
    """An open verdict that stays open is no change, though fewer outcomes be left."""
    return before.status == after.status and (before.status == "indeterminate" or before == after)

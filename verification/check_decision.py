"""Rows D1-D6 of the acceptance table: the 20 vignettes, the expert cases, and what holds for any patient."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from endplate.decision.explanation.rule_listing import listed_constants
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import decide_level, outcomes
from endplate.decision.verdict.sensitivity import find_sensitivities
from endplate.decision.verdict.verdict import LevelDecision
from verification.check import Check

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "support"
PATIENTS, FORGOTTEN, REPLACED, LEARNT, SEED = 300, 8, 6, 4, 4711
COUNTS_UNKNOWN_AS_ZERO = "of_score_modified"
REFERENCE = "Synthetic patients; answers derived by hand from the guidelines and scores that each row names"


@cache
def _vignettes() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each vignette of the tests with its facts, once per level."""
    sys.path.insert(0, str(FOLDER))
    from tests.support.vignette import facts_of, vignettes

    return [
        (vignette, facts_of(vignette, **({"level": level} if level else {})))
        for vignette in vignettes()
        for level in vignette.get("levels", [""])
    ]


def checks() -> Iterator[Check]:
    """All rows."""
    yield _verdicts()
    yield _scores_and_flags()
    yield _cases()
    yield _learning()
    yield _changes()
    yield _sources()


def _row(number: str, title: str, expected: str, misses: list[str], total: int, rung: str = "published") -> Check:
    got = f"{total - len(misses)} of {total}" + ("; misses: " + ", ".join(misses[:9]) if misses else "")
    return Check(number=number, title=title, expected=expected, got=got, source=REFERENCE, rung=rung,
                 passed=not misses and total > 0)  # fmt: skip


def _decided() -> Iterator[tuple[dict[str, Any], LevelDecision]]:
    return ((vignette, decide_level(LevelFacts(values=facts))) for vignette, facts in _vignettes())


def _verdicts() -> Check:
    misses, total = [], 0
    for vignette, decision in _decided():
        for name, wanted in vignette["expect"].items():
            verdict = decision.verdict(name)
            got = f"{verdict.status}: {verdict.answer}" if ": " in wanted else verdict.status
            total += 1
            misses += [] if got == wanted else [f"{vignette['number']} {name} {got}"]
    return _row("D1", "verdicts of the 20 vignettes, every rule set named there", "all", misses, total)


def _scores_and_flags() -> Check:
    misses, total = [], 0
    for vignette, decision in _decided():
        sums = {score.name: [score.low, score.high] for verdict in decision.verdicts for score in verdict.scores}
        flags = {flag.id for flag in (*decision.flags, *decision.emergencies)}
        wanted = [*vignette.get("flags", []), *vignette.get("emergencies", [])]
        total += len(vignette.get("scores", {})) + len(wanted)
        misses += [f"{vignette['number']} {name}" for name, sums_ in vignette.get("scores", {}).items()
                   if sums[name] != sums_]  # fmt: skip
        misses += [f"{vignette['number']} {flag}" for flag in wanted if flag not in flags]
    return _row("D2", "sums (OF, SINS, W) and flags of the vignettes", "all", misses, total)


def _cases() -> Check:
    misses, total = [], 0
    for book in rulebook().books:
        for case in book.cases:
            got = {name: outcome.status for name, outcome in outcomes(case.facts).items()}
            for name, wanted in case.expect.items():
                if name in got:
                    total += 1
                    misses += [] if got[name] == wanted.partition(": ")[0] else [f"{case.name}: {name}"]
    return _row("D3", "expert cases of the rule files", "all", misses, total, "pinned")


def _patients() -> Iterator[tuple[random.Random, dict[str, Any]]]:
    """Vignettes with answers forgotten and replaced."""
    chance = random.Random(SEED)
    names = sorted(field_catalogue())
    for _ in range(PATIENTS):
        facts = dict(chance.choice(_vignettes())[1])
        for name in chance.sample(sorted(facts), FORGOTTEN):
            del facts[name]
        for name in chance.sample(names, REPLACED):
            facts[name] = chance.choice(field_catalogue()[name].samples())
        yield chance, facts


def _learning() -> Check:
    misses, total = [], 0
    names = sorted(field_catalogue())
    for chance, facts in _patients():
        before = derive(facts)
        learnt = {name: chance.choice(field_catalogue()[name].samples()) for name in chance.sample(names, LEARNT)}
        after = derive(learnt | before)
        for ruleset in rulebook().rulesets:
            then, now = ruleset.status(before), ruleset.status(after)
            if then == "indeterminate" or ruleset.id == COUNTS_UNKNOWN_AS_ZERO:
                continue
            total += 1
            gate = then == "no" and now == "contraindicated"
            unsure = then == "contraindicated" and ruleset.scope.truth(before) is None
            left = unsure and not ruleset.outcome(after).applies
            misses += [] if then == now or gate or left else [f"{ruleset.id} {then} {now}"]
    return _row("D4", "a definite verdict stays when answers are added (a contraindication may outrank a no, "
                "and a scope that was open may turn out not to hold)", "always",
                misses, total, "exact")  # fmt: skip


def _changes() -> Check:
    misses, total = [], 0
    for _, facts in list(_patients())[::10]:
        filled = derive(facts)
        for ruleset in rulebook().rulesets:
            for change in find_sensitivities(ruleset, filled):
                seen = {ruleset.outcome(derive(filled | dict(change.given) | {change.field: value}))
                        for value, _ in change.outcomes}  # fmt: skip
                total += 1
                misses += [] if len(seen | {ruleset.outcome(filled)}) > 1 else [f"{ruleset.id} {change.field}"]
    return _row("D5", "every answer said to change a verdict does change it", "always", misses, total, "exact")


def _sources() -> Check:
    rules = listed_constants()
    bare = [rule.name for rule in rules if not (rule.citation.source and rule.citation.edition and rule.citation.trust)]
    return _row(
        "D6", "constants of the rule files with source, edition and trust mark", "all", bare, len(rules), "exact"
    )

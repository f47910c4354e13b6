"""Twenty synthetic patients, verdict by verdict, and the expert cases of every rule file."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.vignette import facts_of, level_facts, vignettes

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.rules.rulebook import ExpertCase, rulebook
from endplate.decision.verdict.decide import decide_level, outcomes
from endplate.decision.verdict.verdict import LevelDecision

EVERY = [
    pytest.param(vignette, level, id=f"{vignette['number']}{'-' + level if level else ''}")
    for vignette in vignettes()
    for level in vignette.get("levels", [""])
]
CASES = [case for book in rulebook().books for case in book.cases]


DECIDED: dict[tuple[float, str], LevelDecision] = {}


def decided(vignette: dict[str, Any], level: str) -> LevelDecision:
    key = (vignette["number"], level)
    if key not in DECIDED:
        DECIDED[key] = decide_level(level_facts(vignette, **({"level": level} if level else {})))
    return DECIDED[key]


def told(decision: LevelDecision, name: str, wanted: str) -> str:
    verdict = decision.verdict(name)
    return f"{verdict.status}: {verdict.answer}" if ": " in wanted else verdict.status


@pytest.mark.parametrize(("vignette", "level"), EVERY)
def test_every_verdict_of_the_vignette(vignette: dict[str, Any], level: str) -> None:
    decision = decided(vignette, level)
    got = {name: told(decision, name, wanted) for name, wanted in vignette["expect"].items()}
    assert got == vignette["expect"]


@pytest.mark.parametrize(("vignette", "level"), EVERY)
def test_every_sum_of_the_vignette(vignette: dict[str, Any], level: str) -> None:
    sums = {score.name: [score.low, score.high] for v in decided(vignette, level).verdicts for score in v.scores}
    assert {name: sums[name] for name in vignette.get("scores", {})} == vignette.get("scores", {})


@pytest.mark.parametrize(("vignette", "level"), EVERY)
def test_every_flag_conflict_and_grade_of_the_vignette(vignette: dict[str, Any], level: str) -> None:
    decision = decided(vignette, level)
    assert {flag.id for flag in decision.emergencies} == set(vignette.get("emergencies", []))
    assert set(vignette.get("flags", [])) <= {flag.id for flag in decision.flags}
    assert set(vignette.get("conflicts", [])) <= {conflict.id for conflict in decision.conflicts}
    grades = {g.id: g.value for g in (*decision.causes, *decision.classes, decision.technique)}
    assert {name: grades[name] for name in vignette.get("grades", {})} == vignette.get("grades", {})


@pytest.mark.parametrize(("vignette", "level"), EVERY)
def test_an_open_verdict_names_exactly_what_is_missing(vignette: dict[str, Any], level: str) -> None:
    decision = decided(vignette, level)
    for name, missing in vignette.get("missing", {}).items():
        assert list(decision.verdict(name).missing) == missing
        assert [change.field for change in decision.verdict(name).would_change] == missing
    for known in vignette.get("if_known", []):
        got = outcomes(facts_of(vignette, **known["facts"]))
        for name, wanted in known["expect"].items():
            assert got[name].status == wanted.partition(": ")[0]


@pytest.mark.parametrize(("vignette", "level"), EVERY)
def test_the_bodies_that_advise_against_speak_in_every_intact_osteoporotic_case(
    vignette: dict[str, Any], level: str
) -> None:
    facts, decision = facts_of(vignette), decided(vignette, level)
    if facts["malignancy"] or facts["neuro"] != "none" or not facts["exam_concordant"]:
        assert not decision.verdict("aaos_2010_vertebroplasty").applies
        return
    barred = facts["infection_spine"] or facts.get("pregnancy")
    weak_option = "contraindicated: contraindicated" if barred else "conditional: an option (weak)"
    assert told(decision, "aaos_2010_vertebroplasty", ": ") == "no: against (strong)"
    assert told(decision, "aaos_2010_kyphoplasty", ": ") == weak_option
    assert told(decision, "asbmr_2019", ": ") == "no: not routine"
    young = facts["age_yr"] < 50
    assert ("young_fragility" if young else "fragility") in {flag.id for flag in decision.flags}


def test_three_relative_contraindications_are_named() -> None:
    vignette = next(v for v in vignettes() if v["number"] == 11)
    reasons = decided(vignette, "").verdict("lcd_osteoporotic").reasons
    named = {reason.criterion for reason in reasons if reason.role == "relative"}
    assert named == {"definitions.deficit", "definitions.has_impingement", "definitions.canal_compromised"}


def test_the_gate_overrides_a_score_and_says_by_what() -> None:
    vignette = next(v for v in vignettes() if v["number"] == 9)
    verdict = decided(vignette, "").verdict("of_score_modified")
    assert verdict.scores[0].low == verdict.scores[0].high == 10
    assert verdict.overridden == ("Infection of the spine, at the site, or systemic",)


def test_an_item_that_counts_0_when_unknown_is_told_as_assumed() -> None:
    vignette = next(v for v in vignettes() if v["number"] == 2)
    verdict = decided(vignette, "").verdict("of_score_modified")
    assert verdict.assumed == ("Deformity progresses",)


def test_the_vignettes_are_all_there() -> None:
    assert {int(vignette["number"]) for vignette in vignettes()} == set(range(1, 22))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.edition.id}: {case.name}")
def test_the_expert_cases_of_the_rule_files(case: ExpertCase) -> None:
    decision = decide_level(LevelFacts(values=case.facts))
    graded = (*decision.causes, *decision.classes, *decision.conservative, decision.technique)
    known = {grade.id: str(grade.value) for grade in graded}
    known |= {flag.id: "false" for flag in rulebook().flags}
    known |= {flag.id: "true" for flag in (*decision.flags, *decision.emergencies)}
    known |= {flag.id: "unknown" for flag in decision.open_flags}
    verdicts = {verdict.ruleset for verdict in decision.verdicts}
    got = {name: told(decision, name, want) if name in verdicts else known[name] for name, want in case.expect.items()}
    assert got == case.expect


def test_every_rule_file_with_rules_brings_a_case_for_each_rule_set() -> None:
    tested = {name for case in CASES for name in case.expect}
    assert {ruleset.id for ruleset in rulebook().rulesets} <= tested

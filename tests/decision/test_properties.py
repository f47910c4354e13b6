"""What must hold for any patient: learning never reverses, a contraindication never helps, unknown stays unknown."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.vignette import facts_of, level_facts, vignettes

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import fields
from endplate.decision.rules.derive import INPUTS, derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.rules.ruleset import RuleSet
from endplate.decision.verdict.decide import decide_level, outcomes
from endplate.decision.verdict.sensitivity import find_sensitivities

RULESETS = rulebook().rulesets
ASKED = sorted({name for ruleset in RULESETS for node in (*ruleset.nodes(), *ruleset.scored_nodes())
                for name in fields(node)})  # fmt: skip
LIMITS = {name: {limit for ruleset in RULESETS for limit in ruleset.limits.get(name, ())} for name in ASKED}
SAMPLES = {name: field_catalogue()[name].samples(LIMITS[name]) for name in ASKED}
COUNTS_UNKNOWN_AS_ZERO = {"of_score_modified"}
"""The one rule set whose source says that an unknown item counts 0: learning the item may move a definite verdict."""
RANK = {"contraindicated": 0, "no": 1, "conditional": 2, "yes": 3}

values = st.sampled_from(ASKED).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(SAMPLES[name])))


@st.composite
def patients(draw: st.DrawFn) -> dict[str, Any]:
    """A vignette with some answers forgotten and some replaced."""
    facts = facts_of(draw(st.sampled_from(vignettes())))
    for name in draw(st.lists(st.sampled_from(sorted(facts)), max_size=10)):
        facts.pop(name, None)
    return facts | dict(draw(st.lists(values, max_size=6)))


def settled(ruleset: RuleSet, facts: dict[str, Any]) -> str | None:
    """The status, None while it is open; a source that keeps its answer to itself is open for good."""
    status = ruleset.status(facts)
    return None if status == "indeterminate" else status


@given(facts=patients(), learnt=st.lists(values, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_learning_never_turns_a_definite_verdict_into_another(
    facts: dict[str, Any], learnt: list[tuple[str, Any]]
) -> None:
    before = derive(facts)
    after = derive(dict(learnt) | before)
    for ruleset in RULESETS:
        then, now = settled(ruleset, before), settled(ruleset, after)
        if then is None or ruleset.id in COUNTS_UNKNOWN_AS_ZERO:
            continue
        gate = then == "no" and now == "contraindicated"
        left = then == "contraindicated" and ruleset.scope.truth(before) is None and not ruleset.outcome(after).applies
        assert now == then or gate or left, ruleset.id


@given(facts=patients())
@settings(max_examples=60, deadline=None)
def test_a_contraindication_never_helps(facts: dict[str, Any]) -> None:
    for ruleset in RULESETS:
        for criterion in (*ruleset.absolute, *ruleset.relative):
            for name in fields(criterion):
                ranked = [
                    (truth, RANK[status])
                    for value in SAMPLES[name]
                    if (truth := criterion.truth({**facts, name: value})) is not None
                    and (status := settled(ruleset, {**facts, name: value})) is not None
                    and _only_there(ruleset, criterion, name)
                ]
                harmed = [rank for truth, rank in ranked if truth]
                spared = [rank for truth, rank in ranked if not truth]
                assert not harmed or not spared or max(harmed) <= min(spared), (ruleset.id, name)


def _only_there(ruleset: RuleSet, criterion: Any, name: str) -> bool:
    """Whether a fact is read as this contraindication only, not also as part of scope or answers."""
    return not any(name in fields(node) for node in (ruleset.scope, *ruleset.answers.nodes))


@given(facts=patients())
@settings(max_examples=60, deadline=None)
def test_the_fast_path_gives_what_the_full_one_does(facts: dict[str, Any]) -> None:
    full = {v.ruleset: (v.status, v.answer, v.applies) for v in decide_level(LevelFacts(values=facts)).verdicts}
    assert {name: tuple(outcome) for name, outcome in outcomes(facts).items()} == full


@given(facts=patients())
@settings(max_examples=40, deadline=None)
def test_every_change_named_is_one(facts: dict[str, Any]) -> None:
    filled = derive(facts)
    for ruleset in RULESETS:
        before = ruleset.outcome(filled)
        for change in find_sensitivities(ruleset, filled):
            assert filled.get(change.field) is None
            rest = filled | dict(change.given)
            for value, outcome in change.outcomes:
                known = rest | {change.field: value}
                assert ruleset.outcome(derive(known) if change.field in INPUTS else known) == outcome
            if change.alone:
                assert any(outcome.status != before.status or outcome != before for _, outcome in change.outcomes)
            else:
                assert len({outcome for _, outcome in change.outcomes}) > 1


@given(facts=patients())
@settings(max_examples=60, deadline=None)
def test_an_open_verdict_says_what_is_missing_and_why(facts: dict[str, Any]) -> None:
    for verdict in decide_level(LevelFacts(values=facts)).verdicts:
        assert verdict.reasons, verdict.ruleset
        assert all(facts.get(name) is None for name in verdict.missing)
        if verdict.missing:
            assert verdict.status == "indeterminate"
        if verdict.status == "indeterminate" and len(verdict.reachable) > 1:
            assert verdict.missing
        assert (len({outcome.status for outcome in verdict.reachable}) > 1) == (
            verdict.status == "indeterminate" and {outcome.status for outcome in verdict.reachable} != {"indeterminate"}
        )


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_answer_that_would_change_the_verdict_is_left_out(data: st.DataObject) -> None:
    """Of an open verdict, against every combination of four forgotten answers; a settled one only the gate may move."""
    facts = facts_of(data.draw(st.sampled_from(vignettes())))
    ruleset = data.draw(st.sampled_from(RULESETS))
    read = sorted({name for node in (*ruleset.nodes(), *ruleset.scored_nodes()) for name in fields(node)} & set(facts))
    for name in data.draw(st.lists(st.sampled_from(read or ["nrs"]), max_size=4, unique=True)):
        facts.pop(name, None)
    for name in set(ASKED) - set(facts):
        if name not in read:
            facts[name] = SAMPLES[name][0]
    open_now = [name for name in read if facts.get(name) is None]
    if ruleset.status(facts) == "indeterminate":
        found = {change.field for change in find_sensitivities(ruleset, facts)}
        assert _essential(ruleset, facts, open_now) <= found


def _essential(ruleset: RuleSet, facts: dict[str, Any], names: list[str]) -> set[str]:
    """Those names whose value alone tells two verdicts apart in some completion of the others."""
    every = {
        combination: ruleset.status(facts | dict(zip(names, combination, strict=True)))
        for combination in product(*(ruleset.samples(name) for name in names))
    }
    return {
        name
        for place, name in enumerate(names)
        if any(
            len({status for combination, status in every.items() if _others(combination, place) == rest}) > 1
            for rest in {_others(combination, place) for combination in every}
        )
    }


def _others(combination: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return combination[:place] + combination[place + 1 :]


@pytest.mark.parametrize("ruleset", RULESETS, ids=lambda ruleset: ruleset.id)
def test_nothing_known_leaves_every_question_open(ruleset: RuleSet) -> None:
    against_all = {"aaos_2010_vertebroplasty", "asbmr_2019", "cochrane_2018", "aace_2020"}
    assert ruleset.status({}) == ("no" if ruleset.id in against_all else "indeterminate")


@pytest.mark.parametrize("ruleset", [one for one in RULESETS if one.absolute], ids=lambda ruleset: ruleset.id)
def test_any_absolute_contraindication_bars_in_every_case_that_the_rule_set_speaks_of(ruleset: RuleSet) -> None:
    bars = [("infection_spine", True), ("pregnancy", True), ("allergy_cement", True), ("septicaemia", True),
            ("infection_site", True), ("infection_systemic", True), ("exam_concordant", False), ("nrs", 0),
            ("trend", "better"), ("unstable", True), ("tension_band_fail", True)]  # fmt: skip
    for name, value in bars:
        if any(criterion.truth(derive({name: value})) for criterion in ruleset.absolute):
            for vignette in vignettes():
                facts = derive(
                    {
                        **facts_of(vignette),
                        name: value,
                        **({"pain_from_fracture": False} if name == "exam_concordant" else {}),
                    }
                )
                spoken_of = ruleset.scope.truth(facts) is not False
                assert (ruleset.status(facts) == "contraindicated") is spoken_of
                assert ruleset.outcome(facts).applies is spoken_of


def test_forgetting_an_answer_opens_the_verdict_where_it_matters() -> None:
    facts = facts_of(vignettes()[3])
    for name in ("nrs", "rmdq", "onset_days", "mri_oedema", "bmd_referral", "hospitalised", "loss_pct", "n_levels"):
        less = {key: value for key, value in facts.items() if key != name}
        assert outcomes(less)["lcd_osteoporotic"].status == "indeterminate", name


def test_a_no_stands_though_a_contraindication_be_unknown() -> None:
    facts = facts_of(vignettes()[4])
    del facts["infection_spine"]
    assert outcomes(facts)["lcd_osteoporotic"].status == "no"
    facts = facts_of(vignettes()[3])
    del facts["infection_spine"]
    assert outcomes(facts)["lcd_osteoporotic"].status == "indeterminate"


def test_an_answer_that_is_not_enough_alone_is_named_with_its_company() -> None:
    facts = facts_of(vignettes()[3])
    for name in ("progression", "kyphotic_deformity", "rmdq", "loss_pct"):
        del facts[name]
    verdict = decide_level(LevelFacts(values=facts)).verdict("lcd_osteoporotic")
    changes = {change.field: change for change in verdict.would_change}
    assert set(changes) == {"progression", "kyphotic_deformity", "rmdq", "loss_pct"}
    assert not any(change.alone for change in changes.values())
    statuses = {value: outcome.status for value, outcome in changes["progression"].outcomes}
    assert statuses == {True: "yes", False: "no"}


def test_a_measured_value_near_a_threshold_is_told() -> None:
    facts = level_facts(vignettes()[3])
    near = LevelFacts(values={**facts.values, "loss_pct": 26}, bands={"loss_pct": (22.0, 30.0)})
    (change,) = decide_level(near).verdict("lcd_osteoporotic").borderline
    assert (change.field, change.title) == ("loss_pct", "Height loss")
    assert {value: outcome.status for value, outcome in change.outcomes} == {22: "no", 25: "no", 30: "yes"}
    sure = LevelFacts(values={**facts.values, "loss_pct": 30}, bands={"loss_pct": (27.0, 33.0)})
    assert decide_level(sure).verdict("lcd_osteoporotic").borderline == ()
    assert decide_level(near).verdict("nice_ta279").borderline == ()

"""Reasons and the answers that would change a verdict, on small rule sets whose every answer is known."""

from __future__ import annotations

from typing import Any

import pytest

from endplate.decision.explanation.rule_listing import listed_rules
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.threshold import Citation, RuleFileError, read_citation, read_threshold
from endplate.decision.rules.rulebook import read_book, rulebook
from endplate.decision.rules.ruleset import Outcome, RuleSet, settle
from endplate.decision.verdict.decide import evaluate, outcomes
from endplate.decision.verdict.reason import deciding
from endplate.decision.verdict.sensitivity import find_sensitivities
from endplate.decision.verdict.verdict import Verdict

HEAD = {"id": "x", "title": "X", "edition": "2020", "date": "2020", "reference": "Someone 2020"}
CITED = {"source": "Page 1", "trust": "verified"}
NO = {"status": "no", "answer": "no", **CITED}


def threshold(value: float, unit: str = "{score}") -> dict[str, Any]:
    return {"value": value, "unit": unit, **CITED}


def criterion(words: str, when: str) -> dict[str, Any]:
    return {"words": words, "when": when, **CITED}


def ruleset(yes: str, **more: Any) -> RuleSet:
    book = {
        "threshold": {"five": threshold(5), "two": threshold(2, "1"), "much": threshold(25, "%")},
        "criterion": {
            "adult": criterion("Not a boy", "not dementia"),
            "infected": criterion("Infected", "infection_spine"),
            "allergic": criterion("Allergic", "allergy_cement"),
            "pain": criterion("Pain", "nrs >= five"),
            "pair": criterion("Pain and oedema", "pain and mri_oedema"),
        },
        "score": more.pop("score", {}),
        "ruleset": [{
            "id": "r", "title": "R", "question": "augmentation",
            "answer": [{"status": "yes", "answer": "covered", "when": yes, **CITED}, NO], **more,
        }],
    }  # fmt: skip
    return read_book({**HEAD, **book}).rulesets[0]


def judged(rules: RuleSet, **facts: Any) -> Verdict:
    return evaluate(rules, LevelFacts(values=facts))


def changes(rules: RuleSet, **facts: Any) -> dict[str, tuple[dict[Any, str], dict[str, Any]]]:
    return {
        change.field: ({value: outcome.status for value, outcome in change.outcomes}, dict(change.given))
        for change in judged(rules, **facts).would_change
    }


def test_one_missing_answer_decides_alone() -> None:
    assert changes(ruleset("pain"), mri_oedema=True) == {
        "nrs": ({0: "no", 2.5: "no", 5: "yes", 7.5: "yes", 10: "yes"}, {})
    }


def test_both_parts_of_a_conjunction_can_refuse() -> None:
    told = changes(ruleset("pain and mri_oedema"))
    assert set(told) == {"nrs", "mri_oedema"}
    assert told["mri_oedema"] == ({True: "indeterminate", False: "no"}, {})
    assert told["nrs"][0] == {0: "no", 2.5: "no", 5: "indeterminate", 7.5: "indeterminate", 10: "indeterminate"}


def test_what_cannot_matter_is_not_asked() -> None:
    assert changes(ruleset("pain or mri_oedema"), mri_oedema=True) == {}
    assert changes(ruleset("pain and mri_oedema"), mri_oedema=False) == {}
    assert judged(ruleset("pain and mri_oedema"), mri_oedema=False).missing == ()


def test_answers_that_count_together_are_told_with_their_company() -> None:
    told = changes(ruleset("at least two of (progression, cleft, allergy_cement)"))
    assert set(told) == {"progression", "cleft", "allergy_cement"}
    statuses, given = told["progression"]
    assert statuses == {True: "yes", False: "no"}
    assert sorted(given.values()) == [False, True]
    assert set(given) == {"cleft", "allergy_cement"}
    verdict = judged(ruleset("at least two of (progression, cleft, allergy_cement)"))
    assert not any(change.alone for change in verdict.would_change)
    one_known = changes(ruleset("at least two of (progression, cleft, allergy_cement)"), cleft=True)
    assert one_known["progression"] == ({True: "yes", False: "indeterminate"}, {})


def test_a_nested_choice_is_sought_through_every_kind_of_part() -> None:
    rules = ruleset("not (not pain and not (at least two of (progression, cleft, allergy_cement) or not mri_oedema))")
    told = changes(rules, nrs=1, mri_oedema=True)
    assert set(told) == {"progression", "cleft", "allergy_cement"}
    assert all(set(statuses.values()) == {"yes", "no"} for statuses, _ in told.values())


def test_a_contraindication_matters_only_where_the_rest_may_favour() -> None:
    rules = ruleset("pain", absolute=["infected"], relative=["allergic"], scope="adult", outside="boys")
    told = changes(rules, nrs=8)
    assert set(told) == {"infection_spine", "allergy_cement", "dementia"}
    assert told["infection_spine"][0] == {True: "contraindicated", False: "indeterminate"}
    assert told["dementia"][0] == {True: "no", False: "indeterminate"}
    statuses, given = told["allergy_cement"]
    assert statuses == {True: "conditional", False: "yes"}
    assert given == {"infection_spine": False, "dementia": False}
    assert changes(rules, nrs=2) == {}
    assert changes(rules, nrs=8, infection_spine=True) == {}
    assert changes(rules, nrs=8, dementia=True, infection_spine=False) == {}


SCORE = {"sum": {
    "words": "Sum", "unknown": "range", **CITED,
    "item": [
        {"name": "a", "words": "A", "steps": [{"points": 2, "when": "cleft"}], "otherwise": 0, **CITED},
        {"name": "b", "words": "B", "steps": [{"points": 3, "when": "progression"}], "otherwise": 0, **CITED},
        {"name": "c", "words": "C", "each": 1, "least": 0, "most": 1, "of": ["allergy_cement", "fever"], **CITED},
    ],
}}  # fmt: skip


def test_every_item_of_an_open_score_that_can_tip_it_is_named() -> None:
    told = changes(ruleset("sum >= five", score=SCORE, scores=["sum"]))
    assert set(told) == {"cleft", "progression"}
    assert told["progression"][0] == {True: "indeterminate", False: "no"}
    with_more = {"sum": {**SCORE["sum"], "item": [*SCORE["sum"]["item"][1:], {**SCORE["sum"]["item"][0], "steps": [
        {"points": 1, "when": "cleft"}]}]}}  # fmt: skip
    told = changes(ruleset("sum >= five", score=with_more, scores=["sum"]))
    assert set(told) == {"cleft", "progression", "allergy_cement", "fever"}
    statuses, given = told["allergy_cement"]
    assert statuses == {True: "yes", False: "no"}
    assert given == {"progression": True, "cleft": True, "fever": False}


def test_items_that_count_0_when_unknown_are_told_though_the_verdict_is_settled() -> None:
    zero = {"sum": {**SCORE["sum"], "unknown": "zero"}}
    verdict = judged(ruleset("sum >= five", score=zero, scores=["sum"]), cleft=True, allergy_cement=False, fever=False)
    assert (verdict.status, verdict.missing, verdict.assumed) == ("no", (), ("B",))
    (change,) = verdict.would_change
    assert change.field == "progression"
    assert {value: outcome.status for value, outcome in change.outcomes} == {True: "yes", False: "no"}


def reasons(rules: RuleSet, **facts: Any) -> list[tuple[str, str, Any, tuple[str, ...]]]:
    told = judged(rules, **facts).reasons
    return [(one.role, one.words, one.truth, tuple(used.field for used in one.used)) for one in told]


FULL = {"absolute": ["infected"], "relative": ["allergic"], "scope": "adult", "outside": "boys"}


def test_a_bar_is_the_only_reason_given() -> None:
    told = reasons(ruleset("pain", **FULL), infection_spine=True, nrs=8)
    assert told == [("contraindication", "Infected", True, ("infection_spine",))]


def test_out_of_scope_says_so() -> None:
    verdict = judged(ruleset("pain", **FULL), dementia=True, infection_spine=False)
    assert (verdict.status, verdict.answer, verdict.applies) == ("no", "boys", False)
    assert reasons(ruleset("pain", **FULL), dementia=True) == [("scope", "Not a boy", False, ("dementia",))]


def test_a_yes_names_what_carried_it() -> None:
    told = reasons(
        ruleset("pair", **FULL), dementia=False, infection_spine=False, allergy_cement=False, nrs=8, mri_oedema=True
    )
    assert told == [
        ("answer", "Pain and oedema", True, ("nrs", "mri_oedema")),
        ("answer", "Pain", True, ("nrs",)),
    ]


def test_a_conditional_names_its_condition_first() -> None:
    known = {"dementia": False, "infection_spine": False, "allergy_cement": True}
    assert reasons(ruleset("pain", **FULL), nrs=8, **known) == [
        ("relative", "Allergic", True, ("allergy_cement",)),
        ("answer", "Pain", True, ("nrs",)),
    ]
    assert [role for role, *_ in reasons(ruleset("pain", **FULL), nrs=2, **known)] == ["answer", "answer"]


def test_a_no_names_what_failed() -> None:
    told = reasons(ruleset("pair", **FULL), dementia=False, infection_spine=False, nrs=2, mri_oedema=True)
    assert told[0] == ("answer", "Pain", False, ("nrs",))
    assert told[1][1:] == ("no", True, ())


def test_an_open_verdict_names_each_part_that_is_open() -> None:
    told = reasons(ruleset("pair", **FULL), mri_oedema=True)
    assert told == [
        ("scope", "Not a boy", None, ("dementia",)),
        ("contraindication", "Infected", None, ("infection_spine",)),
        ("relative", "Allergic", None, ("allergy_cement",)),
        ("answer", "Pain", None, ("nrs",)),
    ]
    assert judged(ruleset("pair", **FULL), mri_oedema=True).missing == (
        "nrs", "infection_spine", "allergy_cement", "dementia",
    )  # fmt: skip


def test_a_score_is_a_reason_with_all_its_facts() -> None:
    rules = ruleset("sum >= five", score=SCORE, scores=["sum"])
    told = reasons(rules, cleft=True, progression=True)
    assert told == [("answer", "covered", True, ("cleft", "progression", "allergy_cement", "fever"))]
    (criterion_node,) = deciding(rules.answers.rungs[0].when, {"cleft": True, "progression": True})
    assert criterion_node.name == "r.covered"


def test_used_facts_carry_value_unit_title_and_origin() -> None:
    facts = LevelFacts(values={"loss_pct": 30}, origin={"loss_pct": "finding height_loss at L1"})
    (reason,) = evaluate(ruleset("loss_pct > much"), facts).reasons
    (used,) = reason.used
    assert (used.field, used.title, used.value, used.unit, used.origin) == (
        "loss_pct", "Height loss", 30, "%", "finding height_loss at L1",
    )  # fmt: skip
    assert reason.criterion == "r.covered"
    assert reason.citation == Citation(edition="2020", source="Page 1", trust="verified")


def near(rules: RuleSet, bands: dict[str, tuple[float, float]], **facts: Any) -> dict[str, dict[Any, str]]:
    told = evaluate(rules, LevelFacts(values=facts, bands=bands)).borderline
    assert all(change.title and change.alone for change in told)
    return {change.field: {value: outcome.status for value, outcome in change.outcomes} for change in told}


def test_a_band_across_a_limit_is_told_with_the_verdicts_at_its_ends() -> None:
    rules = ruleset("loss_pct > much and nrs >= five")
    facts = {"loss_pct": 26, "nrs": 6}
    assert near(rules, {"loss_pct": (22.0, 30.0)}, **facts) == {"loss_pct": {22: "no", 25: "no", 30: "yes"}}
    assert near(rules, {"loss_pct": (26.0, 30.0)}, **facts) == {}
    assert near(rules, {"loss_pct": (20.0, 24.0)}, **facts) == {}
    assert near(rules, {"loss_pct": (25.0, 30.0)}, **facts) == {"loss_pct": {25: "no", 30: "yes"}}
    assert near(rules, {"loss_pct": (-40.0, 130.0)}, **facts) == {"loss_pct": {0: "no", 25: "no", 100: "yes"}}
    assert near(rules, {"kyphosis_deg": (-5.0, 30.0)}, **facts) == {}
    both = near(rules, {"kyphosis_deg": (0.0, 9.0), "nrs": (4.0, 5.0), "loss_pct": (22.0, 30.0)}, **facts)
    assert both == {"nrs": {4: "no", 5: "yes"}, "loss_pct": {22: "no", 25: "no", 30: "yes"}}
    upper = ruleset("not (loss_pct >= much)")
    assert near(upper, {"loss_pct": (20.0, 25.0)}, loss_pct=22) == {"loss_pct": {20: "yes", 25: "no"}}
    assert near(ruleset("loss_pct > much"), {"loss_pct": (22.0, 30.0)}, loss_pct=24, nrs=1) == {
        "loss_pct": {22: "no", 25: "no", 30: "yes"}
    }


def test_what_follows_from_an_answer_is_followed_when_it_is_tried() -> None:
    rules = ruleset("pregnancy or cleft", relative=[])
    told = changes(rules, sex="female", cleft=False)
    assert told["pregnancy"][0] == {True: "yes", False: "no"}
    scan = ruleset("mri_oedema or bone_scan_pos")
    assert changes(scan)["mri_oedema"][0] == {True: "yes", False: "no"}


def test_another_answer_of_the_same_status_is_a_change() -> None:
    zero = {"sum": {**SCORE["sum"], "unknown": "zero"}}
    answers = [{"status": "no", "answer": "surely not", "when": "sum < two", **CITED}, NO]
    rules = ruleset("cleft", score=zero, scores=["sum"], answer=answers)
    told = judged(rules, cleft=False, allergy_cement=False, fever=False).would_change
    assert [(change.field, change.title) for change in told] == [("progression", "Height loss progresses")]
    assert [outcome.answer for _, outcome in told[0].outcomes] == ["no", "surely not"]


@pytest.mark.parametrize(
    ("left", "settled"),
    [
        ([("yes", "a", True)], ("yes", "a", True)),
        ([("no", "a", True), ("no", "b", False)], ("no", "a or b", True)),
        ([("no", "a", False), ("no", "b", False)], ("no", "a or b", False)),
        ([("yes", "a", True), ("no", "b", True)], ("indeterminate", "a or b", True)),
        ([("yes", "a", True), ("no", "a", True)], ("indeterminate", "a", True)),
    ],
)
def test_what_is_left_is_settled_where_statuses_agree(left: list[Any], settled: Any) -> None:
    assert settle(tuple(Outcome(*one) for one in left)) == Outcome(*settled)


def test_answers_outside_the_scope_stand_under_one_heading() -> None:
    outside = [Outcome("no", f"not applicable: {why}", False) for why in ("tumour", "trauma")]
    assert settle((Outcome("no", "not routine", True), *outside)).answer == (
        "not routine or not applicable (tumour; trauma)"
    )
    assert settle(tuple(outside)).answer == "not applicable: tumour or trauma"


def test_a_status_alone_is_the_outcome_s() -> None:
    rules = ruleset("pain", **FULL)
    assert (
        rules.status({"nrs": 8, "dementia": False, "infection_spine": False, "allergy_cement": True}) == "conditional"
    )
    assert rules.outcome({"nrs": 8, "dementia": False, "infection_spine": False, "allergy_cement": True}) == Outcome(
        "conditional", "covered, relative contraindication", True
    )
    assert rules.reachable({"nrs": 8, "dementia": False, "infection_spine": False}) == (
        Outcome("yes", "covered"), Outcome("conditional", "covered, relative contraindication"),
    )  # fmt: skip
    assert rules.reachable({"nrs": 8, "allergy_cement": False}) == (
        Outcome("yes", "covered"), Outcome("no", "boys", False), Outcome("contraindicated", "contraindicated"),
    )  # fmt: skip
    assert rules.limits == {"nrs": {5}}
    assert rules.samples("nrs") == (0, 2.5, 5, 7.5, 10)
    assert rules.samples("allergy_cement") == (True, False)


def test_the_fast_path_derives_before_it_decides() -> None:
    assert outcomes({"infection_systemic": True})["lcd_osteoporotic"].status == "contraindicated"
    assert outcomes({"exam_concordant": False})["lcd_osteoporotic"].status == "contraindicated"


def test_a_citation_is_read_whole() -> None:
    assert read_citation("x", {"source": "P", "trust": "weak"}, "2020") == Citation(
        edition="2020", source="P", trust="weak"
    )
    own = read_citation("x", {"source": "P", "trust": "design", "edition": "2021"}, "2020")
    assert own.edition == "2021"
    assert str(own) == "P; 2021 [design]"
    read = read_threshold("x.a", {"value": 2, "unit": "d", "source": "P", "trust": "verified"}, "2020")
    assert (read.name, read.value, read.unit, str(read.citation)) == ("x.a", 2, "d", "P; 2020 [verified]")


@pytest.mark.parametrize("table", [{}, {"source": "P"}, {"trust": "verified"}, {"source": "P", "trust": "v"}])
def test_a_citation_that_lacks_a_part_says_which_table(table: dict[str, Any]) -> None:
    with pytest.raises(RuleFileError) as caught:
        read_citation("x.a", table, "2020")
    assert str(caught.value) == ("x.a lacks source, edition or trust mark; every figure of a rule must carry them.")
    with pytest.raises(RuleFileError, match=r"^x\.a lacks source, edition or trust mark"):
        read_citation("x.a", {"source": "P", "trust": "verified"}, "")


@pytest.mark.parametrize("table", [{"unit": "d", **CITED}, {"value": 1, **CITED}, {"value": 1, "unit": "", **CITED}])
def test_a_threshold_needs_value_and_unit(table: dict[str, Any]) -> None:
    with pytest.raises(RuleFileError) as caught:
        read_threshold("x.a", table, "2020")
    assert str(caught.value) == "x.a lacks value or unit."


def test_the_listing_tells_numbers_and_words_apart() -> None:
    rules = {rule.name: rule for rule in listed_rules()}
    number, words = rules["medicare_lcd.loss_above"], rules["medicare_lcd.window"]
    assert (number.value, number.unit, number.words, number.citation.trust) == (25, "%", "", "secondary")
    assert (words.value, words.unit, words.words) == (None, "", "Acute (under 6 weeks) or subacute (6 to 12 weeks)")
    assert words.citation.source == "Covered indications"
    assert "flags.cleft" in rules
    assert "lcd_osteoporotic.covered" in rules
    assert "osteoporosis.definite" in rules
    assert "of_score.of_modified.bone.points" in rules
    assert rules["osteoporosis.definite"].words == "Osteoporosis: definite"
    assert len(listed_rules(False)) == len(listed_rules()) > len(listed_rules(weak=True))


def answers(*rungs: tuple[str, str | None]) -> list[dict[str, Any]]:
    """The statuses of a ladder and when they hold."""
    return [{"status": status, "answer": status, **CITED, **({"when": when} if when else {})} for status, when in rungs]


COUNT = "at least two of (pregnancy, dementia, fever)"
SUM = {
    "sum": {
        "words": "Sum", "unknown": "range", **CITED,
        "item": [
            {"name": name, "words": name, **CITED, "steps": [{"points": 3, "when": name}], "otherwise": 0}
            for name in ("pregnancy", "dementia", "fever")
        ],
    }
}  # fmt: skip


@pytest.mark.parametrize("count", [COUNT, "sum >= five"])
def test_an_earlier_count_is_made_to_fail_so_that_a_later_answer_may_hang_on_one_fact(count: str) -> None:
    given = answers(("yes", count), ("conditional", "mri_oedema"), ("no", None))
    found, rest = changes(ruleset("adult", score=SUM, answer=given))["mri_oedema"]
    assert found == {True: "conditional", False: "no"}
    assert sum(rest.values()) < 2 and set(rest) <= {"pregnancy", "dementia", "fever"}


@pytest.mark.parametrize("count", [COUNT, "sum >= five"])
def test_a_count_in_the_scope_is_made_to_hold_so_that_the_answer_may_hang_on_one_fact(count: str) -> None:
    rules = ruleset("adult", score=SUM, scope=count, answer=answers(("yes", "mri_oedema"), ("conditional", None)))
    found, rest = changes(rules)["mri_oedema"]
    assert found == {True: "yes", False: "conditional"}
    assert sum(rest.values()) >= 2
    known, rest = changes(rules, pregnancy=False)["mri_oedema"]
    assert known == found and rest == {"dementia": True, "fever": True}
    assert "mri_oedema" not in changes(rules, pregnancy=False, dementia=False)


@pytest.mark.parametrize("status", ["yes", "conditional"])
def test_half_of_a_contraindication_is_weighed_where_the_rest_favours(status: str) -> None:
    favours = answers((status, "dementia"), ("no", None))
    rules = ruleset("adult", absolute=["pair"], relative=["infected"], scope="pregnancy", answer=favours)
    found, rest = changes(rules)["nrs"]
    assert {value: told for value, told in found.items() if value in (0, 5, 10)} == {
        0: status,
        5: "contraindicated",
        10: "contraindicated",
    }
    assert rest == {"mri_oedema": True, "dementia": True, "pregnancy": True, "infection_spine": False}


@pytest.mark.parametrize("status", ["yes", "conditional"])
def test_half_of_a_scope_is_weighed_where_the_other_half_fails_and_the_rest_favours(status: str) -> None:
    favours = answers(("no", "fever"), (status, "dementia"), ("no", None))
    rules = ruleset("adult", absolute=["infected"], scope="pregnancy or mri_oedema", answer=favours)
    found, rest = changes(rules)["mri_oedema"]
    assert found == {True: status, False: "no"}
    assert rest == {"pregnancy": False, "fever": False, "dementia": True, "infection_spine": False}
    assert "mri_oedema" not in changes(rules, dementia=False)


def test_half_of_a_relative_contraindication_is_weighed_under_a_yes_only() -> None:
    for status, told in (("yes", True), ("conditional", False)):
        favours = answers((status, "dementia"), ("no", None))
        rules = ruleset("adult", absolute=["infected"], relative=["pair"], answer=favours)
        assert ("nrs" in changes(rules)) is told
    rules = ruleset(
        "adult", absolute=["infected"], relative=["pair"], answer=answers(("yes", "dementia"), ("no", None))
    )
    found, rest = changes(rules)["nrs"]
    assert (found[0], found[10]) == ("yes", "conditional")
    assert rest == {"mri_oedema": True, "dementia": True, "infection_spine": False}


def test_a_sum_is_tried_inside_the_scope_that_one_of_its_own_answers_decides() -> None:
    """Lesion is an item of SINS and decides whether SINS applies at all: the other items still matter."""
    rules = next(item for item in rulebook().rulesets if item.id == "sins_2010")
    facts = {"pain_type": "mechanical", "alignment": "normal", "posterior_elements": "none", "lesion_over_half": False}
    named = {change.field for change in find_sensitivities(rules, facts | {"biopsy_malignant": False})}
    assert named == {"loss_pct", "malignancy", "lesion", "level"}


def test_an_answer_that_two_parts_of_a_scope_read_is_named_beside_what_it_needs() -> None:
    """Age matters where the patient may be a man of 50 to 60: both parts of the scope ask for it."""
    facts = {"postmenopausal": True, "malignancy": True, "biopsy_malignant": False, "fracture_on_ct": True,
             "mechanism": "minimal", "mri_oedema": True}  # fmt: skip
    found = {change.field for change in find_sensitivities(rulebook().ruleset("nogg_liaison"), facts)}
    assert found == {"age_yr", "lesion", "sex"}

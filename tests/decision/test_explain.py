"""An explanation line by line: what is asked, what is known, how it was answered and where it stands."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from endplate.decision.explanation.explain import Branch, explain, explain_grading, printed, shown
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.rules.rulebook import read_book
from endplate.decision.rules.ruleset import RuleSet

TEXT = """
id = "own"
title = "Own guideline"
edition = "own 2024"
date = "2024"
reference = "Someone 2024"
[threshold.old]
value = 65
unit = "a"
trust = "knowledge"
source = "Table 1"
[threshold.enough]
value = 2
unit = "{score}"
trust = "verified"
source = "Table 2"
[criterion.aged]
words = "Old"
when = "age_yr >= old"
trust = "secondary"
source = "Table 3"
[criterion.mixed]
words = "Mixed"
when = "not pregnancy and (trend is worse or aged) and at least enough of (dementia, pregnancy, aged)"
trust = "design"
source = "Table 4"
[criterion.carrying]
words = "Carries a child"
when = "pregnancy"
trust = "weak"
source = "Table 5"
[score.sum]
words = "Sum"
unknown = "zero"
trust = "verified"
source = "Table 6"
[[score.sum.item]]
name = "age"
words = "Age"
required = true
trust = "verified"
source = "Table 7"
steps = [{ points = 2, when = "aged" }]
otherwise = 0
[[score.sum.item]]
name = "mind"
words = "Mind"
trust = "verified"
source = "Table 8"
steps = [{ points = 1, when = "dementia" }]
otherwise = 0
[[ruleset]]
id = "rules"
title = "Own rules"
question = "augmentation"
scope = "mixed"
outside = "not meant"
absolute = ["carrying"]
relative = ["aged"]
scores = ["sum"]
approximation = "weights are ours"
answer = [
  { status = "yes", answer = "do it", when = "sum >= enough", trust = "verified", source = "Page 1" },
  { status = "no", answer = "leave it", trust = "verified", source = "Page 2" },
]
[[ruleset]]
id = "plain"
title = "Plain rules"
question = "imaging"
answer = [{ status = "no", answer = "never", trust = "verified", source = "Page 3" }]
"""
RULES, PLAIN = read_book(tomllib.loads(TEXT)).rulesets


def lines(rules: RuleSet, **values: Any) -> list[str]:
    facts = LevelFacts(values=values, origin={"age_yr": "age_yr", "pregnancy": "pregnant"})
    return printed(explain(rules, facts)).splitlines()


def test_a_rule_set_is_told_whole_from_note_to_answers() -> None:
    told = lines(RULES, age_yr=70, pregnancy=False, trend="stable", level="L1")
    pregnant = "[no] Pregnant: no (pregnant)"
    old = ["[yes] Old", "  source: Table 3; own 2024 [secondary]",
           "  [yes] Age: 70 years (age_yr); asked: >= 65 years",
           "    source: Table 1; own 2024 [knowledge]"]  # fmt: skip

    def under(depth: int, *text: str) -> list[str]:
        return ["  " * depth + line for line in text]

    assert told == [
        "Own rules at L1: indeterminate (do it, relative contraindication or not meant)",
        "  source: own 2024: Someone 2024",
        "  Note: weights are ours",
        "  Absolute contraindications",
        "    [no] Carries a child",
        "      source: Table 5; own 2024 [weak]",
        f"      {pregnant}",
        "  Relative contraindications",
        *under(2, *old),
        "  Scope; outside of it: not meant",
        "    [?] Mixed",
        "      source: Table 4; own 2024 [design]",
        "      [?] all of",
        "        [yes] not the case that",
        f"          {pregnant}",
        "        [yes] any of",
        "          [no] Course of the symptoms: stable; asked: trend is worse",
        *under(5, *old),
        "        [?] at least 2 of",
        "          [?] Dementia: not known",
        f"          {pregnant}",
        *under(5, *old),
        "  Sum: 2",
        "    Age: 2",
        "      source: Table 7; own 2024 [verified]",
        "    Mind: 0 (unknown, counts 0)",
        "      source: Table 8; own 2024 [verified]",
        "  Answers, the first that holds",
        "    [yes] do it",
        "      source: Page 1; own 2024 [verified]",
        "      [yes] sum >= 2",
        "        source: Table 2; own 2024 [verified]",
        "[verified] read in the primary source; "
        "[secondary] read in a page about the source, not in the source itself; "
        "[knowledge] known in the field, primary source not read; [weak] from weak memory; "
        "[design] our own choice, reason given",
    ]


def test_a_rule_set_without_conditions_is_told_by_its_answer_alone() -> None:
    assert lines(PLAIN) == [
        "Plain rules: no (never)",
        "  source: own 2024: Someone 2024",
        "  Answers, the first that holds",
        "    [yes] never",
        "      source: Page 3; own 2024 [verified]",
        "[verified] read in the primary source",
    ]


@pytest.mark.parametrize(
    ("known", "head", "total"),
    [
        (
            {},
            "indeterminate (do it or do it, relative contraindication or leave it or not meant or contraindicated)",
            "0 to 2",
        ),
        ({"age_yr": 64, "pregnancy": True}, "no (not meant)", "0"),
        ({"age_yr": 64, "dementia": True, "pregnancy": False, "trend": "worse"}, "no (not meant)", "1"),
    ],
)
def test_the_head_tells_the_answer_and_a_sum_its_span(known: dict[str, Any], head: str, total: str) -> None:
    told = lines(RULES, **known)
    assert told[0] == f"Own rules: {head}"
    assert f"  Sum: {total}" in told


def test_a_missing_origin_is_not_printed_and_no_origin_is_told_of_the_unknown() -> None:
    told = lines(RULES, trend="worse")
    assert "          [yes] Course of the symptoms: worse; asked: trend is worse" in told
    assert "      [?] Pregnant: not known" in told


def test_a_grading_tells_what_is_left_and_where_its_facts_come_from() -> None:
    told = printed(
        explain_grading("osteoporosis", LevelFacts(values={"t_score": -2.0}, origin={"t_score": "bone.tests"}))
    )
    assert told.splitlines()[:2] == [
        "Osteoporosis: definite or probable or possible or absent",
        "  [?] Osteoporosis: definite",
    ]
    assert "Lowest T-score: -2 (bone.tests); asked: <= -2.5" in told


@pytest.mark.parametrize(("truth", "mark"), [(True, "[yes]"), (False, "[no]"), (None, "[?]")])
def test_a_line_without_a_source_ends_without_a_legend(truth: bool | None, mark: str) -> None:
    assert printed(Branch(text="A", truth=truth)) == f"{mark} A\n"
    assert printed(Branch(text="A", marked=False, branches=(Branch(text="B", truth=truth),)), 1) == (
        f"  A\n    {mark} B\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("age_yr", 31.0, "31 years"),
        ("age_yr", 1.0, "1 year"),
        ("kyphosis_deg", 29.0975, "29.1 degrees"),
        ("nrs", 7.0, "7"),
    ],
)
def test_a_value_is_shown_rounded_with_its_unit_in_words(name, value, words):
    assert shown(field_catalogue()[name], value) == words

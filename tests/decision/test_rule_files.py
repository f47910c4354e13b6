"""Every figure of a rule file has source, edition and trust mark; a file that is no good is refused by name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, get_args

import pytest

from endplate.decision.explanation.explain import explain, printed
from endplate.decision.explanation.rule_listing import every_book, listed_constants, listed_rules
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import Compare, Node, fields, walk
from endplate.decision.logic.threshold import CHECK_FIRST, TRUST_WORDS, RuleFileError, Trust
from endplate.decision.rules.rulebook import read_book, rulebook
from endplate.decision.rules.ruleset import STATUSES
from endplate.decision.verdict.decide import evaluate

TABLES = [
    tomllib.loads(file.read_text(encoding="utf-8"))
    for folder in ("rules/guidelines", "rules/knowledge", "prevention/rules")
    for file in files("endplate.decision").joinpath(*folder.split("/")).iterdir()
    if file.name.endswith(".toml")
]
HEAD = {"id": "x", "title": "X", "edition": "2020", "date": "2020", "reference": "Someone 2020"}
CITED = {"source": "Page 1", "trust": "verified"}
SHORTEST, MARKS = len("Pain"), get_args(Trust)
SHARED = (
    {"lcd_osteoporotic", "lcd_malignant"},
    {"nass_2025", "nass_2025_surgery"},
    {"rand_2018", "suspicion_2018"},
    {"aaos_2010_vertebroplasty", "aaos_2010_kyphoplasty"},
    {"aace_2020", "aace_treat", "aace_very_high"},
    {"acp_treat", "acp_very_high", "acp_first"},
    {"acp_treat", "acp_very_high", "acp_first"},
    *(
        {f"{name}_{end}" for end in ("treat", "very_high", "first")}
        for name in ("acr_giop", "asbmr_bhof", "bhof", "endocrine", "nogg")
    ),
    {
        "oral_bisphosphonate",
        "zoledronate",
        "denosumab",
        "anabolic",
        "romosozumab",
        "raloxifene",
        "hormone_therapy",
        "calcitonin",
    },
)
"""Rule sets that are read from one and the same guideline."""
LAST = {"status": "no", "answer": "no", **CITED}


def read(**more: Any) -> Any:
    return read_book({**HEAD, **more})


def test_every_figure_and_criterion_has_source_edition_and_trust() -> None:
    bad = [
        rule.name
        for rule in listed_rules()
        if len(rule.citation.source) < SHORTEST or not rule.citation.edition or rule.citation.trust not in MARKS
    ]
    assert bad == []
    assert len(listed_rules()) > len(listed_constants()) > len(TABLES)


def test_no_two_guidelines_share_an_edition_or_a_publication() -> None:
    for key in ("edition", "reference"):
        told: dict[str, set[str]] = {}
        for ruleset in (ruleset for book in every_book() for ruleset in book.rulesets):
            told.setdefault(getattr(ruleset.edition, key), set()).add(ruleset.id)
        assert [names for names in told.values() if len(names) > 1 and not any(names <= one for one in SHARED)] == []


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        ("acr_2018", "ACR 2018"),
        ("acr_2022", "ACR 2022 update"),
        ("cirse_2017", "CIRSE 2017"),
        ("rand_europe_2013", "European panel 2013"),
        ("payer_b", "Payer B (BCBS MA digest), undated"),
        ("of_score_original", "original OF score, Schnake 2018"),
        ("nice_metastatic", "NICE NG234, September 2023, replaces CG75"),
        ("cochrane_2018", "Cochrane 2018"),
    ],
)
def test_a_rule_set_tells_its_own_edition_where_a_file_holds_several(name: str, edition: str) -> None:
    ruleset = rulebook().ruleset(name)
    assert ruleset.edition.edition == edition
    verdict = evaluate(ruleset, LevelFacts(values={}))
    assert verdict.edition == ruleset.edition
    assert f"source: {edition}: {ruleset.edition.reference}" in printed(explain(name, LevelFacts(values={})))


def test_an_answer_is_cited_from_the_edition_of_its_rule_set() -> None:
    bare = {"id": "r", "title": "R", "question": "augmentation", "answer": [LAST]}
    (own, plain) = read(ruleset=[{**bare, "edition": "2024", "reference": "Other 2024"}, bare]).rulesets
    assert [rules.answers.rungs[0].when.citation.edition for rules in (own, plain)] == ["2024", "2020"]
    assert (own.edition.reference, own.edition.date, own.edition.id) == ("Other 2024", "2020", "x")


def test_no_text_for_readers_points_into_notes_that_they_do_not_have() -> None:
    rulesets = [ruleset for book in every_book() for ruleset in book.rulesets]
    texts = [text for rule in listed_rules() for text in (rule.words, rule.citation.source, rule.citation.edition)]
    texts += [text for rules in rulesets for text in (rules.approximation, rules.outside, rules.edition.reference)]
    texts += [rung.value.answer for rules in rulesets for rung in rules.answers.rungs]
    texts += [text for book in every_book() for flag in book.flags for text in (flag.action, flag.when.words)]
    assert [text for text in texts if re.search(r"\breference \d|\bvignette", text, re.IGNORECASE)] == []


def test_no_constant_of_a_file_escapes_the_listing() -> None:
    counted = sum(_numbers(table) for table in TABLES)
    assert counted == len(listed_constants())


def _numbers(table: dict[str, Any]) -> int:
    """Thresholds, and the points of items, counted from the text of a file."""
    items = [item for score in table.get("score", {}).values() for item in score["item"]]
    points = sum(len(item.get("steps", ())) for item in items)
    points += sum(key in item for item in items for key in ("otherwise", "each", "least", "most"))
    return len(table.get("threshold", {})) + points


def nodes() -> Iterator[Node]:
    for book in every_book():
        yield from book.criteria.values()
        yield from (flag.when for flag in book.flags)
        for ruleset in book.rulesets:
            yield from (*ruleset.nodes(), *ruleset.scored_nodes())
        for grading in book.gradings:
            yield from grading.ladder.nodes


def test_every_threshold_is_used() -> None:
    used = {part.limit.name for node in nodes() for part in walk(node) if hasattr(part, "limit")}
    declared = {threshold.name for book in every_book() for threshold in book.thresholds.values()}
    assert declared - used == set()


def test_every_fact_of_the_catalogue_is_asked_by_some_rule() -> None:
    asked = {name for node in nodes() for name in fields(node)}
    assert set(field_catalogue()) - asked == set()


def test_every_number_that_is_compared_lies_in_the_range_of_its_fact() -> None:
    for ruleset in rulebook().rulesets:
        for node in (*ruleset.nodes(), *ruleset.scored_nodes()):
            for part in walk(node):
                if isinstance(part, Compare):
                    entry = field_catalogue()[part.field]
                    assert entry.low <= part.limit.value <= entry.high, part


def test_units_of_thresholds_are_those_of_the_facts() -> None:
    for ruleset in rulebook().rulesets:
        for node in ruleset.nodes():
            for part in walk(node):
                if isinstance(part, Compare):
                    assert part.limit.unit == field_catalogue()[part.field].unit, part.limit.name


def test_answers_use_the_known_statuses() -> None:
    told = {rung.value.status for ruleset in rulebook().rulesets for rung in ruleset.answers.rungs}
    assert told <= set(STATUSES)


def test_disputes_name_rule_sets_and_criteria_that_exist() -> None:
    known = {ruleset.id for ruleset in rulebook().rulesets} | set(rulebook().criteria)
    assert {member for dispute in rulebook().disputes for member in dispute.members} <= known


def test_weak_rules_come_weakest_first_and_hold_nothing_verified() -> None:
    marks = [rule.citation.trust for rule in listed_rules(weak=True)]
    assert marks == sorted(marks, key=CHECK_FIRST.index)
    assert set(marks) <= set(CHECK_FIRST) == set(TRUST_WORDS) - {"verified"}
    assert len(marks) == sum(rule.citation.trust != "verified" for rule in listed_rules())


@pytest.mark.parametrize("gone", ["source", "trust", "value", "unit"])
def test_a_threshold_that_lacks_anything_is_refused(gone: str) -> None:
    threshold = {"value": 1, "unit": "d", **CITED}
    del threshold[gone]
    with pytest.raises(RuleFileError, match=r"x\.limit lacks"):
        read(threshold={"limit": threshold})


def test_an_unknown_trust_mark_is_refused() -> None:
    with pytest.raises(RuleFileError, match=r"x\.limit lacks source, edition or trust"):
        read(threshold={"limit": {"value": 1, "unit": "d", "source": "Page 1", "trust": "sure"}})


def test_an_edition_is_needed_and_may_differ_by_threshold() -> None:
    with pytest.raises(RuleFileError, match="lacks edition"):
        read_book({key: value for key, value in HEAD.items() if key != "edition"})
    book = read(threshold={"limit": {"value": 1, "unit": "d", "edition": "2021", **CITED}})
    assert book.thresholds["limit"].citation.edition == "2021"
    with pytest.raises(RuleFileError, match=r"x\.limit lacks"):
        read(threshold={"limit": {"value": 1, "unit": "d", "edition": "", **CITED}})


def test_a_criterion_without_a_citation_is_refused() -> None:
    with pytest.raises(RuleFileError, match=r"x\.bad lacks"):
        read(criterion={"bad": {"words": "w", "when": "pregnancy"}})


def test_the_last_answer_must_always_hold() -> None:
    answer = {**LAST, "when": "pregnancy"}
    with pytest.raises(RuleFileError, match="last answer must always hold"):
        read(ruleset=[{"id": "r", "title": "R", "question": "augmentation", "answer": [answer]}])


def test_the_last_rung_of_a_grading_must_always_hold() -> None:
    rung = {"value": "a", "when": "pregnancy", **CITED}
    with pytest.raises(RuleFileError, match="last rung must always hold"):
        read(grading=[{"id": "g", "group": "cause", "title": "G", "rung": [rung]}])


def test_a_contraindication_must_be_a_criterion() -> None:
    with pytest.raises(RuleFileError, match="no criterion 'ghost'"):
        read(ruleset=[{"id": "r", "title": "R", "question": "augmentation", "absolute": ["ghost"], "answer": [LAST]}])


def test_an_unknown_rule_set_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        rulebook().ruleset("ghost")

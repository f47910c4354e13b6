"""A rule file is read as it is written: every field of every table lands where a reader of the rules looks for it."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from endplate.decision.logic.score import StepItem, TallyItem
from endplate.decision.logic.threshold import Citation, RuleFileError, Threshold
from endplate.decision.prevention.plan import prevention_books, prevention_rulesets
from endplate.decision.rules.rulebook import ALWAYS, Book, read_book, rulebook
from endplate.decision.rules.ruleset import Outcome

SHARED = """
id = "base"
title = "Base"
edition = "base 2019"
date = "2019"
reference = "Someone 2019"
[threshold.severe]
value = 7
unit = "{score}"
trust = "verified"
source = "Page 1"
[criterion.painful]
words = "Pain is severe"
when = "nrs >= severe"
trust = "secondary"
source = "Page 2"
"""
OWN = """
id = "own"
title = "Own guideline"
edition = "own 2024"
date = "May 2024"
reference = "Someone 2024"
[threshold.old]
value = 65
unit = "a"
trust = "knowledge"
source = "Table 1"
[threshold.enough]
value = 3
unit = "{score}"
trust = "design"
edition = "own 2025"
source = "Table 2"
[criterion.aged]
words = "Old"
when = "age_yr >= old"
trust = "weak"
source = "Table 3"
[criterion.carrying]
words = "Pregnant"
when = "pregnancy"
trust = "verified"
source = "Table 4"
[score.sum]
words = "Sum"
unknown = "zero"
trust = "verified"
source = "Table 5"
[[score.sum.item]]
name = "pain"
words = "Pain"
trust = "secondary"
source = "Table 6"
steps = [{ points = 2, when = "painful" }, { points = 1, when = "aged" }]
otherwise = -1
[[score.sum.item]]
name = "risks"
words = "Risks"
required = true
trust = "design"
source = "Table 7"
edition = "own 2023"
each = 3
least = -4
most = 5
of = ["smoker_or_ill", "carrying"]
[score.open]
words = "Open sum"
unknown = "range"
trust = "verified"
source = "Table 8"
item = [{ name = "one", words = "One", trust = "verified", source = "Table 9", steps = [], otherwise = 4 }]
[[ruleset]]
id = "own_rules"
title = "Own rules"
question = "augmentation"
edition = "own 2026"
scope = "aged"
outside = "not for the young"
absolute = ["carrying"]
relative = ["painful"]
scores = ["sum"]
approximation = "weights are ours"
answer = [
  { status = "yes", answer = "do it", when = "sum >= enough", trust = "verified", source = "Page 7" },
  { status = "no", answer = "not told", applies = false, trust = "secondary", source = "Page 8", edition = "own 2027" },
]
[[ruleset]]
id = "bare_rules"
title = "Bare"
question = "imaging"
answer = [{ status = "no", answer = "never", trust = "verified", source = "Page 9" }]
[[grading]]
id = "age_class"
group = "derived"
title = "Age"
rung = [
  { value = "old", when = "aged", words = "Past the limit", trust = "verified", source = "Page 10" },
  { value = "young", trust = "knowledge", source = "Page 11" },
]
[[flag]]
id = "carrying_now"
kind = "emergency"
words = "Carries a child"
action = "Stop"
when = "carrying"
trust = "verified"
source = "Page 12"
[[dispute]]
id = "pain_cut"
question = "How much pain?"
positions = "7 against 5"
members = ["own.aged", "own_rules"]
[[case]]
name = "old and well"
facts = { age_yr = 70 }
expect = { own_rules = "no" }
"""
SMOKER = '[criterion.smoker_or_ill]\nwords = "Ill"\nwhen = "dementia"\ntrust = "verified"\nsource = "Page 3"\n'


@pytest.fixture(scope="module")
def base() -> Book:
    return read_book(tomllib.loads(SHARED + SMOKER))


@pytest.fixture
def book(base: Book) -> Book:
    return read_book(tomllib.loads(OWN), base)


def cited(source: str, trust: Any, edition: str = "own 2024") -> Citation:
    return Citation(edition=edition, source=source, trust=trust)


def test_the_head_of_a_file_is_its_edition(book: Book) -> None:
    head = book.edition
    assert (head.id, head.title, head.edition, head.date) == ("own", "Own guideline", "own 2024", "May 2024")
    assert (head.reference, head.note) == ("Someone 2024", "")


def test_thresholds_keep_value_unit_and_citation(book: Book) -> None:
    assert book.thresholds == {
        "old": Threshold(name="own.old", value=65, unit="a", citation=cited("Table 1", "knowledge")),
        "enough": Threshold(
            name="own.enough", value=3, unit="{score}", citation=cited("Table 2", "design", edition="own 2025")
        ),
    }


def test_criteria_keep_their_words_and_ask_what_they_say(book: Book) -> None:
    aged = book.criteria["aged"]
    assert list(book.criteria) == ["aged", "carrying"]
    assert (aged.name, aged.words, aged.citation) == ("own.aged", "Old", cited("Table 3", "weak"))
    assert [aged.truth({"age_yr": age}) for age in (64.9, 65, None)] == [False, True, None]


def test_a_score_keeps_its_items_and_what_it_makes_of_the_unknown(book: Book) -> None:
    score, ranged = book.scores["sum"], book.scores["open"]
    assert list(book.scores) == ["sum", "open"]
    assert (score.name, score.words, score.citation) == ("sum", "Sum", cited("Table 5", "verified"))
    pain, risks = score.items
    assert isinstance(pain, StepItem) and isinstance(risks, TallyItem)
    assert (pain.name, pain.words, pain.citation, pain.unknown_is_zero) == (
        "pain",
        "Pain",
        cited("Table 6", "secondary"),
        True,
    )
    assert [rung.value for rung in pain.ladder.rungs] == [2, 1, -1]
    assert all(isinstance(rung.value, float) for rung in pain.ladder.rungs)
    assert [pain.bounds({"nrs": nrs, "age_yr": age})[0] for nrs, age in ((7, 1), (6, 65), (6, 1))] == [2, 1, -1]
    assert (risks.name, risks.words) == ("risks", "Risks")
    assert risks.citation == cited("Table 7", "design", edition="own 2023")
    assert (risks.each, risks.least, risks.most, risks.unknown_is_zero) == (3, -4, 5, False)
    assert risks.bounds({"dementia": True, "pregnancy": False}) == (3, 3)
    assert risks.bounds({"dementia": True}) == (3, 5)
    assert ranged.items[0].unknown_is_zero is False
    assert ranged.bounds({}) == (4, 4)


def test_the_points_of_items_are_listed_one_by_one_with_the_item_as_source(book: Book) -> None:
    pain, risks = cited("Table 6", "secondary"), cited("Table 7", "design", edition="own 2023")
    assert [(one.name, one.value, one.unit, one.citation) for one in book.points] == [
        *(("own.sum.pain.points", value, "{score}", pain) for value in (2, 1, -1)),
        *(("own.sum.risks.points", value, "{score}", risks) for value in (3, -4, 5)),
        ("own.open.one.points", 4, "{score}", cited("Table 9", "verified")),
    ]


def test_a_rule_set_keeps_all_that_its_table_says(base: Book, book: Book) -> None:
    rules = book.rulesets[0]
    assert (rules.id, rules.title, rules.question) == ("own_rules", "Own rules", "augmentation")
    assert (rules.edition.edition, rules.edition.date, rules.edition.reference) == (
        "own 2026",
        "May 2024",
        "Someone 2024",
    )
    assert (rules.outside, rules.approximation) == ("not for the young", "weights are ours")
    assert [rules.scope.truth({"age_yr": age}) for age in (64, 65)] == [False, True]
    assert (rules.absolute, rules.relative) == ((book.criteria["carrying"],), (base.criteria["painful"],))
    assert rules.scores == (book.scores["sum"],)
    first, last = rules.answers.rungs
    assert (first.value, last.value) == (Outcome("yes", "do it", True), Outcome("no", "not told", False))
    assert (first.when.name, first.when.words) == ("own_rules.do it", "do it")
    assert first.when.citation == cited("Page 7", "verified", edition="own 2026")
    assert last.when.citation == cited("Page 8", "secondary", edition="own 2027")
    known = {"age_yr": 70, "pregnancy": False, "dementia": True}
    assert [rules.outcome(known | {"nrs": nrs}).status for nrs in (6, 7)] == ["yes", "conditional"]
    assert rules.outcome(known | {"nrs": 6, "dementia": False}) == Outcome("no", "not told", False)


def test_a_rule_set_that_says_no_more_than_it_must_covers_all_and_bars_none(book: Book) -> None:
    rules = book.rulesets[1]
    assert rules.scope is ALWAYS
    assert (rules.absolute, rules.relative, rules.scores) == ((), (), ())
    assert (rules.outside, rules.approximation) == ("not covered", "")
    assert rules.edition == book.edition
    assert rules.outcome({}) == Outcome("no", "never", True)


def test_a_grading_keeps_group_and_values_and_says_its_rungs_in_words(book: Book) -> None:
    (grading,) = book.gradings
    assert (grading.id, grading.group, grading.title) == ("age_class", "derived", "Age")
    first, last = grading.ladder.rungs
    assert [(rung.value, rung.when.name, rung.when.words) for rung in (first, last)] == [
        ("old", "age_class.old", "Past the limit"),
        ("young", "age_class.young", "Age: young"),
    ]
    assert (first.when.citation, last.when.citation) == (cited("Page 10", "verified"), cited("Page 11", "knowledge"))
    assert [grading.ladder.settled({"age_yr": age}) for age in (65, 64)] == ["old", "young"]


def test_flags_disputes_and_cases_are_kept_whole(book: Book) -> None:
    (flag,), (dispute,), (case,) = book.flags, book.disputes, book.cases
    assert (flag.id, flag.kind, flag.action) == ("carrying_now", "emergency", "Stop")
    assert (flag.when.name, flag.when.words, flag.when.citation) == (
        "own.carrying_now",
        "Carries a child",
        cited("Page 12", "verified"),
    )
    assert flag.when.truth({"pregnancy": True}) is True
    assert (dispute.id, dispute.question, dispute.positions) == ("pain_cut", "How much pain?", "7 against 5")
    assert dispute.members == ("own.aged", "own_rules")
    assert (case.name, case.facts, case.expect) == ("old and well", {"age_yr": 70}, {"own_rules": "no"})
    assert case.edition == book.edition


def test_a_file_may_hold_nothing_but_its_head() -> None:
    book = read_book({"id": "x", "title": "X", "edition": "1", "date": "2", "reference": "3"})
    assert (book.thresholds, book.criteria, book.scores, book.points) == ({}, {}, {}, ())
    assert (book.rulesets, book.gradings, book.flags, book.disputes, book.cases) == ((), (), (), (), ())


def test_the_names_of_the_file_come_before_those_of_the_shared_one(base: Book) -> None:
    head = {key: value for key, value in tomllib.loads(OWN).items() if isinstance(value, str)}
    cite = {"trust": "verified", "source": "Page 1"}
    own = read_book(
        {
            **head,
            "threshold": {"severe": {"value": 9, "unit": "{score}", **cite}},
            "criterion": {"hurts": {"words": "w", "when": "nrs >= severe", **cite}},
        },
        base,
    )
    assert own.criteria["hurts"].truth({"nrs": 8}) is False
    assert "painful" not in own.criteria
    with pytest.raises(RuleFileError, match="painful"):
        read_book({**head, "criterion": {"hurts": {"words": "w", "when": "painful", **cite}}})


@pytest.mark.parametrize("gone", ["id", "title", "edition", "date", "reference"])
def test_a_head_that_lacks_anything_is_refused_by_the_name_of_the_file(gone: str) -> None:
    head = {"id": "x", "title": "X", "edition": "1", "date": "2", "reference": "3"}
    named = "" if gone == "id" else "x"
    with pytest.raises(RuleFileError) as caught:
        read_book({key: value for key, value in head.items() if key != gone})
    assert " ".join(f"rule file {named} lacks {gone}".split()) in str(caught.value)


@pytest.mark.parametrize(
    ("where", "old", "new"),
    [
        ("own.sum.pain", 'source = "Table 6"', ""),
        ("own.sum", 'source = "Table 5"', ""),
        ("own.aged", 'source = "Table 3"', ""),
        ("own.old", 'source = "Table 1"', ""),
        ("own_rules.do it", ', source = "Page 7"', ""),
        ("age_class.old", ', source = "Page 10"', ""),
        ("own.carrying_now", 'source = "Page 12"', ""),
    ],
)
def test_what_is_not_cited_is_refused_by_its_full_name(base: Book, where: str, old: str, new: str) -> None:
    assert OWN.count(old) == 1
    with pytest.raises(RuleFileError, match=rf"^{where} lacks source, edition or trust mark"):
        read_book(tomllib.loads(OWN.replace(old, new)), base)


def shipped(folder: str) -> list[dict[str, Any]]:
    entries = sorted(files("endplate.decision").joinpath(*folder.split("/")).iterdir(), key=lambda entry: entry.name)
    return [tomllib.loads(entry.read_text(encoding="utf-8")) for entry in entries if entry.name.endswith(".toml")]


def test_every_shipped_file_is_read_the_shared_definitions_first() -> None:
    fresh = rulebook.__wrapped__()
    knowledge = [table["id"] for table in shipped("rules/knowledge")]
    knowledge.remove("definitions")
    wanted = ["definitions", *knowledge, *(table["id"] for table in shipped("rules/guidelines"))]
    assert [book.edition.id for book in fresh.books] == wanted
    assert [rules.id for rules in fresh.rulesets] == [rules.id for rules in rulebook().rulesets]
    assert len(fresh.criteria) == sum(len(book.criteria) for book in fresh.books)
    assert fresh.criteria["definitions.malignant_fracture"] is fresh.books[0].criteria["malignant_fracture"]


def test_the_files_of_prevention_are_read_by_name() -> None:
    assert [book.edition.id for book in prevention_books.__wrapped__()] == [
        table["id"] for table in shipped("prevention/rules")
    ]
    assert [rules.id for rules in prevention_rulesets.__wrapped__()] == [
        entry["id"] for table in shipped("prevention/rules") for entry in table.get("ruleset", ())
    ]


@pytest.mark.parametrize(
    ("folder", "books"), [("rules/knowledge", 0), ("rules/guidelines", 0), ("prevention/rules", 1)]
)
def test_every_table_of_the_shipped_files_is_read(folder: str, books: int) -> None:
    read = {book.edition.id: book for book in (prevention_books() if books else rulebook().books)}
    for table in shipped(folder):
        book = read[table["id"]]
        kept = {"ruleset": book.rulesets, "grading": book.gradings, "flag": book.flags, "dispute": book.disputes}
        for kind, found in kept.items():
            assert [one.id for one in found] == [entry["id"] for entry in table.get(kind, ())]
        assert [case.name for case in book.cases] == [entry["name"] for entry in table.get("case", ())]
        assert list(book.scores) == list(table.get("score", {}))

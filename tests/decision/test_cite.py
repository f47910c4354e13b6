"""Rules cite the bibliography by key: inherited from file, rule set, score or grading, and shown in full."""

from __future__ import annotations

from typing import Any

import pytest

from endplate.decision.explanation.explain import explain, printed
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.threshold import Citation, RuleFileError, read_citation
from endplate.decision.rules.rulebook import read_book

HEAD = {"id": "x", "title": "X", "edition": "2020", "date": "2020", "reference": "Someone 2020"}
CITED = {"source": "Page 1", "trust": "verified"}
NICE = "nice_ta279"


def read(**more: Any) -> Any:
    return read_book({**HEAD, **more})


@pytest.mark.parametrize(("given", "keys"), [(NICE, (NICE,)), ([NICE], (NICE,)), ([], ())])
def test_an_entry_cites_one_key_several_or_none(given: Any, keys: tuple[str, ...]) -> None:
    assert read_citation("x.a", {**CITED, "cite": given}, "2020", ("unused",)).cite == keys


def test_an_entry_without_keys_takes_those_of_what_holds_it() -> None:
    item = {"name": "one", "words": "One", "steps": [], "otherwise": 1, **CITED}
    answer = {"status": "no", "answer": "no", **CITED}
    rules = {"id": "r", "title": "R", "question": "augmentation", "answer": [answer]}
    rung = {"value": "a", **CITED}
    book = read(
        cite=NICE,
        threshold={"a": {"value": 1, "unit": "d", **CITED}, "b": {"value": 1, "unit": "d", "cite": [], **CITED}},
        criterion={"c": {"words": "C", "when": "pregnancy", **CITED}},
        score={"s": {"words": "S", "unknown": "open", "cite": [], "item": [item], **CITED}},
        ruleset=[rules, {**rules, "id": "q", "cite": []}],
        grading=[{"id": "g", "group": "cause", "title": "G", "rung": [rung]}],
        flag=[{"id": "f", "kind": "note", "action": "A", "words": "F", "when": "pregnancy", **CITED}],
    )
    assert book.edition.cite == (NICE,)
    assert [book.thresholds[name].citation.cite for name in "ab"] == [(NICE,), ()]
    assert book.criteria["c"].citation.cite == book.flags[0].when.citation.cite == (NICE,)
    assert book.scores["s"].citation.cite == book.scores["s"].items[0].citation.cite == ()
    assert [rules.answers.rungs[0].when.citation.cite for rules in book.rulesets] == [(NICE,), ()]
    assert book.gradings[0].ladder.rungs[0].when.citation.cite == (NICE,)


def test_the_publication_stands_in_for_a_reference_in_words() -> None:
    head = {key: value for key, value in HEAD.items() if key != "reference"}
    book = read_book({**head, "cite": NICE})
    assert book.edition.reference.startswith("nice_ta279: National Institute for Health and Care Excellence")
    with pytest.raises(RuleFileError, match="lacks reference"):
        read_book(head)


@pytest.mark.parametrize("where", ["threshold", "head"])
def test_a_key_that_is_not_in_the_bibliography_is_refused(where: str) -> None:
    limit = {"value": 1, "unit": "d", **CITED}
    with pytest.raises(RuleFileError, match="no entry 'ghost'"):
        read(**({"cite": "ghost"} if where == "head" else {"threshold": {"a": {**limit, "cite": "ghost"}}}))


@pytest.mark.parametrize("mark", ["V", "V2", "K?", "sure", "", None])
def test_a_mark_that_is_no_word_of_ours_is_refused(mark: str | None) -> None:
    with pytest.raises(RuleFileError, match=r"x\.a lacks source, edition or trust mark"):
        read_citation("x.a", {"source": "P", "trust": mark}, "2020")


def test_a_citation_names_its_keys_and_gives_them_in_full() -> None:
    citation = Citation(edition="2013", source="section 1.1", trust="verified", cite=(NICE,))
    assert str(citation) == "section 1.1; 2013 [verified: nice_ta279]"
    assert len(citation.references) == 1
    assert citation.references[0].endswith("2013. https://www.nice.org.uk/guidance/ta279")


def test_an_explanation_ends_with_the_publications_it_names() -> None:
    answer = {"status": "no", "answer": "never", **CITED}
    rules = {"id": "r", "title": "R", "question": "augmentation", "cite": NICE, "answer": [answer]}
    text = printed(explain(read(ruleset=[rules]).rulesets[0], LevelFacts(values={})))
    lines = text.splitlines()
    assert any(line.endswith("[verified: nice_ta279]") for line in lines)
    assert lines[-2] == "[verified] read in the primary source"
    assert lines[-1].startswith("nice_ta279: ") and lines[-1].endswith("https://www.nice.org.uk/guidance/ta279")

"""A long explanation is cut to what decides and to what must be asked for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.vignette import facts_of, vignettes

from endplate.decision.explanation.ask_next import ask_next
from endplate.decision.explanation.condense import FIRST, condensed, condensed_rules
from endplate.decision.explanation.explain import Branch, explain, printed
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.rules.rulebook import rulebook

BARE = {"age_yr": 82, "sex": "female", "level": "L1"}


def told(ruleset: str, facts: dict[str, Any]) -> str:
    return printed(condensed_rules(rulebook().ruleset(ruleset), LevelFacts(values=facts)))


@pytest.mark.parametrize("ruleset", rulebook().rulesets, ids=lambda rules: rules.id)
def test_a_sparse_record_gets_a_page_not_a_book(ruleset: Any) -> None:
    whole = printed(explain(ruleset.id, LevelFacts(values=BARE)))
    short = told(ruleset.id, BARE)
    assert len(short.splitlines()) <= min(45, len(whole.splitlines()))
    assert short.splitlines()[0].partition("(")[0] == whole.splitlines()[0].partition("(")[0]
    assert len(short.splitlines()[0]) < 300


def test_what_is_open_names_five_answers_to_ask_for_and_counts_the_rest() -> None:
    text = told("lcd_osteoporotic", BARE)
    assert "[?] Infection of the spine, at the site, or systemic; ask for: Osteomyelitis or discitis;" in text
    line = next(line for line in text.splitlines() if line.lstrip().startswith("[?] covered; ask for:"))
    assert line.count(";") == FIRST + 1 and line.endswith("more")


def test_a_verdict_by_scope_shows_the_scope_alone() -> None:
    text = told("lcd_osteoporotic", {**BARE, "nrs": 0})
    assert "[no] Pain under analgesia, NRS 0-10: 0" in text
    assert "contraindications" not in text and "Answers" not in text and "do not hold" not in text


def test_a_verdict_by_a_contraindication_shows_that_alone_and_counts_those_that_do_not_hold() -> None:
    text = told("lcd_osteoporotic", facts_of(vignettes()[0], infection_spine=True, pregnancy=False))
    assert "[yes] Osteomyelitis or discitis: yes" in text and "[no] Infection at the surgical site" not in text
    assert "  2 do not hold" in text.splitlines()[-8:] or "2 do not hold" in text
    assert "Answers" not in text and "Relative" not in text


def test_a_list_beyond_five_is_counted() -> None:
    parts = tuple(Branch(text=f"part {number}", truth=True) for number in range(FIRST + 2))
    cut = condensed(Branch(text="all of", truth=True, branches=parts))
    assert [part.text for part in cut.branches] == [*(f"part {n}" for n in range(FIRST)), "and 2 more"]


def test_answers_keep_their_order_and_their_noes() -> None:
    text = told("nice_ta279", facts_of(vignettes()[2]))
    assert text.index("[no] an option") < text.index("[yes] not recommended")


def test_the_answers_of_one_rule_set_are_asked_by_themselves() -> None:
    facts = facts_of(vignettes()[17])
    ofs = [rules for rules in rulebook().rulesets if rules.id == "lcd_osteoporotic"]
    found = ask_next((LevelFacts(values=facts),), rulesets=ofs)
    assert found and {one.rulesets for one in found} == {("lcd_osteoporotic",)} and found[0].open_verdicts == 1

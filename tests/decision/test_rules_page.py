"""docs/rules.md is what the rule files say now; weak marks are ranked by the verdicts that hang on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from endplate.cli.app import main
from endplate.decision.explanation.hangs_on import WEAK, ranked_weak_rules, rulesets_by_rule
from endplate.decision.explanation.rule_listing import every_book
from endplate.decision.explanation.rules_page import COMMAND, rules_page
from endplate.decision.rules.rulebook import rulebook

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == rules_page(), f"make it again: {COMMAND} > docs/rules.md"


def test_every_rule_set_stands_there_with_scope_question_marks_and_what_it_leaves_out() -> None:
    page = rules_page()
    for rules in (rules for book in every_book() for rules in book.rulesets):
        part = page.partition(f"- **Id** `{rules.id}`;")[2].partition("### ")[0]
        assert f"**question** {rules.question}" in part and "**Scope**" in part and "**Leaves out**" in part
        for clause in rules.answers.rungs:
            assert f"**{clause.value.status}**: {clause.value.answer}" in part
    assert "`medicare_lcd.rmdq_above` 17 [secondary]" in page


def test_weak_marks_are_ranked_by_how_many_rule_sets_hang_on_them() -> None:
    ranked = ranked_weak_rules()
    counts = [count for _, count in ranked]
    assert counts == sorted(counts, reverse=True) and counts[-1] > 0
    assert {rule.citation.trust for rule, _ in ranked} <= set(WEAK)
    assert not [rule.name for rule, _ in ranked if rule.name.endswith(".ask")]


def test_a_number_counts_the_rule_sets_that_it_can_enter_and_no_other() -> None:
    hangs = rulesets_by_rule()
    assert hangs["medicare_lcd.rmdq_above"] == {"lcd_osteoporotic"}
    assert {"nice_ta279", "aaos_2010_kyphoplasty"} <= hangs["definitions.grown_man"], (
        "through the cause of the fracture"
    )
    assert hangs["definitions.sins.lesion.points"] >= {"sins_2010", "lcd_malignant"}
    assert "tlics" not in hangs["nice.severe_pain_least"]
    known = {rules.id for rules in rulebook().rulesets}
    assert any(ids >= known - {"suspicion_2018"} for ids in hangs.values())


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--markdown"]) == 0
    assert capsys.readouterr().out == rules_page()
    assert main(["rules", "--markdown", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["markdown"] == rules_page()

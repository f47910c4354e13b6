"""Which rule sets are asked: packaged ones by id, own ones by file; what cannot be used is said with the way out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from endplate.decision.logic.kleene import All
from endplate.decision.rules.choose import choose_rulesets
from endplate.decision.rules.rulebook import read_book, rulebook
from endplate.errors import OptionError

OWN = """
id = "own"
title = "Own guideline"
edition = "own 2024"
date = "2024"
reference = "Someone 2024"
[criterion.young]
words = "Young"
when = "not (age_yr >= grown_man)"
trust = "design"
source = "Own choice"
otherwise = "not applicable: old"
[[ruleset]]
id = "own_rules"
title = "Own rules"
question = "augmentation"
scope = ["young", "not_malignant"]
[[ruleset.answer]]
status = "no"
answer = "leave it"
trust = "design"
source = "Own choice"
"""


def test_none_stands_for_all_and_names_for_those() -> None:
    assert choose_rulesets(None) == rulebook().rulesets
    assert [rules.id for rules in choose_rulesets(["sins_2010", "nice_ta279"])] == ["sins_2010", "nice_ta279"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("nice_ta279", ("guidelines='nice_ta279'", "several may be asked", "give a list, such as ['nice_ta279']")),
        (["nice"], ("guideline 'nice'", "no rule set has that id", "choose acr_2018,")),
        (["sins_2010", "sins_2010"],
         ("two rule sets 'sins_2010'", "their verdicts could not be told apart", "leave one out")),
        (["none.toml"], ("cannot read the rule file none.toml", "No such file or directory", "check the path")),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_with_the_way_out(asked: list[str], words: tuple[str, ...]) -> None:
    with pytest.raises(OptionError) as raised:
        choose_rulesets(asked)
    assert all(part in str(raised.value) for part in words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (OWN.replace('date = "2024"', ""), "rule file own lacks date"),
        (OWN.replace('"not_malignant"', '"not_there"'), "own: no criterion 'not_there'"),
        (OWN.partition("[[ruleset]]")[0], "holds no rule set; add a [[ruleset]]"),
        ("id = ", "cannot be used"),
    ],
)
def test_a_file_that_is_no_rule_file_says_why(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(OptionError, match="rule file") as raised:
        choose_rulesets([tmp_path / "own.toml"])
    assert words in str(raised.value)


def test_a_scope_that_is_a_list_holds_where_every_criterion_does(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    (rules,) = choose_rulesets([tmp_path / "own.toml"])
    assert isinstance(rules.scope, All)
    assert [getattr(part, "words", "") for part in rules.scope.children] == ["Young", "No tumour in this vertebra"]
    assert rules.outcome({"age_yr": 30, "biopsy_malignant": False, "malignancy": False}).applies
    assert rules.outcome({"age_yr": 60}) == ("no", "not applicable: old", False)
    assert rules.outcome({"age_yr": 30, "biopsy_malignant": True}).answer == "not applicable: malignant fracture"


def test_a_book_keeps_the_shared_criteria_for_its_lists() -> None:
    (rules,) = read_book(tomllib.loads(OWN), rulebook().books[0]).rulesets
    assert rules.scope.children[1] is rulebook().books[0].criteria["not_malignant"]

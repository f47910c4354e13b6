"""The language of the rule files: what it reads, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from endplate.decision.logic.decision_list import Clause, DecisionList
from endplate.decision.logic.expression import Names, parse
from endplate.decision.logic.field import Field
from endplate.decision.logic.kleene import All, AnyOf, AtLeast, Compare, Criterion, Holds, Node, Not, OneOf
from endplate.decision.logic.score import Score, ScoreCompare, StepItem
from endplate.decision.logic.threshold import Citation, RuleFileError, Threshold

CITATION = Citation(edition="2020", source="Page 1", trust="verified")
LIMIT = Threshold(name="cut", value=5, unit="1", citation=CITATION)
LEVELS = ("T12", "T13", "L1", "L2", "L3", "L4")


def field(name: str, kind: Any, **more: Any) -> Field:
    return Field(name=name, kind=kind, scope="case", title=name, **more)


FIELDS = {
    "a": field("a", "bool"),
    "b": field("b", "bool"),
    "n": field("n", "number", high=10),
    "w": field("w", "integer", high=10),
    "k": field("k", "choice", choices=("x", "y", "z")),
    "level": field("level", "choice", choices=LEVELS),
}
CRITERION = Criterion("x.named", "Named", CITATION, Holds("a"))
ITEM = StepItem(
    name="i", words="I", citation=CITATION, ladder=DecisionList((Clause(3.0, Holds("a")), Clause(0.0, All(()))))
)
SCORE = Score(name="sum", words="Sum", citation=CITATION, items=(ITEM,))
NAMES = Names(FIELDS, {"cut": LIMIT}, {"named": CRITERION}, {"sum": SCORE})


def read(text: str) -> Node:
    return parse(text, NAMES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", "a"),
        ("not a", "not (a)"),
        ("a and b", "a and b"),
        ("a or b and not a", "a or (b and not (a))"),
        ("(a or b) and a", "(a or b) and a"),
        ("n < cut", "n < 5"),
        ("n <= cut", "n <= 5"),
        ("n > cut", "n > 5"),
        ("n>=cut", "n >= 5"),
        ("w >= cut", "w >= 5"),
        ("k is x", "k is x"),
        ("k is not x", "not (k is x)"),
        ("k in (x, y)", "k is x or y"),
        ("level in T12..L2", "level is T12 to L2"),
        ("level in L1..L1", "level is L1"),
        ("named", "Named"),
        ("at least cut of (a, b, k is z)", "at least 5 of (a, b, k is z)"),
        ("sum >= cut", "sum >= 5"),
    ],
)
def test_a_sentence_is_read_as_it_stands(text: str, words: str) -> None:
    assert str(read(text)) == words


def test_the_kinds_of_nodes() -> None:
    kinds = {
        "a": Holds,
        "not a": Not,
        "a and b": All,
        "a or b": AnyOf,
        "n < cut": Compare,
        "k is x": OneOf,
        "at least cut of (a, b)": AtLeast,
        "named": Criterion,
        "sum > cut": ScoreCompare,
    }
    assert {text: type(read(text)) for text in kinds} == kinds


def test_a_range_of_levels_holds_all_between_its_ends() -> None:
    node = read("level in T12..L2")
    assert [node.truth({"level": level}) for level in LEVELS] == [True, True, True, True, False, False]


def test_negation_binds_to_the_next_word_only() -> None:
    assert read("not a and b").truth({"a": False, "b": True}) is True
    assert read("not a and b").truth({"a": False, "b": False}) is False
    assert read("not not a").truth({"a": True}) is True


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("n > 5", "numbers must be named thresholds"),
        ("n > 5.5 and a", "cannot read"),
        ("ghost", "'ghost' is not known"),
        ("ghost > cut", "'ghost' is not known"),
        ("n > ghost", "'ghost' is not a threshold"),
        ("n", "n is not a yes-or-no answer"),
        ("a > cut", "a is not a number"),
        ("k > cut", "k is not a number"),
        ("k is ghost", "k is never ghost"),
        ("k in (x, ghost)", "k is never ghost"),
        ("k in (spook, ghost)", "k is never ghost, spook|k is never spook, ghost"),
        ("a and", "it ends too early"),
        ("(a", "'\\)' expected"),
        ("a b", "unexpected 'b'"),
        ("at least cut (a)", "'of' expected"),
        ("at least cut of a", "'\\(' expected"),
        ("at least cut of (a", "'\\)' expected"),
        ("k in x", "'\\(' expected before 'x'"),
        ("__import__", "is not known"),
        ("a; b", "cannot read"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, fault: str) -> None:
    with pytest.raises(RuleFileError, match=fault):
        read(text)

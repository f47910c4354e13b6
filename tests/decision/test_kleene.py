"""Three-valued logic: the tables, and that learning a fact never turns a known answer into another."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endplate.decision.logic.kleene import (
    All,
    AnyOf,
    AtLeast,
    Compare,
    Criterion,
    Holds,
    Node,
    Not,
    OneOf,
    Truth,
    decisive,
    fields,
    open_fields,
    walk,
)
from endplate.decision.logic.threshold import Citation, Threshold

CITATION = Citation(edition="2020", source="Page 1", trust="verified")
NAMES = ("a", "b", "c", "d")
A, B, C = Holds("a"), Holds("b"), Holds("c")


def limit(value: float) -> Threshold:
    return Threshold(name="limit", value=value, unit="1", citation=CITATION)


def criterion(node: Node) -> Criterion:
    return Criterion("x.one", "One", CITATION, node)


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (True, True, True, True),
        (True, False, False, True),
        (True, None, None, True),
        (False, True, False, True),
        (False, False, False, False),
        (False, None, False, None),
        (None, True, None, True),
        (None, False, False, None),
        (None, None, None, None),
    ],
)
def test_the_tables_of_and_and_or(a: Truth, b: Truth, both: Truth, either: Truth) -> None:
    facts = {"a": a, "b": b}
    assert All((A, B)).truth(facts) is both
    assert AnyOf((A, B)).truth(facts) is either


def test_not_leaves_the_unknown_unknown() -> None:
    assert [Not(A).truth({"a": a}) for a in (True, False, None)] == [False, True, None]
    assert Not(A).truth({}) is None


def test_nothing_at_all_holds_and_no_choice_fails() -> None:
    assert All(()).truth({}) is True
    assert AnyOf(()).truth({}) is False


@pytest.mark.parametrize(
    ("sign", "below", "at", "above"),
    [("<", True, False, False), ("<=", True, True, False), (">", False, False, True), (">=", False, True, True)],
)
def test_comparisons_include_or_exclude_their_end(sign: str, below: bool, at: bool, above: bool) -> None:
    node = Compare("a", sign, limit(25))
    got = [node.truth({"a": value}) for value in (24.999, 25, 25.001, None)]
    assert got == [below, at, above, None]


def test_a_choice_is_among_some() -> None:
    node = OneOf("a", frozenset({"x", "y"}), "a is x or y")
    assert [node.truth({"a": value}) for value in ("x", "z", None)] == [True, False, None]


@pytest.mark.parametrize(
    ("known", "answer"),
    [
        ((True, True, None), True),
        ((True, None, None), None),
        ((True, False, None), None),
        ((True, False, False), False),
        ((None, None, False), None),
        ((None, False, False), False),
        ((True, True, True), True),
    ],
)
def test_at_least_two_of_three(known: tuple[Truth, ...], answer: Truth) -> None:
    node = AtLeast(limit(2), (A, B, C))
    assert node.truth(dict(zip("abc", known, strict=True))) is answer


def test_a_criterion_answers_as_what_it_asks() -> None:
    assert [criterion(A).truth({"a": a}) for a in (True, False, None)] == [True, False, None]
    assert criterion(A).children == (A,)


def test_nodes_read_as_sentences() -> None:
    node = All((AnyOf((A, B)), Not(C), Compare("d", ">", limit(17)), AtLeast(limit(2), (A, B))))
    assert str(node) == "(a or b) and not (c) and d > 17 and at least 2 of (a, b)"
    assert str(All(())) == "always"
    assert str(AnyOf(())) == "never"
    assert str(criterion(A)) == "One"
    assert str(AnyOf((A, All((B, C))))) == "a or (b and c)"
    assert str(AnyOf((All((B,)),))) == "b"
    assert str(OneOf("a", frozenset({"x"}), "a is x")) == "a is x"


def test_fields_and_walk_see_every_part() -> None:
    node = criterion(All((A, Not(AnyOf((B, AtLeast(limit(1), (C,))))))))
    assert fields(node) == {"a", "b", "c"}
    assert len(list(walk(node))) == 8


def test_only_what_is_open_and_still_matters_is_asked() -> None:
    node = All((AnyOf((A, B)), AnyOf((A, C))))
    assert open_fields((node,), {}) == {"a", "b", "c"}
    assert open_fields((node,), {"b": True}) == {"a", "c"}
    assert open_fields((node,), {"a": True}) == frozenset()
    assert open_fields((node, Not(B)), {"a": True}) == {"b"}


def test_the_parts_that_share_an_answer_decided_it() -> None:
    both, either, opposite = All((A, B, C)), AnyOf((A, B, C)), Not(A)
    facts = {"a": True, "b": False}
    assert decisive(both, facts) == (B,)
    assert decisive(either, facts) == (A,)
    assert decisive(All((A, C)), facts) == (C,)
    assert decisive(opposite, facts) == (A,)
    assert decisive(criterion(B), facts) == (B,)
    assert decisive(AtLeast(limit(1), (A, B, C)), facts) == (A,)


def trees() -> st.SearchStrategy[Node]:
    atoms = st.sampled_from(NAMES).map(Holds)

    def joined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return st.one_of(
            inner.map(Not),
            inner.map(criterion),
            parts.map(All),
            parts.map(AnyOf),
            st.tuples(st.integers(1, 3), parts).map(lambda pair: AtLeast(limit(pair[0]), pair[1])),
        )

    return st.recursive(atoms, joined, max_leaves=8)


FACTS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from((True, False, None)))


def completions(facts: dict[str, Any]) -> list[dict[str, Any]]:
    missing = [name for name in NAMES if facts.get(name) is None]
    return [facts | dict(zip(missing, values, strict=True)) for values in product((True, False), repeat=len(missing))]


@given(node=trees(), facts=FACTS)
@settings(max_examples=150, deadline=None)
def test_a_known_answer_holds_in_every_completion(node: Node, facts: dict[str, Any]) -> None:
    answer = node.truth(facts)
    answers = {node.truth(full) for full in completions(facts)}
    assert None not in answers
    if answer is not None:
        assert answers == {answer}


@given(node=trees(), facts=FACTS)
@settings(max_examples=100, deadline=None)
def test_what_is_open_lies_among_what_is_missing_and_settles_the_answer(node: Node, facts: dict[str, Any]) -> None:
    asked = open_fields((node,), facts)
    assert asked <= {name for name in NAMES if facts.get(name) is None}
    assert bool(asked) == (node.truth(facts) is None)
    assert node.truth(facts | dict.fromkeys(asked, True)) is not None

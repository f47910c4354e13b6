"""Ladders and scores: the first that holds, ranges over what is unknown, and items that count 0."""

from __future__ import annotations

import pytest

from endplate.decision.logic.decision_list import Clause, DecisionList
from endplate.decision.logic.kleene import All, Compare, Holds, Truth
from endplate.decision.logic.score import Item, Score, ScoreCompare, StepItem, TallyItem
from endplate.decision.logic.threshold import Citation, Threshold

CITATION = Citation(edition="2020", source="Page 1", trust="verified")
A, B, C = Holds("a"), Holds("b"), Holds("c")
LADDER = DecisionList((Clause("first", A), Clause("second", B), Clause("last", All(()))))


def limit(value: float) -> Threshold:
    return Threshold(name="limit", value=value, unit="1", citation=CITATION)


def step(*, zero: bool = False) -> StepItem:
    ladder = DecisionList((Clause(2.0, A), Clause(1.0, B), Clause(-1.0, All(()))))
    return StepItem(name="step", words="Step", citation=CITATION, ladder=ladder, unknown_is_zero=zero)


def tally(*, zero: bool = False, least: float = -2, most: float = 0, each: float = -1) -> TallyItem:
    return TallyItem(
        name="tally", words="Tally", citation=CITATION, each=each, least=least, most=most, nodes=(A, B, C),
        unknown_is_zero=zero,
    )  # fmt: skip


def score(*items: Item) -> Score:
    return Score(name="sum", words="Sum", citation=CITATION, items=items)


@pytest.mark.parametrize(
    ("a", "b", "left"),
    [
        (True, None, ("first",)),
        (False, True, ("second",)),
        (False, False, ("last",)),
        (None, True, ("first", "second")),
        (None, None, ("first", "second", "last")),
        (False, None, ("second", "last")),
    ],
)
def test_a_ladder_keeps_what_the_unknown_leaves_open(a: Truth, b: Truth, left: tuple[str, ...]) -> None:
    facts = {"a": a, "b": b}
    assert LADDER.reachable(facts) == left
    assert LADDER.settled(facts) == (left[0] if len(left) == 1 else None)


def test_a_ladder_that_leads_to_one_answer_by_two_ways_is_settled() -> None:
    ladder = DecisionList((Clause("same", A), Clause("same", All(()))))
    assert ladder.settled({}) == "same"


def test_a_ladder_asks_no_further_than_the_rung_that_holds() -> None:
    assert [rung.value for rung in LADDER.asked({"a": False, "b": True})] == ["first", "second"]
    assert LADDER.nodes == tuple(rung.when for rung in LADDER.rungs)


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [(True, None, 2, 2), (False, False, -1, -1), (None, False, -1, 2), (False, None, -1, 1), (None, True, 1, 2)],
)
def test_an_item_spans_what_is_open(a: Truth, b: Truth, low: float, high: float) -> None:
    assert step().bounds({"a": a, "b": b}) == (low, high)
    assert step().is_assumed({"a": a, "b": b}) is False


def test_an_item_counts_0_when_unknown_only_where_the_source_says_so() -> None:
    assert step(zero=True).bounds({}) == (0, 0)
    assert step(zero=True).is_assumed({}) is True
    assert step(zero=True).bounds({"a": True}) == (2, 2)
    assert step(zero=True).is_assumed({"a": True}) is False


@pytest.mark.parametrize(
    ("facts", "open_ends", "zero_ends"),
    [
        ({"a": True, "b": False, "c": False}, (-1, -1), (-1, -1)),
        ({"a": True, "b": True, "c": True}, (-2, -2), (-2, -2)),
        ({"a": True}, (-2, -1), (-1, -1)),
        ({}, (-2, 0), (0, 0)),
        ({"b": False, "c": False}, (-1, 0), (0, 0)),
    ],
)
def test_a_tally_stops_at_its_least(
    facts: dict[str, bool], open_ends: tuple[float, float], zero_ends: tuple[float, float]
) -> None:
    assert tally().bounds(facts) == open_ends
    assert tally(zero=True).bounds(facts) == zero_ends
    assert tally(zero=True).is_assumed(facts) is (len(facts) < 3)
    assert tally().is_assumed(facts) is False


def test_a_tally_gives_its_points_for_each() -> None:
    twice = tally(each=-2, least=-9)
    assert twice.bounds({"a": True, "b": False, "c": False}) == (-2, -2)
    assert twice.bounds({"a": True, "b": True}) == (-6, -4)


def test_points_span_what_is_open_and_name_their_source() -> None:
    (points,) = score(step()).points({"a": False})
    assert (points.low, points.high, points.words) == (-1, 1, "Step")
    assert points.citation is CITATION


def test_a_tally_stops_at_its_most() -> None:
    assert tally(each=1, least=0, most=2).bounds({"a": True, "b": True, "c": True}) == (2, 2)


def test_a_sum_adds_its_items_and_tells_them() -> None:
    total = score(step(), tally(zero=True))
    assert total.bounds({"a": True}) == (1, 1)
    assert total.bounds({}) == (-1, 2)
    points = {one.item: (one.low, one.high, one.assumed) for one in total.points({"a": True})}
    assert points == {"step": (2, 2, False), "tally": (-1, -1, True)}


@pytest.mark.parametrize(
    ("sign", "value", "answer"),
    [(">=", 2, None), (">", 2, False), (">=", -1, True), ("<=", 2, True), ("<", -1, False), ("<", 2, None)],
)
def test_a_sum_is_compared_as_far_as_its_range_allows(sign: str, value: float, answer: Truth) -> None:
    node = ScoreCompare(score(step()), sign, limit(value))
    assert node.truth({}) is answer
    assert node.children == step().nodes or [str(n) for n in node.children] == ["a", "b", "always"]


def test_a_settled_sum_is_known() -> None:
    node = ScoreCompare(score(step()), ">=", limit(2))
    assert node.truth({"a": True}) is True
    assert node.truth({"a": False, "b": True}) is False
    assert str(node) == "sum >= 2"


def test_a_comparison_with_a_number_is_a_step_too() -> None:
    node = Compare("n", ">=", limit(5))
    item = StepItem(
        name="n", words="N", citation=CITATION, ladder=DecisionList((Clause(1.0, node), Clause(0.0, All(())))),
    )  # fmt: skip
    assert [item.bounds({"n": n}) for n in (4.9, 5, None)] == [(0, 0), (1, 1), (0, 1)]

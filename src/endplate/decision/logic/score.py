"""Scores: points of items added up, as a range where an item is unknown and the source gives it no points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from endplate.decision.logic.decision_list import DecisionList
from endplate.decision.logic.kleene import OPERATORS, FactValues, Node, Remembered, Truth, fields
from endplate.decision.logic.threshold import Citation, Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """An item at some facts: from `low` to `high`; `assumed` where the source's rule for unknown items was used."""

    item: str
    words: str
    low: float
    high: float
    assumed: bool
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepItem:
    """An item whose points the first question that holds gives."""

    name: str
    words: str
    citation: Citation
    ladder: DecisionList[float]
    unknown_is_zero: bool = False

    def bounds(self, facts: FactValues) -> tuple[float, float]:
        """Least and most points; 0 where unknown and the source says so."""
        left = self.ladder.reachable(facts)
        if len(left) > 1 and self.unknown_is_zero:
            return 0, 0
        return min(left), max(left)

    def is_assumed(self, facts: FactValues) -> bool:
        """Whether the rule for unknown items was used."""
        return self.unknown_is_zero and len(self.ladder.reachable(facts)) > 1

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All questions."""
        return self.ladder.nodes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TallyItem:
    """An item with points for each part that holds, from `least` to `most` in all."""

    name: str
    words: str
    citation: Citation
    each: float
    least: float
    most: float
    nodes: tuple[Node, ...]
    unknown_is_zero: bool = False

    def bounds(self, facts: FactValues) -> tuple[float, float]:
        """Least and most points."""
        truths = [node.truth(facts) for node in self.nodes]
        known, still_open = truths.count(True), truths.count(None)
        ends = [known * self.each, (known + (0 if self.unknown_is_zero else still_open)) * self.each]
        held = sorted(min(max(end, self.least), self.most) for end in ends)
        return held[0], held[1]

    def is_assumed(self, facts: FactValues) -> bool:
        """Whether the rule for unknown items was used."""
        return self.unknown_is_zero and any(node.truth(facts) is None for node in self.nodes)


Item = StepItem | TallyItem


def bounds_of(item: Item, facts: FactValues) -> tuple[float, float]:
    """Least and most points of an item; the same answers are asked for again and again while changes are sought."""
    return _bounds_at(item, tuple(map(facts.get, _read_by(item))))


@cache
def _read_by(item: Item) -> tuple[str, ...]:
    return tuple(sorted({name for node in item.nodes for name in fields(node)}))


@lru_cache(maxsize=1 << 14)
def _bounds_at(item: Item, values: tuple[Any, ...]) -> tuple[float, float]:
    return item.bounds(dict(zip(_read_by(item), values, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Score:
    """A sum of items."""

    name: str
    words: str
    citation: Citation
    items: tuple[Item, ...]

    def bounds(self, facts: FactValues) -> tuple[float, float]:
        """Least and most points that the unknown items leave open; added up once for facts that remember."""
        if type(facts) is not Remembered:
            return self._added(facts)
        if self not in facts.sums:
            facts.sums[self] = self._added(facts)
        return facts.sums[self]

    def _added(self, facts: FactValues) -> tuple[float, float]:
        low = high = 0.0
        for item in self.items:
            least, most = bounds_of(item, facts)
            low, high = low + least, high + most
        return low, high

    def points(self, facts: FactValues) -> tuple[Points, ...]:
        """Item by item."""
        return tuple(
            Points(
                item=item.name,
                words=item.words,
                low=bounds_of(item, facts)[0],
                high=bounds_of(item, facts)[1],
                assumed=item.is_assumed(facts),
                citation=item.citation,
            )
            for item in self.items
        )


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCompare:
    """A score against a threshold: unknown while the range reaches across it."""

    score: Score
    sign: str
    limit: Threshold
    field: str = ""

    @property
    def children(self) -> tuple[Node, ...]:
        """The questions of all items."""
        return tuple(node for item in self.score.items for node in item.nodes)

    def truth(self, facts: FactValues) -> Truth:
        """Known where both ends of the range agree."""
        return self.judged(*self.score.bounds(facts))

    def bounds(self, facts: FactValues) -> tuple[float, float]:
        """Least and most points of the score."""
        return self.score.bounds(facts)

    def judged(self, low: float, high: float) -> Truth:
        """The answer at a score from `low` to `high`."""
        compare = OPERATORS[self.sign]
        least, most = compare(low, self.limit.value), compare(high, self.limit.value)
        return least if least == most else None

    def __str__(self) -> str:
        return f"{self.score.name} {self.sign} {self.limit.value:g}"

"""Three-valued logic over facts: every node answers True, False or None (unknown).

A fact that is absent or None is unknown. Adding a fact never turns a known answer of a node into another one, since
each node is monotone in what is known (Kleene 1952, strong three-valued logic).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol

from endplate.decision.logic.threshold import Citation, Threshold

Truth = bool | None
FactValues = Mapping[str, Any]
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Node(Protocol):
    """Part of a rule; two are the same only where they are one."""

    def __hash__(self) -> int:
        """By identity."""

    @property
    def children(self) -> tuple[Node, ...]:
        """Parts of this part."""

    @property
    def field(self) -> str:
        """The fact that an atom reads; empty for other nodes."""

    def truth(self, facts: FactValues) -> Truth:
        """True, False or None."""

    def __str__(self) -> str:
        """In words."""


@dataclass(frozen=True, slots=True, eq=False)
class Holds:
    """A yes-or-no fact."""

    field: str
    children: tuple[Node, ...] = ()

    def truth(self, facts: FactValues) -> Truth:
        """The fact itself."""
        return facts.get(self.field)

    def __str__(self) -> str:
        return self.field


@dataclass(frozen=True, slots=True, eq=False)
class Compare:
    """A number against a threshold, exactly as written: < and > exclude it, <= and >= include it."""

    field: str
    sign: str
    limit: Threshold
    children: tuple[Node, ...] = ()

    def truth(self, facts: FactValues) -> Truth:
        """None where the number is unknown."""
        value = facts.get(self.field)
        return None if value is None else OPERATORS[self.sign](value, self.limit.value)

    def __str__(self) -> str:
        return f"{self.field} {self.sign} {self.limit.value:g}"


@dataclass(frozen=True, slots=True, eq=False)
class OneOf:
    """A choice or level among some."""

    field: str
    choices: frozenset[str]
    words: str
    children: tuple[Node, ...] = ()

    def truth(self, facts: FactValues) -> Truth:
        """None where the choice is unknown."""
        value = facts.get(self.field)
        return None if value is None else value in self.choices

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True, eq=False)
class Not:
    """The opposite."""

    child: Node
    field: str = ""

    @property
    def children(self) -> tuple[Node, ...]:
        """The one part."""
        return (self.child,)

    def truth(self, facts: FactValues) -> Truth:
        """Unknown stays unknown."""
        inner = self.child.truth(facts)
        return None if inner is None else not inner

    def __str__(self) -> str:
        return f"not ({self.child})"


@dataclass(frozen=True, slots=True, eq=False)
class _Joint:
    """Several parts of which one that answers `decides` settles the whole; unknown comes next."""

    children: tuple[Node, ...]
    field: str = ""
    decides: ClassVar[bool]
    word: ClassVar[str]
    empty: ClassVar[str]

    def truth(self, facts: FactValues) -> Truth:
        """The deciding answer before unknown before the other."""
        answer: Truth = not self.decides
        for child in self.children:
            inner = child.truth(facts)
            if inner is self.decides:
                return inner
            if inner is None:
                answer = None
        return answer

    def __str__(self) -> str:
        return f" {self.word} ".join(_bracketed(child) for child in self.children) or self.empty


class All(_Joint):
    """Every part holds; one False decides."""

    __slots__ = ()
    decides, word, empty = False, "and", "always"


class AnyOf(_Joint):
    """At least one part holds; one True decides."""

    __slots__ = ()
    decides, word, empty = True, "or", "never"


@dataclass(frozen=True, slots=True, eq=False)
class AtLeast:
    """At least `limit` of the parts hold."""

    limit: Threshold
    children: tuple[Node, ...]
    field: str = ""

    def truth(self, facts: FactValues) -> Truth:
        """True once enough hold, False once too few can."""
        return self.judged(*self.bounds(facts))

    def bounds(self, facts: FactValues) -> tuple[int, int]:
        """How many hold, and how many may."""
        known, still_open = 0, 0
        for child in self.children:
            inner = child.truth(facts)
            known += inner is True
            still_open += inner is None
        return known, known + still_open

    def judged(self, low: float, high: float) -> Truth:
        """The answer at a count from `low` to `high`."""
        if low >= self.limit.value:
            return True
        return None if high >= self.limit.value else False

    def __str__(self) -> str:
        return f"at least {self.limit.value:g} of ({', '.join(map(str, self.children))})"


@dataclass(frozen=True, slots=True, eq=False)
class Criterion:
    """A named part of a guideline, with its words and its place in the source.

    `otherwise` : what a case is that a scope leaves out for want of this criterion, such as "malignant fracture".
    """

    name: str
    words: str
    citation: Citation
    child: Node
    otherwise: str = ""
    field: str = ""

    @property
    def children(self) -> tuple[Node, ...]:
        """What it asks."""
        return (self.child,)

    def truth(self, facts: FactValues) -> Truth:
        """What it asks; asked once of facts that remember."""
        if type(facts) is not Remembered:
            return self.child.truth(facts)
        known = facts.truths
        if self not in known:
            known[self] = self.child.truth(facts)
        return known[self]

    def __str__(self) -> str:
        return self.words


class Remembered(dict[str, Any]):
    """Facts with the answers of parts that are asked again and again, and scores; changed by `learn` alone."""

    __slots__ = ("sums", "truths")

    def __init__(self, facts: FactValues) -> None:
        super().__init__(facts)
        self.truths: dict[Node, Truth] = {}
        self.sums: dict[object, tuple[float, float]] = {}

    def learn(self, more: FactValues) -> None:
        """Other values of some facts; parts that read none of them keep their answer."""
        self.update(more)
        self.truths = {node: truth for node, truth in self.truths.items() if fields(node).isdisjoint(more)}
        self.sums = {}

    def but(self, more: FactValues) -> Remembered:
        """The same facts with other values of some, or none."""
        again = Remembered(self)
        again.update(more)
        again.truths = {node: truth for node, truth in self.truths.items() if fields(node).isdisjoint(more)}
        return again


def truth_of(node: Node, facts: FactValues) -> Truth:
    """The answer of a node; sought once for facts that remember."""
    if type(facts) is not Remembered:
        return node.truth(facts)
    known = facts.truths
    if node not in known:
        known[node] = node.truth(facts)
    return known[node]


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in node.children:
        yield from walk(child)


@cache
def fields(node: Node) -> frozenset[str]:
    """Every fact that the node can read."""
    return frozenset(part.field for part in walk(node) if part.field)


def open_fields(nodes: Iterable[Node], facts: FactValues) -> frozenset[str]:
    """Missing facts that still matter to nodes of unknown truth; parts that are settled ask for nothing."""
    found: set[str] = set()
    for node in nodes:
        if node.truth(facts) is None:
            found |= {node.field} if node.field else open_fields(node.children, facts)
    return frozenset(found)


def decisive(node: Node, facts: FactValues) -> tuple[Node, ...]:
    """The parts of a node that brought about its answer: those that share it, or for a count all that share it.

    A conjunction that fails is decided by its False parts, one that is open by its unknown parts; dually for "or".
    """
    truth = node.truth(facts)
    if isinstance(node, Not | Criterion):
        return node.children
    return tuple(child for child in node.children if child.truth(facts) is truth)


def _bracketed(node: Node) -> str:
    return f"({node})" if isinstance(node, All | AnyOf) and len(node.children) > 1 else str(node)

"""A verdict as a tree that a clinician can follow down to the facts and up to the page of the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from endplate.bibliography import full_text
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.decision_list import DecisionList
from endplate.decision.logic.field import Field, field_catalogue
from endplate.decision.logic.kleene import AtLeast, Compare, Criterion, FactValues, Node, OneOf, Truth, walk
from endplate.decision.logic.score import Score, ScoreCompare
from endplate.decision.logic.threshold import TRUST_WORDS, Citation
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.rules.ruleset import RuleSet

MARKS: dict[Truth, str] = {True: "[yes]", False: "[no]", None: "[?]"}
INDENT = "  "
ANSWERS = "Answers, the first that holds"
"""Heading of the answers, whose order is theirs."""
SCOPE, ABSOLUTE = "Scope; outside of it", "Absolute contraindications"
"""Beginnings of the headings of what settles a rule set by itself."""
NOT, NOT_KNOWN = "not the case that", ": not known"
"""Words of a line that turns what stands under it, and of a fact that is missing."""
SHARED = "definitions"
"""Rule file whose criteria facts are derived by."""
PLAIN = ("1", "{score}")
"""Units that are not printed."""
WORDS = {"a": "years", "mo": "months", "d": "days", "deg": "degrees", "g/a": "g a year", "mg/d": "mg a day",
         "mm[Hg]": "mmHg", "[hnsf'U]": "HU", "10*9/L": "×10⁹/L", "mg/cm3": "mg/cm³", "kg/m2": "kg/m²"}  # fmt: skip
"""UCUM codes as a clinician reads them; the others stand as they are."""
DIGITS = 4
"""Significant digits of a value that is read by people."""
TENTHS = ("deg", "%")
"""Units in which nothing finer than a tenth is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A line of the explanation with what lies under it.

    `citation` : of its criterion or number, or the publication in words; empty where the line above holds it.
    """

    text: str
    truth: Truth = None
    marked: bool = True
    citation: Citation | str = ""
    branches: tuple[Branch, ...] = ()


def explain(chosen: RuleSet | str, facts: LevelFacts) -> Branch:
    """Why a rule set, given itself or by its id, says what it says of a level, in the order of weight.

    Raises
    ------
    KeyError : there is no such rule set.
    """
    ruleset = rulebook().ruleset(chosen) if isinstance(chosen, str) else chosen
    teller = _Teller(LevelFacts(values=derive(facts.values), origin=facts.origin, bands=facts.bands), facts.values)
    outcome = ruleset.outcome(teller.facts.values)
    where = f" at {facts.level}" if facts.level else ""
    return Branch(
        text=f"{ruleset.title}{where}: {outcome.status} ({outcome.answer})",
        marked=False,
        citation=f"{ruleset.edition.edition}: {ruleset.edition.reference}",
        branches=tuple(_parts(ruleset, teller)),
    )


def explain_grading(grading_id: str, facts: LevelFacts) -> Branch:
    """Why a cause, class, technique or adequacy is graded as it is.

    Raises
    ------
    KeyError : there is no such grading.
    """
    grading = {grading.id: grading for grading in rulebook().gradings}[grading_id]
    teller = _Teller(LevelFacts(values=derive(facts.values), origin=facts.origin, bands=facts.bands), facts.values)
    left = grading.ladder.reachable(teller.facts.values)
    text = " or ".join(map(str, left))
    return Branch(text=f"{grading.title}: {text}", marked=False, branches=teller.ladder(grading.ladder))


def printed(branch: Branch, depth: int = 0) -> str:
    """A tree as indented text; at its end the meaning of the trust marks and the publications in full."""
    text = "\n".join(_lines(branch, depth))
    cites = [one.citation for one in _all(branch) if isinstance(one.citation, Citation)]
    marks = {cite.trust for cite in cites}
    used = "; ".join(f"[{mark}] {words}" for mark, words in TRUST_WORDS.items() if mark in marks)
    keys = dict.fromkeys(key for cite in cites for key in cite.cite)
    return "\n".join((text, *([used] if used else []), *full_text(keys), ""))


def _all(branch: Branch) -> Iterator[Branch]:
    yield branch
    for inner in branch.branches:
        yield from _all(inner)


def _lines(branch: Branch, depth: int) -> Iterator[str]:
    mark = f"{MARKS[branch.truth]} " if branch.marked else ""
    yield f"{INDENT * depth}{mark}{branch.text}"
    if branch.citation:
        yield f"{INDENT * (depth + 1)}source: {branch.citation}"
    for inner in branch.branches:
        yield from _lines(inner, depth + 1)


def _parts(ruleset: RuleSet, teller: _Teller) -> Iterator[Branch]:
    if ruleset.approximation:
        yield Branch(text=f"Note: {ruleset.approximation}", marked=False)
    for title, criteria in (("Absolute", ruleset.absolute), ("Relative", ruleset.relative)):
        if criteria:
            inner = tuple(teller.node(criterion) for criterion in criteria)
            yield Branch(text=f"{title} contraindications", marked=False, branches=inner)
    if ruleset.scope.children:
        scope = (teller.node(ruleset.scope),)
        yield Branch(text=f"{SCOPE}: {ruleset.outside}", marked=False, branches=scope)
    for score in ruleset.scores:
        yield teller.score(score)
    answers = teller.ladder(ruleset.answers)
    yield Branch(text=ANSWERS, marked=False, branches=answers)


class _Teller:
    """Puts nodes into words at some facts.

    `given` : what was stated or measured; what is known beyond it follows from that.
    """

    def __init__(self, facts: LevelFacts, given: FactValues) -> None:
        self.facts, self.given = facts, given
        self._within: tuple[str, ...] = ()

    def ladder(self, ladder: DecisionList[Any]) -> tuple[Branch, ...]:
        return tuple(self.node(rung.when) for rung in ladder.asked(self.facts.values))

    def node(self, node: Node) -> Branch:
        truth = node.truth(self.facts.values)
        if isinstance(node, Criterion):
            return Branch(text=node.words, truth=truth, citation=node.citation, branches=self._below(node.child))
        if isinstance(node, Compare):
            asked = f"{node.sign} {shown(field_catalogue()[node.field], node.limit.value)}"
            text = f"{self.fact(node.field)}; asked: {asked}"
            return Branch(text=text, truth=truth, citation=node.limit.citation)
        if isinstance(node, OneOf):
            text = f"{self.fact(node.field)}; asked: {node.words}"
            return Branch(text=text, truth=truth, branches=self._follows(node.field))
        if node.field:
            return Branch(text=self.fact(node.field), truth=truth, branches=self._follows(node.field))
        if isinstance(node, ScoreCompare):
            return Branch(text=str(node), truth=truth, citation=node.limit.citation)
        return Branch(text=self._joint(node), truth=truth, branches=tuple(self.node(part) for part in node.children))

    def _follows(self, name: str) -> tuple[Branch, ...]:
        """What a fact follows from, where it was not stated and rests on criteria; no fact within itself."""
        if self.given.get(name) is not None or name in self._within:
            return ()
        found = [one for one in rulebook().group("derived") if one.id == name]
        rests = [one for one in found for node in one.ladder.nodes if any(_is_named(part) for part in walk(node))]
        if not rests:
            return ()
        before, self._within = self._within, (*self._within, name)
        branches = self.ladder(rests[0].ladder)
        self._within = before
        return branches

    def score(self, score: Score) -> Branch:
        low, high = score.bounds(self.facts.values)
        items = tuple(
            Branch(
                text=f"{points.words}: {_span(points.low, points.high)}{' (unknown, counts 0)' * points.assumed}",
                marked=False,
                citation=points.citation,
            )
            for points in score.points(self.facts.values)
        )
        return Branch(text=f"{score.words}: {_span(low, high)}", marked=False, branches=items)

    def fact(self, name: str) -> str:
        entry, value = field_catalogue()[name], self.facts.values.get(name)
        origin = self.facts.origin.get(name, "")
        return f"{entry.title}: {shown(entry, value)}{f' ({origin})' if origin and value is not None else ''}"

    def _below(self, node: Node) -> tuple[Branch, ...]:
        """What stands under a criterion: nothing where it always holds."""
        return (self.node(node),) if node.children or node.field else ()

    def _joint(self, node: Node) -> str:
        if isinstance(node, AtLeast):
            return f"at least {node.limit.value:g} of"
        return {"All": "all of", "AnyOf": "any of", "Not": NOT}[type(node).__name__]


def shown(entry: Field, value: Any) -> str:
    """The value of a fact in words."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value.replace("_", " ")
    exact = round(value, 1) if entry.unit in TENTHS else value
    number = f"{float(f'{exact:.{DIGITS}g}'):g}"
    return number if entry.unit in PLAIN else f"{number} {_unit(entry.unit, number)}"


def _unit(code: str, number: str) -> str:
    words = WORDS.get(code, code)
    return words.removesuffix("s") if number == "1" and code in ("a", "mo", "d", "deg") else words


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _is_named(node: Node) -> bool:
    """Whether a node is a named criterion with parts of its own, not a clause of a list."""
    return isinstance(node, Criterion) and node.name.partition(".")[0] == SHARED

"""A rule set of one guideline edition: scope, contraindications and answers, in that order of weight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple

from endplate.decision.logic.decision_list import DecisionList
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import AnyOf, Compare, Criterion, FactValues, Node, Truth, truth_of, walk
from endplate.decision.logic.score import Score

Status = Literal["yes", "no", "contraindicated", "conditional", "indeterminate"]
STATUSES: tuple[Status, ...] = ("yes", "conditional", "no", "contraindicated", "indeterminate")
Question = Literal[
    "augmentation",
    "vertebroplasty",
    "kyphoplasty",
    "operation",
    "surgical opinion",
    "imaging",
    "fracture liaison",
    "bone treatment",
    "very high risk",
    "drug",
    "anabolic first",
    "falls",
]


class Outcome(NamedTuple):
    """What a rule set can end in: status, the source's own words, and whether it speaks of such a case at all."""

    status: Status
    answer: str
    applies: bool = True


CONTRAINDICATED = Outcome("contraindicated", "contraindicated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The guideline that a rule file holds, or one of its rule sets.

    Attributes
    ----------
    reference : its publication in words. cite : keys of the bibliography, which its rules inherit.
    """

    id: str
    title: str
    edition: str
    date: str
    reference: str
    note: str = ""
    cite: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleSet:
    """Rules that answer one question.

    Attributes
    ----------
    question : what a "yes" says yes to.
    scope : the cases it speaks of (cause, level, age, sex, menopause, pain); outside of them it answers what the first
    criterion that fails says a case then is (`Criterion.otherwise`), else `outside`: status "no", `applies` False.
    absolute : within the scope any of them makes the verdict contraindicated, whatever else holds or is unknown.
    relative : any of them turns "yes" into "conditional".
    answers : the source's answers, first match.
    scores : sums that the answers compare, shown with the verdict.
    """

    id: str
    title: str
    question: Question
    edition: Edition
    scope: Node
    outside: str
    absolute: tuple[Criterion, ...]
    relative: tuple[Criterion, ...]
    answers: DecisionList[Outcome]
    scores: tuple[Score, ...] = ()
    approximation: str = ""

    def reachable(self, facts: FactValues) -> tuple[Outcome, ...]:
        """Outcomes that the unknown leaves open; one where the verdict is settled.

        Outside its scope a rule set says nothing else. Within it, or while that is unknown, a contraindication outranks
        the answers. One that is unknown keeps the matter open only where the rest could favour the procedure: a "no"
        stays a "no".
        """
        scope = truth_of(self.scope, facts)
        if scope is False:
            return (next(self._left_out(facts, False)),)
        absolute = truth_of(self._absolute, facts)
        if absolute is True:
            return (CONTRAINDICATED,)
        found = [seen for answer in self.answers.reachable(facts) for seen in self._weighed(answer, facts)]
        if scope is None:
            found += self._left_out(facts, None)
        if absolute is None and any(outcome.status != "no" for outcome in found):
            found.append(CONTRAINDICATED)
        return tuple(dict.fromkeys(found))

    def is_settled(self, facts: FactValues) -> bool:
        """Whether all that `reachable` leaves has one status; sought no further than the second."""
        scope = truth_of(self.scope, facts)
        if scope is False:
            return True
        absolute = truth_of(self._absolute, facts)
        if absolute is True:
            return True
        statuses: set[Status] = {"no"} if scope is None else set()
        for answer in self.answers.open_answers(facts):
            statuses.update(outcome.status for outcome in self._weighed(answer, facts))
            if absolute is None and statuses != {"no"}:
                statuses.add(CONTRAINDICATED.status)
            if len(statuses) > 1:
                return False
        return True

    def _weighed(self, answer: Outcome, facts: FactValues) -> tuple[Outcome, ...]:
        """An answer in the light of the relative contraindications."""
        relative = truth_of(self._relative, facts) if answer.status == "yes" else False
        if relative is False:
            return (answer,)
        held = answer._replace(status="conditional", answer=f"{answer.answer}, relative contraindication")
        return (held,) if relative else (answer, held)

    def outcome(self, facts: FactValues) -> Outcome:
        """The verdict without its reasons; indeterminate where statuses differ among what is reachable."""
        return settle(self.reachable(facts))

    def status(self, facts: FactValues) -> Status:
        """The verdict in one word."""
        return self.outcome(facts).status

    def nodes(self) -> tuple[Node, ...]:
        """Every question that the rule set asks."""
        return (self.scope, *self.absolute, *self.relative, *self.answers.nodes)

    def samples(self, name: str) -> tuple[Any, ...]:
        """Values of a fact that stand for all others as far as this rule set can tell."""
        return self._samples.get(name) or field_catalogue()[name].samples()

    @cached_property
    def limits(self) -> dict[str, frozenset[float]]:
        """The numbers that each fact is compared with."""
        found: dict[str, set[float]] = {}
        for node in (*self.nodes(), *self.scored_nodes()):
            for part in walk(node):
                if isinstance(part, Compare):
                    found.setdefault(part.field, set()).add(part.limit.value)
        return {name: frozenset(values) for name, values in found.items()}

    @cached_property
    def _samples(self) -> dict[str, tuple[Any, ...]]:
        return {name: field_catalogue()[name].samples(values) for name, values in self.limits.items()}

    @cached_property
    def _absolute(self) -> Node:
        return AnyOf(self.absolute)

    @cached_property
    def _relative(self) -> Node:
        return AnyOf(self.relative)

    @cached_property
    def _exits(self) -> tuple[tuple[Criterion, Outcome], ...]:
        """The criteria of the scope that say what a case then is, each with that outcome."""
        parts = (part for part in self.scope.children if isinstance(part, Criterion) and part.otherwise)
        return tuple((part, Outcome("no", part.otherwise, False)) for part in parts)

    def _left_out(self, facts: FactValues, truth: Truth) -> Iterator[Outcome]:
        """What a case is that the scope leaves out: by each of its criteria of that truth, sought one by one."""
        named = False
        for part, outcome in self._exits:
            if part.truth(facts) is truth:
                named = True
                yield outcome
        if not named:
            yield Outcome("no", self.outside, False)

    def scored_nodes(self) -> tuple[Node, ...]:
        """Every question that the scores ask."""
        return tuple(node for score in self.scores for item in score.items for node in item.nodes)


NOT_APPLICABLE = "not applicable: "


def _joined(answers: tuple[str, ...]) -> str:
    """Answers that are all still possible, those by which a rule set would not apply under one heading."""
    outside = [answer.removeprefix(NOT_APPLICABLE) for answer in answers if answer.startswith(NOT_APPLICABLE)]
    inside = [answer for answer in answers if not answer.startswith(NOT_APPLICABLE)]
    if len(outside) < 2 or not inside:
        return " or ".join(_alike(answers))
    return " or ".join((*_alike(inside), f"not applicable ({'; '.join(outside)})"))


def _alike(answers: Iterable[str]) -> Iterator[str]:
    """Answers that begin alike, such as "image: high suspicion" and "image: low suspicion", in one."""
    tails: dict[str, list[str]] = {}
    for answer in answers:
        head, colon, tail = answer.partition(": ")
        tails.setdefault(head + colon, []).append(tail)
    for head, found in tails.items():
        yield head + " or ".join(found)


@lru_cache(maxsize=1 << 12)
def settle(left: tuple[Outcome, ...]) -> Outcome:
    """One outcome out of those still reachable."""
    if len(left) == 1:
        return left[0]
    statuses = {outcome.status for outcome in left}
    answer = _joined(tuple(dict.fromkeys(outcome.answer for outcome in left)))
    status: Status = statuses.pop() if len(statuses) == 1 else "indeterminate"
    return Outcome(status, answer, any(outcome.applies for outcome in left))

"""The criteria that verdicts and grades rest on: each once, with its facts and source, by number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from endplate.case.care import Care
from endplate.decision.verdict.verdict import LevelDecision, Reason, Used
from endplate.report.care.words import fact_words

TRUTH_WORDS = {True: "yes", False: "no", None: "not known"}
GROUPS = {True: "Holds", False: "Does not hold", None: "Not known whether"}
"""How a cell introduces the criteria of one truth."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion as decided, with the facts that it rests on and where it is written."""

    words: str
    truth: str
    facts: str
    citation: str


class Criteria:
    """The criteria of a decision in the order in which its page first names them.

    Attributes
    ----------
    entries : tuple of Criterion
        Each once; the same words stand twice where other facts decided at another level.
    """

    def __init__(self, care: Care) -> None:
        self._numbers: dict[Criterion, int] = {}
        for reason in _reasons(care):
            self._numbers.setdefault(_criterion(reason), len(self._numbers) + 1)

    @property
    def entries(self) -> tuple[Criterion, ...]:
        """All of them, the first by number first."""
        return tuple(self._numbers)

    def grouped(self, reasons: tuple[Reason, ...]) -> list[tuple[str, list[Markup]]]:
        """Reasons by their truth, what holds first: (words of the truth, a link to each)."""
        found = {truth: [r for r in reasons if r.truth is truth] for truth in GROUPS}
        return [
            (GROUPS[truth], list(dict.fromkeys(self._link(reason) for reason in those)))
            for truth, those in found.items()
            if those
        ]

    def number(self, criterion: Criterion) -> int:
        """The number by which cells name a criterion."""
        return self._numbers[criterion]

    def _link(self, reason: Reason) -> Markup:
        return Markup('<a href="#why-{}">{}</a>').format(self.number(_criterion(reason)), reason.words)


def facts_words(used: tuple[Used, ...]) -> str:
    """The facts of a reason: what is known with its value and origin, then what is not known."""
    known = "; ".join(fact_words(one) for one in used if one.value is not None)
    missing = "; ".join(one.title for one in used if one.value is None)
    return ". ".join(part for part in (known, missing and f"Not known: {missing}") if part)


def _criterion(reason: Reason) -> Criterion:
    return Criterion(reason.words, TRUTH_WORDS[reason.truth], facts_words(reason.used), str(reason.citation))


def _reasons(care: Care) -> Iterator[Reason]:
    plan = care.prevention
    verdicts = (verdict for level in care.decision.levels for verdict in level.verdicts)
    for verdict in (*verdicts, *plan.treat, *plan.very_high_risk, *plan.drugs, *plan.first_drug):
        yield from verdict.reasons
    for level in care.decision.levels:
        yield from _of_grades(level)


def _of_grades(level: LevelDecision) -> Iterator[Reason]:
    for grade in (*level.causes, *level.classes, *level.conservative, level.technique):
        yield from grade.reasons

"""Every number and criterion of the rule files with source, edition and trust mark: `endplate rules`."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.decision.logic.kleene import Criterion
from endplate.decision.logic.threshold import CHECK_FIRST, Citation, Threshold
from endplate.decision.prevention.plan import prevention_books
from endplate.decision.rules.rulebook import Book, rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRule:
    """A constant (with value and unit) or a criterion (in words) and where it stands."""

    name: str
    words: str
    value: float | None
    unit: str
    citation: Citation


def listed_rules(weak: bool = False) -> tuple[ListedRule, ...]:
    """Constants and criteria of all rule files.

    `weak` : only those that a clinician should check, weakest first (`CHECK_FIRST`).
    """
    everything = (*listed_constants(), *(rule for book in every_book() for rule in _criteria(book)))
    if not weak:
        return everything
    doubtful = [rule for rule in everything if rule.citation.trust in CHECK_FIRST]
    return tuple(sorted(doubtful, key=lambda rule: CHECK_FIRST.index(rule.citation.trust)))


def every_book() -> tuple[Book, ...]:
    """All rule files: those of the decision and those of prevention."""
    return (*rulebook().books, *prevention_books())


def listed_constants() -> tuple[ListedRule, ...]:
    """Thresholds and points of all rule files."""
    return tuple(_constant(one) for book in every_book() for one in (*book.thresholds.values(), *book.points))


def _constant(threshold: Threshold) -> ListedRule:
    return ListedRule(
        name=threshold.name, words="", value=threshold.value, unit=threshold.unit, citation=threshold.citation
    )


def _criteria(book: Book) -> tuple[ListedRule, ...]:
    flags = [flag.when for flag in book.flags]
    answers = [rung.when for ruleset in book.rulesets for rung in ruleset.answers.rungs]
    grades = [rung.when for grading in book.gradings for rung in grading.ladder.rungs]
    return tuple(
        ListedRule(name=node.name, words=node.words, value=None, unit="", citation=node.citation)
        for node in (*book.criteria.values(), *flags, *answers, *grades)
        if isinstance(node, Criterion)
    )

"""Verdicts, facts and changes in words."""

from __future__ import annotations

import re
from typing import Any

from endplate.decision.explanation.explain import shown
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.threshold import TRUST_WORDS
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.verdict import Change, Used

STATUS_WORDS = {
    "yes": "yes",
    "no": "no",
    "conditional": "conditional",
    "contraindicated": "contraindicated",
    "indeterminate": "indeterminate",
}
STATUS_MARKS = {"yes": "●", "no": "○", "conditional": "◐", "contraindicated": "✕", "indeterminate": "?"}
"""A mark beside the word, so that a matrix can be read without colour."""

MOST_GIVEN = 3
"""Answers that a change takes beside it and that are named; `endplate decide --json` names all."""
MEASURED = re.compile(r"^finding \w+ at (\w+)$")
"""The origin of a fact that was measured in the scan."""
FROM_RECORD = re.compile(r"^[a-z_]+(\.\w+)*$")
"""The origin of a fact of the record: a path that only a program needs."""


def fact_words(used: Used) -> str:
    """A fact that a reason rests on, with where it came from."""
    value = shown(field_catalogue()[used.field], used.value)
    origin = FROM_RECORD.sub("record", MEASURED.sub(r"measured at \1", used.origin))
    return f"{used.title}: {value}{f' ({origin})' if origin and used.value is not None else ''}"


def missing_words(names: tuple[str, ...]) -> str:
    """Missing facts by their titles."""
    return "; ".join(field_catalogue()[name].title for name in names)


def missing_word(name: str) -> str:
    """A missing fact by its title."""
    return missing_words((name,))


def change_words(change: Change) -> str:
    """A missing answer and the verdict that each answer would give."""
    entry = field_catalogue()[change.field]
    branches: dict[str, list[str]] = {}
    for value, outcome in change.outcomes:
        branches.setdefault(STATUS_WORDS[outcome.status], []).append(shown(entry, value))
    text = "; ".join(f"{status} if {_span(values)}" for status, values in branches.items())
    named = [f"{field_catalogue()[name].title} {_said(name, value)}" for name, value in change.given[:MOST_GIVEN]]
    rest = len(change.given) - len(named)
    beside = ", ".join(named) + (f" and {rest} more" if rest else "")
    return f"{change.title}: {text}" + (f" (with {beside})" if beside else "")


def _said(name: str, value: Any) -> str:
    return shown(field_catalogue()[name], value)


def _span(values: list[str]) -> str:
    """A few sample values in words: one, two, or from first to last."""
    distinct = list(dict.fromkeys(values))
    return " or ".join(distinct) if len(distinct) <= 2 else f"{distinct[0]} to {distinct[-1]}"


def rule_title(name: str) -> str:
    """A rule set or criterion by its full name, in words."""
    book = rulebook()
    titles = {ruleset.id: ruleset.title for ruleset in book.rulesets}
    if name in titles:
        return titles[name]
    files = {part.edition.id: part.edition.title for part in book.books}
    criterion = book.criteria.get(name)
    return name if criterion is None else f"{files[name.partition('.')[0]]} ({criterion.words})"


def trust_words() -> str:
    """The meaning of the trust marks."""
    return "; ".join(f"[{mark}] {words}" for mark, words in TRUST_WORDS.items())

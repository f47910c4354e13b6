"""Which guidelines would treat a level and which would not: counts and names, never a vote."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.decision.verdict.verdict import Decision, LevelDecision, Verdict
from endplate.report.phrase import listed

TREATING = {
    "augmentation": ("Cement, by vertebroplasty or kyphoplasty", "cement"),
    "vertebroplasty": ("Vertebroplasty", "vertebroplasty by itself"),
    "kyphoplasty": ("Kyphoplasty", "kyphoplasty by itself"),
    "operation": ("An operation of any kind", "any operation"),
}
"""Questions about treating, long and short; imaging, opinions and fracture liaison are no treatment of the level."""
ANSWERS = {
    "yes": "would treat",
    "conditional": "conditional",
    "no": "would not",
    "contraindicated": "contraindicated",
    "indeterminate": "indeterminate",
}
"""Answers in the order in which they are shown; an indeterminate one never stands among those that would treat."""
ALWAYS = ("yes", "no", "indeterminate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answer to one question: how many rule sets give it, and which."""

    answer: str
    status: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question with its answers, in the order of `ANSWERS`; those that nobody gives are empty."""

    question: str
    short: str
    answers: tuple[Answered, ...]

    @property
    def in_words(self) -> str:
        """The counts in one phrase."""
        found = [f"{len(one.names)} {one.answer}" for one in self.answers if one.names]
        return f"{self.short}: {listed(found)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Every answer about treating a level, or levels with the same answers.

    `silent` are the rule sets that do not speak of such a case.
    """

    level: str
    asked: tuple[Asked, ...]
    silent: tuple[str, ...]

    def count(self, status: str) -> int:
        """How many rule sets give an answer, over all questions."""
        return sum(len(one.names) for asked in self.asked for one in asked.answers if one.status == status)

    @property
    def shown(self) -> tuple[str, ...]:
        """Answers that get a column: the three that everybody looks for, and others that are given."""
        return tuple(status for status in ANSWERS if status in ALWAYS or self.count(status))

    @property
    def in_words(self) -> str:
        """The counts in one phrase, question by question."""
        return "; ".join(asked.in_words for asked in self.asked) or "no rule set speaks of it"


def counted(decision: Decision) -> tuple[Counts, ...]:
    """The counts of every level, from head to foot; levels with the same answers stand together."""
    found: dict[tuple[tuple[Asked, ...], tuple[str, ...]], list[str]] = {}
    for level in decision.levels:
        found.setdefault(_level(level), []).append(level.level)
    return tuple(
        Counts(level=", ".join(levels), asked=asked, silent=silent) for (asked, silent), levels in found.items()
    )


def _level(level: LevelDecision) -> tuple[tuple[Asked, ...], tuple[str, ...]]:
    """Questions with their answers, and the rule sets that do not speak of such a case."""
    treating = [verdict for verdict in level.verdicts if verdict.question in TREATING]
    speaking = [verdict for verdict in treating if verdict.applies]
    asked = tuple(
        Asked(question=words, short=short, answers=tuple(_answered(status, of) for status in ANSWERS))
        for question, (words, short) in TREATING.items()
        if (of := [verdict for verdict in speaking if verdict.question == question])
    )
    return asked, tuple(verdict.title for verdict in treating if not verdict.applies)


def _answered(status: str, verdicts: list[Verdict]) -> Answered:
    names = tuple(verdict.title for verdict in verdicts if verdict.status == status)
    return Answered(answer=ANSWERS[status], status=status, names=names)

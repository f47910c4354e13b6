"""What a decision hands on: verdicts with their reasons, flags, gradings and disputes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from endplate.decision.logic.kleene import Truth
from endplate.decision.logic.score import Points
from endplate.decision.logic.threshold import Citation
from endplate.decision.rules.ruleset import Edition, Outcome, Question, Status
from endplate.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A fact that a reason rests on; `value` None where it is missing, `origin` empty where it was not told."""

    field: str
    title: str
    value: Any
    unit: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A criterion that brought about a verdict; `role` scope, contraindication, relative or answer."""

    role: str
    criterion: str
    words: str
    truth: Truth
    citation: Citation
    used: tuple[Used, ...]

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A missing answer that would change the verdict.

    `outcomes` pairs each possible answer with the verdict it would give; `given` names other answers that it takes
    beside it (empty where this answer alone is enough).
    """

    field: str
    title: str
    outcomes: tuple[tuple[Any, Outcome], ...]
    given: tuple[tuple[str, Any], ...] = ()

    @property
    def alone(self) -> bool:
        """Whether this answer is enough."""
        return not self.given


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreResult:
    """A score at some facts, with its items; `low` and `high` differ where an item is open."""

    name: str
    words: str
    low: float
    high: float
    points: tuple[Points, ...]

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a rule set says of a level.

    Attributes
    ----------
    answer : the source's own words; several joined by "or" where it is still open.
    applies : False where the rule set does not speak of such a case (status is then "no").
    reachable : every outcome that the unknown leaves open.
    missing : facts that are not known and still matter; `would_change` says which would change the verdict, and how.
    assumed : items of a score that the source lets count 0 where unknown. overridden : absolute contraindications that
    outrank a score. borderline : measured facts whose band reaches into another verdict.
    approximation : how the rule set differs from its source, if it does.
    """

    ruleset: str
    title: str
    edition: Edition
    question: Question
    level: str
    status: Status
    answer: str
    applies: bool
    reachable: tuple[Outcome, ...]
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    scores: tuple[ScoreResult, ...]
    assumed: tuple[str, ...]
    overridden: tuple[str, ...]
    borderline: tuple[Change, ...]
    approximation: str
    find_changes: Callable[[], tuple[Change, ...]] = field(repr=False, compare=False)

    __repr__ = short_repr

    @cached_property
    def would_change(self) -> tuple[Change, ...]:
        """The missing answers that would change the verdict, and how; sought when first asked for."""
        return self.find_changes()


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedFlag:
    """An emergency, red flag, caution or note.

    `truth` None where it cannot be excluded for want of `missing`; `suspected` where some of it is then known to hold.
    """

    id: str
    kind: str
    words: str
    action: str
    truth: Truth
    suspected: bool
    missing: tuple[str, ...]
    reason: Reason

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A cause, class, technique or adequacy: its value, or None with what is still reachable and missing."""

    id: str
    group: str
    title: str
    value: Any
    reachable: tuple[Any, ...]
    missing: tuple[str, ...]
    reasons: tuple[Reason, ...]

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A question on which sources disagree at this level: never voted on, never averaged."""

    id: str
    question: str
    positions: str
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelDecision:
    """Everything that the rules say of one level; `emergencies` come before all else."""

    level: str
    emergencies: tuple[RaisedFlag, ...]
    flags: tuple[RaisedFlag, ...]
    open_flags: tuple[RaisedFlag, ...]
    verdicts: tuple[Verdict, ...]
    conflicts: tuple[Conflict, ...]
    causes: tuple[Grade, ...]
    classes: tuple[Grade, ...]
    conservative: tuple[Grade, ...]
    technique: Grade

    __repr__ = short_repr

    def verdict(self, ruleset: str) -> Verdict:
        """The verdict of a rule set.

        Raises
        ------
        KeyError : there is no such rule set.
        """
        return {verdict.ruleset: verdict for verdict in self.verdicts}[ruleset]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Levels from head to foot as they were given."""

    levels: tuple[LevelDecision, ...]

    __repr__ = short_repr

"""Emergencies, certain and possible: what stands first on every page and in every list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from endplate.decision.verdict.verdict import Decision, LevelDecision, RaisedFlag
from endplate.report.care.words import missing_words

Certainty = Literal["certain", "possible", "not asked"]
ORDER: tuple[Certainty, ...] = ("certain", "possible", "not asked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An emergency flag with the levels at which it stands.

    `certainty` : "possible" where some of it is known to hold, "not asked" where nothing of it is known.
    `ask` : what is missing, in words.
    """

    id: str
    levels: tuple[str, ...]
    certainty: Certainty
    words: str
    action: str
    ask: str

    @property
    def where(self) -> str:
        """Its levels in words."""
        return ", ".join(self.levels)


def alarms(decision: Decision) -> tuple[Alarm, ...]:
    """Every emergency that is certain or not excluded, the certain ones first; levels that share one stand together."""
    found: dict[tuple[str, Certainty, str], list[tuple[str, RaisedFlag]]] = {}
    for level in decision.levels:
        for certainty, flag in _standing(level):
            found.setdefault((flag.id, certainty, missing_words(flag.missing)), []).append((level.level, flag))
    listed = [
        Alarm(
            id=flag_id,
            levels=tuple(level for level, _ in at),
            certainty=certainty,
            words=at[0][1].words,
            action=at[0][1].action,
            ask=ask,
        )
        for (flag_id, certainty, ask), at in found.items()
    ]
    return tuple(sorted(listed, key=lambda alarm: ORDER.index(alarm.certainty)))


def _standing(level: LevelDecision) -> Iterator[tuple[Certainty, RaisedFlag]]:
    for flag in level.emergencies:
        yield "certain", flag
    for flag in level.open_flags:
        if flag.kind == "emergency":
            yield ("possible" if flag.suspected else "not asked"), flag

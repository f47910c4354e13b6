"""Strength and balance exercise after a vertebral fracture as a programme (`exercise.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from endplate.decision.prevention.risk_figures import RiskFigure


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """A kind of exercise: how much, how it grows, what to avoid, and its source."""

    kind: str
    dose: str
    progression: str
    avoid: str
    source: str
    cite: tuple[str, ...]
    trust: str

    @property
    def figure(self) -> RiskFigure:
        """In one line."""
        text = f"{self.kind}: {self.dose}; progress: {self.progression}; avoid: {self.avoid}"
        return RiskFigure(text=text, source=self.source)


@cache
def _table() -> dict[str, Any]:
    text = files("endplate.decision.prevention").joinpath("exercise.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def programme() -> tuple[Exercise, ...]:
    """The programme, in the order in which it is begun."""
    return tuple(Exercise(**{**entry, "cite": tuple(entry["cite"])}) for entry in _table()["exercise"])


@cache
def exercise_figures() -> tuple[RiskFigure, ...]:
    """The programme and what it has been shown to do, a line each."""
    effects = (RiskFigure(text=entry["text"], source=entry["source"]) for entry in _table()["effect"])
    return (*(one.figure for one in programme()), *effects)

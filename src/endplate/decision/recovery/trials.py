"""The trials behind the expected courses, as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from endplate.bibliography import full_text
from endplate.cited import Trust, cite_keys

Design = Literal["blinded", "open", "one arm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result in words, and how far the figure may be trusted."""

    text: str
    trust: Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial: who was compared with whom, how blind it was, what it found, and `cite`, where it was published."""

    name: str
    design: Design
    arms: str
    population: str
    results: tuple[Result, ...]
    cite: tuple[str, ...]

    @property
    def references(self) -> tuple[str, ...]:
        """Its publications in full."""
        return full_text(self.cite)


@cache
def trials() -> tuple[Trial, ...]:
    """All trials; the blinded ones first, so that their results stand no lower than the open ones."""
    text = files("endplate.decision.recovery").joinpath("trials.toml").read_text(encoding="utf-8")
    order = ("blinded", "open", "one arm")
    rows = [
        Trial(**{**row, "cite": cite_keys(row["cite"]), "results": tuple(Result(**one) for one in row["results"])})
        for row in tomllib.loads(text)["trial"]
    ]
    return tuple(sorted(rows, key=lambda trial: order.index(trial.design)))

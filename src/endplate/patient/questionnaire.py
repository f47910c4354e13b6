"""Questionnaires of a visit: answers or scores, never wording."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from endplate.patient.base import Part, Share, Text
from endplate.patient.scale.change import Score
from endplate.patient.scale.score import odi_score, qualeffo_score, rmdq_score


class Rmdq(Part):
    """Roland-Morris: how many items are ticked, or each item (true, false, null for unanswered)."""

    version: Literal[24, 23] = 24
    ticked: Annotated[int, Field(ge=0, le=24)] | None = None
    items: Annotated[tuple[bool | None, ...], Field(min_length=23, max_length=24)] | None = None
    on: date | None = None

    @model_validator(mode="after")
    def _fits(self) -> Rmdq:
        if self.ticked is not None and self.ticked > self.version:
            raise ValueError(f"ticked is {self.ticked}, more than the {self.version} items of this version")
        if self.items is not None and len(self.items) != self.version:
            raise ValueError(f"items has {len(self.items)} answers, but this version has {self.version}")
        if self.items is not None and self.ticked is not None:
            raise ValueError("ticked and items are both given; leave one out")
        return self

    @property
    def score(self) -> Score:
        """On the 24-item scale."""
        return rmdq_score(self.ticked, self.items, self.version)


class Odi(Part):
    """Oswestry: percent, or the ten sections 0-5 (null for unanswered)."""

    percent: Share | None = None
    items: (
        Annotated[tuple[Annotated[int, Field(ge=0, le=5)] | None, ...], Field(min_length=10, max_length=10)] | None
    ) = None
    on: date | None = None

    @model_validator(mode="after")
    def _one(self) -> Odi:
        if self.items is not None and self.percent is not None:
            raise ValueError("percent and items are both given; leave one out")
        return self

    @property
    def score(self) -> Score:
        """In percent."""
        return odi_score(self.percent, self.items)


class Qualeffo(Part):
    """QUALEFFO-41: total 0-100 (0 best), or the 41 answers recoded to 1 best .. 5 worst (null for skipped)."""

    total: Share | None = None
    items: (
        Annotated[tuple[Annotated[float, Field(ge=1, le=5)] | None, ...], Field(min_length=41, max_length=41)] | None
    ) = None
    on: date | None = None

    @model_validator(mode="after")
    def _one(self) -> Qualeffo:
        if self.items is not None and self.total is not None:
            raise ValueError("total and items are both given; leave one out")
        return self

    @property
    def score(self) -> Score:
        """From 0, best, to 100."""
        return qualeffo_score(self.total, self.items)


class Eq5d(Part):
    """EQ-5D as numbers: index with its version and value set, and the thermometer 0-100."""

    version: Literal["3L", "5L"]
    index: Annotated[float, Field(ge=-1, le=1)] | None = None
    value_set: Text | None = None
    thermometer: Share | None = None
    on: date | None = None


class Sf36(Part):
    """SF-36 as numbers: physical and mental component summaries."""

    physical: Share | None = None
    mental: Share | None = None
    on: date | None = None


class Questionnaires(Part):
    """All that were filled in at this visit."""

    rmdq: Rmdq | None = None
    odi: Odi | None = None
    qualeffo: Qualeffo | None = None
    eq5d: Eq5d | None = None
    sf36: Sf36 | None = None

    @field_validator("rmdq", "odi", "qualeffo", "sf36")
    @classmethod
    def _answered(cls, asked: Part | None) -> Part | None:
        """One without any answer was not asked."""
        return None if asked is None or asked == type(asked)() else asked

"""What the fracture stage hands downstream: measured heights and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from endplate.level import Level
from endplate.short_repr import short_repr

Shape = Literal["none", "wedge", "biconcave", "crush"]
Answer = Literal["yes", "no", "indeterminate"]
Basis = Literal["neighbours", "nearest or own posterior", "own posterior"]
"""What expected heights rest on: intact neighbours; beside a run of deformed levels the larger of the nearest one and
the own posterior height (RDES230); the own posterior height alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A length or angle with the SD of re-measuring it; `value` None means it could not be measured."""

    value: float | None
    sd: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heights:
    """Heights of one body along its own superior axis over a mid-sagittal band, mm; wedge in degrees."""

    level: Level
    anterior: Measured
    middle: Measured
    posterior: Measured
    wedge_deg: Measured
    depth_mm: float | None
    width_mm: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fracture:
    """The reading of one level: loss against the expected heights, grade, shape, and whether bone broke.

    Attributes
    ----------
    expected_mm : expected (anterior, middle, posterior) heights; None where no reference exists.
    reference, basis : what the expected heights rest on, in words and as a kind; empty and None where there are none.
    height_loss : worst of the three losses as a fraction, with SD.
    worst : which height lost most.
    deformity, fracture : separate answers; a deformity is a fracture only with an endplate or cortex sign.
    signs : the signs found, in words.
    posterior_wall_fraction : 0..1.
    """

    level: Level
    heights: Heights
    expected_mm: tuple[float, float, float] | None
    expected_sd_mm: float | None
    reference: str
    height_loss: Measured
    worst: Literal["anterior", "middle", "posterior"] | None
    genant_grade: int | None
    grade_low: int | None
    grade_high: int | None
    shape: Shape | None
    deformity: Answer
    fracture: Answer
    signs: tuple[str, ...]
    posterior_wall_fraction: Measured
    reason: str = ""
    basis: Basis | None = None

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Sagittal angles by level, degrees, kyphosis positive."""

    regional_deg: dict[Level, Measured]
    local_deg: dict[Level, Measured]

"""What the fracture stage hands downstream: measured heights and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from endplate.fracture.node import Dent
from endplate.level import Level
from endplate.short_repr import short_repr

Shape = Literal["none", "wedge", "biconcave", "crush"]
Answer = Literal["yes", "no", "indeterminate"]
Basis = Literal["neighbours", "nearest or own posterior", "own posterior"]
"""What expected heights rest on: intact neighbours; beside a run of deformed levels the larger of the nearest one and
the own posterior height (RDES230); the own posterior height alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A length or angle with two spreads; `value` None means it could not be measured.

    Attributes
    ----------
    sd : repeatability: what measuring this label again leaves open, its voxels and its border's wander with it.
    reader_sd : what another reader's label would give, with `sd` in it; None where no study tells it.
    low, high : a 95 % band that is not symmetric; None takes it from the SD.
    """

    value: float | None
    sd: float | None = None
    reason: str = ""
    reader_sd: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def shown_sd(self) -> float | None:
        """The SD of the band that is shown: between readers where it is known."""
        return self.sd if self.reader_sd is None else self.reader_sd


@dataclass(frozen=True, slots=True, kw_only=True)
class Heights:
    """Heights of one body along its own superior axis over a mid-sagittal band, mm; wedge in degrees.

    A focal endplate node among the `dents` is bridged; `within_node_mm` are then the heights with the node as it is.
    `edge_mm` is the edge of the label's voxels along the spine.
    """

    level: Level
    anterior: Measured
    middle: Measured
    posterior: Measured
    wedge_deg: Measured
    depth_mm: float | None
    width_mm: float | None
    edge_mm: float | None = None
    dents: tuple[Dent, ...] = ()
    within_node_mm: tuple[float, float, float] | None = None


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
    posterior_wall_fraction : 0..1. nodes : focal endplate nodes, findings of their own and no sign of a fracture.
    confidence : chance 0..1 that the true loss lies within the stated grade, by its shown band; 0 without a grade.
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
    nodes: tuple[Dent, ...] = ()
    confidence: float = 0.0
    basis: Basis | None = None

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Sagittal angles by level, degrees, kyphosis positive."""

    regional_deg: dict[Level, Measured]
    local_deg: dict[Level, Measured]

"""A case: the only thing that travels. The stages in order, each pure, and the provenance of every number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from endplate.anatomy.vertebra import Spine
from endplate.biomechanics.result import LoadToStrength, Strength
from endplate.bone.result import BoneDensity, Calibration
from endplate.case.care import Care
from endplate.case.readings.reading import Reading
from endplate.case.readings.resolve import Resolved
from endplate.finding import Caution, Finding, Gap
from endplate.fracture.result import Alignment, Fracture
from endplate.image.volume import LabelMap, Volume
from endplate.patient import PatientRecord
from endplate.repair.rehearsal.result import Rehearsal
from endplate.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where everything came from: version, inputs with SHA-256, parameters, seconds by stage."""

    version: str
    python: str
    started: str
    inputs: dict[str, str]
    parameters: dict[str, Any]
    seconds: dict[str, float]

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Case:
    """One patient, one scan, and everything measured from it. Later stages add fields, never change earlier ones."""

    id: str
    volume: Volume | None
    labels: LabelMap
    record: PatientRecord | None
    spine: Spine | None = None
    fractures: tuple[Fracture, ...] = ()
    alignment: Alignment | None = None
    calibration: Calibration | None = None
    densities: tuple[BoneDensity, ...] = ()
    strengths: tuple[Strength, ...] = ()
    loads: tuple[LoadToStrength, ...] = ()
    rehearsals: tuple[Rehearsal, ...] = ()
    care: Care | None = None
    # What a reader says, in the order in which it was said, and what follows from it.
    readings: tuple[Reading, ...] = ()
    resolved: Resolved = field(default_factory=Resolved)
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    cautions: tuple[Caution, ...] = ()
    provenance: Provenance = field(
        default_factory=lambda: Provenance(version="", python="", started="", inputs={}, parameters={}, seconds={})
    )

    def __repr__(self) -> str:
        """In a line: arrays would fill the screen."""
        levels = ", ".join(str(vertebra.level) for vertebra in self.spine.vertebrae) if self.spine else "not assessed"
        counts = f"{len(self.findings)} findings, {len(self.gaps)} gaps, {len(self.cautions)} cautions"
        return f"<Case {self.id!r}: {levels}; {counts}>"

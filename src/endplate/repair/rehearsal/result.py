"""What the parts of a rehearsal hand to each other: bone, path, cement, balloon, and the comparison at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from endplate.biomechanics.result import Strength
from endplate.level import Level
from endplate.repair.access.access_result import Access as Access
from endplate.repair.access.access_result import Approach as Approach
from endplate.repair.access.access_result import Breach as Breach
from endplate.repair.access.access_result import NeedlePath as NeedlePath
from endplate.repair.access.access_result import Procedure as Procedure
from endplate.repair.access.access_result import Side as Side
from endplate.repair.augmented.motion_segment import Neighbour
from endplate.repair.band import Band
from endplate.repair.cement.cement_fill import CementFill
from endplate.repair.kyphoplasty.inflation_result import Gain, Inflation
from endplate.repair.site.bone import Bone
from endplate.repair.site.fracture_age import FractureAge
from endplate.short_repr import short_repr

if TYPE_CHECKING:
    from endplate.repair.site.prefracture_shape import PrefractureShape


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProcedureResult:
    """One procedure (or none) on one level, for one set of the unknowns; `stopped` says where and why it ended early.

    What lies before the stop is the last good state; what lies after it is None. `missing` says which neighbours have
    no numbers, and why.
    """

    procedure: Procedure | Literal["none"]
    access: Access | None
    inflation: Inflation | None
    fill: CementFill | None
    strength: Strength | None
    after_cement: Gain | None
    neighbours: tuple[Neighbour, ...] = ()
    missing: tuple[str, ...] = ()
    stopped: str = ""

    __repr__ = short_repr

    @property
    def unconverged(self) -> str:
        """What found no equilibrium or solution, so that all after it stands on the last good state; else empty."""
        if self.inflation is not None and not self.inflation.converged:
            return f"balloon: {self.inflation.unconverged}"
        return "" if self.fill is None or self.fill.converged else f"cement: {self.fill.stop}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A quantity that the scan does not hold: name, unit, nominal value, low, high and where they come from."""

    name: str
    unit: str
    nominal: float
    low: float
    high: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsal:
    """All that was rehearsed for one level.

    Attributes
    ----------
    before : the level as it is. nominal : each procedure at the nominal unknowns.
    bands : procedure, then result, over the ensemble. drivers : for each "procedure: result", the unknowns with
    their main effect (high end minus low end), largest first. members : how many ran to the end.
    failed : members that did not, each with its unknowns and the reason; what `partial` of these had reached is in the
    bands. voxel_mm, member_voxel_mm : grids of the
    nominal runs and of the members. seed : of the design. bone : as the repair met it. intact : before it broke.
    age : of the fracture and what decided it; None where the looseness was given.
    """

    level: Level
    before: ProcedureResult
    nominal: tuple[ProcedureResult, ...]
    bands: dict[str, dict[str, Band]]
    drivers: dict[str, tuple[tuple[str, float], ...]]
    unknowns: tuple[Unknown, ...]
    members: int
    failed: tuple[str, ...] = ()
    partial: int = 0
    voxel_mm: float = 1.0
    member_voxel_mm: float | None = None
    seed: int = 0
    bone: Bone | None = None
    intact: PrefractureShape | None = None
    notes: tuple[str, ...] = field(default=())
    age: FractureAge | None = None

    __repr__ = short_repr

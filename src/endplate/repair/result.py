"""What the parts of a rehearsal hand to each other: bone, path, cement, balloon, and the comparison at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from endplate.biomechanics.result import Strength
from endplate.biomechanics.sampling import BoneField
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.repair.device.balloon import Balloon
from endplate.repair.device.cement import Cement
from endplate.repair.way_in import Access as Access
from endplate.repair.way_in import Approach as Approach
from endplate.repair.way_in import Breach as Breach
from endplate.repair.way_in import NeedlePath as NeedlePath
from endplate.repair.way_in import Procedure as Procedure
from endplate.repair.way_in import Side as Side

if TYPE_CHECKING:
    from endplate.repair.intact import IntactShape

RouteClass = Literal["B", "S", "C", "D", "T", "cleft"]
"""Basivertebral, segmental vein, cortical gap, disc (endplate gap), needle track, and the cleft inside the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A number with its low and high over what is unknown; all None with a `reason` where it could not be had.

    `members` counts the runs of the ensemble that lie in it, those among them that ended later on; 0 without any.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    members: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FractureZone:
    """Where the bone is broken, on the grid of the bone.

    Attributes
    ----------
    band, cleft, gap : (I, J, K) bool: compacted bone, cleft (gas or fluid), gaps in cortex or endplate.
    signs : what was found, in words. opening_mm : width of the cleft, None without one.
    """

    band: NDArray[np.bool_]
    cleft: NDArray[np.bool_]
    gap: NDArray[np.bool_]
    signs: tuple[str, ...]
    opening_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShellMineral:
    """Mineral of the shell, on the grid of the bone: what lies in each voxel beyond its sampled density.

    Attributes
    ----------
    missing_mg : (I, J, K) mineral to add, mg. area_mm2 : (I, J, K) outer surface of the body in each voxel.
    excess_mg_cm3_mm : median mineral of the shell beyond the bone beneath it, over its area.
    """

    missing_mg: NDArray[np.float32]
    area_mm2: NDArray[np.float32]
    excess_mg_cm3_mm: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bone:
    """A vertebra as the repair meets it, on cubes along its own axes.

    Attributes
    ----------
    field : fill, body share and density on `field.grid` (left, posterior, superior axes of the vertebra).
    density_sd_mg_cm3 : error band of the calibration. zone : the fracture, None where none was looked for.
    softening : (I, J, K) factor on modulus and strength, 1 where sound.
    cavity : (I, J, K) fraction of each voxel that is an empty cavity, zeros before a balloon.
    crushed : (I, J, K) equivalent plastic strain that the fracture left, 0 where sound; None where nothing is known.
    shell : mineral of the shell that the sampled density lacks; None where it was not looked for.
    """

    level: Level
    field: BoneField
    density_sd_mg_cm3: float
    softening: NDArray[np.float32]
    cavity: NDArray[np.float32]
    zone: FractureZone | None = None
    crushed: NDArray[np.float32] | None = None
    shell: ShellMineral | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opening:
    """A way out of the body: class, voxels (n, 3) on the bone's grid, centre (3,) LPS mm."""

    route: RouteClass
    name: str
    voxels: NDArray[np.int64]
    centre_mm: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reached:
    """Cement reached an opening: when, after how much was injected, and how much went out."""

    opening: Opening
    time_s: float
    injected_ml: float
    leaked_ml: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CementFill:
    """Where the cement went.

    Attributes
    ----------
    saturation : (I, J, K) 0..1 of the pore space (cavity included) on `grid`. age_s : time since the cement
    there left the needle, NaN without.
    volume_ml : in the body. leaked_ml : outside. injected_ml : their sum. fill_fraction : of the body's volume.
    time_s, injected_curve_ml, bone_pressure_mpa, cannula_pressure_mpa : (n,) the course of the injection.
    right_share : of the cement in the right half. endplate_contact : fraction of each endplate that cement touches.
    sphere : (I, J, K) the same volume as plain spheres about the tips, the baseline. stop : why it ended.
    balance : relative error of injected against pores and leaks. converged : False where a step found no solution and
    the state before it was kept; `stop` then says so.
    """

    level: Level
    grid: Grid
    cement: Cement
    saturation: NDArray[np.float32]
    age_s: NDArray[np.float32]
    volume_ml: float
    leaked_ml: float
    injected_ml: float
    fill_fraction: float
    time_s: NDArray[np.float64]
    injected_curve_ml: NDArray[np.float64]
    bone_pressure_mpa: NDArray[np.float64]
    cannula_pressure_mpa: NDArray[np.float64]
    reached: tuple[Reached, ...]
    right_share: float
    endplate_contact: dict[str, float]
    sphere: NDArray[np.float32]
    stop: str
    balance: float
    converged: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Height gained, mm, against an earlier state, and the wedge angle of the body (negative: less wedged)."""

    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    wedge_deg: float
    kyphosis_deg: float | None = None


class Pushed(NamedTuple):
    """Moves of the back wall towards the canal, and of front or sides outwards, mm; None for a wall that is not."""

    back: float | None = None
    side: float | None = None


UNREAD = Pushed()
"""No wall was followed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beyond:
    """What would follow if one inflated on after a wall gave way.

    Attributes
    ----------
    volume_ml, pressure_mpa : (n,), from the stop on. gain_mm : (n, 3) front, middle, back.
    pushed_mm : of the walls in the end. stop : why even this ended.
    """

    volume_ml: NDArray[np.float64]
    pressure_mpa: NDArray[np.float64]
    gain_mm: NDArray[np.float64]
    pushed_mm: Pushed
    stop: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inflation:
    """What the balloons did.

    Attributes
    ----------
    volume_ml, pressure_mpa : (n,) curve of the inflation (all balloons together; pressure the highest).
    settled : what the preload did before the balloons, against the scan; None where nothing was pressed.
    posture : what extension on the table gained after that; None where it was not rehearsed.
    full, deflated : gain at full inflation and after deflation under the preload, against the body so placed.
    gain_curve_mm : (n, 3) front, middle and back along the curve. beyond : the course after a wall gave way.
    bone : the bone afterwards, with its cavity, on the same grid. compaction : (I, J, K) density over density before.
    cavity_ml, mass_error, volume_error, energy_error : relative errors of the balances.
    pushed_full_mm, pushed_left_mm : how far the back wall went towards the canal, and front or sides outwards, against
    the settled body, at full inflation and after deflation; None where it was not read.
    mobility : "rigid" or "mobile" fracture. preload_n : held throughout. stop : why it ended.
    unconverged : where a step found no equilibrium, so that the last good state was kept; empty where none failed.
    """

    level: Level
    balloons: tuple[Balloon, ...]
    volume_ml: NDArray[np.float64]
    pressure_mpa: NDArray[np.float64]
    full: Gain
    deflated: Gain
    bone: Bone
    compaction: NDArray[np.float32]
    cavity_ml: float
    mass_error: float
    volume_error: float
    energy_error: float
    mobility: Literal["rigid", "mobile"]
    preload_n: float
    stop: str
    steps: int
    seconds: float
    settled: Gain | None = None
    posture: Gain | None = None
    gain_curve_mm: NDArray[np.float64] | None = None
    beyond: Beyond | None = None
    pushed_full_mm: Pushed = UNREAD
    pushed_left_mm: Pushed = UNREAD
    unconverged: str = ""
    notes: tuple[str, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether every step found its equilibrium."""
        return not self.unconverged


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A neighbour after the repair as a ratio to before, under one load case. Load ratios, never fracture risk."""

    level: Level
    load_case: Literal["standing", "flexed"]
    load_ratio: float
    endplate_strain_ratio: float
    disc_pressure_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsed:
    """One procedure (or none) on one level, for one set of the unknowns; `stopped` says where and why it ended early.

    What lies before the stop is the last good state; what lies after it is None. `missing` says which neighbours have
    no numbers, and why.
    """

    procedure: Procedure | Literal["none"]
    access: Access | None
    inflation: Inflation | None
    fill: CementFill | None
    strength: Strength | None
    cured: Gain | None
    neighbours: tuple[Neighbour, ...] = ()
    missing: tuple[str, ...] = ()
    stopped: str = ""

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
    """

    level: Level
    before: Rehearsed
    nominal: tuple[Rehearsed, ...]
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
    intact: IntactShape | None = None
    notes: tuple[str, ...] = field(default=())

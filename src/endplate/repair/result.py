"""What the parts of a rehearsal hand to each other: bone, path, cement, balloon, and the comparison at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from endplate.biomechanics.result import Strength
from endplate.biomechanics.sampling import BoneField
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.repair.device.balloon import Balloon
from endplate.repair.device.cement import Cement
from endplate.repair.device.needle import Needle

if TYPE_CHECKING:
    from endplate.repair.intact import IntactShape

Side = Literal["left", "right"]
Approach = Literal["transpedicular", "extrapedicular"]
Procedure = Literal["vertebroplasty", "kyphoplasty"]
RouteClass = Literal["B", "S", "C", "D", "T", "cleft"]
"""Basivertebral, segmental vein, cortical gap, disc (endplate gap), needle track, and the cleft inside the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A number with its low and high over what is unknown; all None with a `reason` where it could not be had."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A wall that the needle would break: which, by how much, where (LPS mm)."""

    wall: str
    depth_mm: float
    at_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeedlePath:
    """One straight needle path.

    Attributes
    ----------
    skin_mm, entry_mm, target_mm : (3,) LPS; skin None where the scan does not hold it.
    axial_deg : medial inclination in the axial plane; sagittal_deg : caudal positive.
    clearance_mm : least distance from the needle's surface to each wall: medial (canal side), lateral, superior,
    inferior (of the pedicle), anterior, endplates; negative where it breaks through.
    least_mm : the smallest of them.
    length_mm : from the skin, or from the bone's entry where the skin is not seen, to the target.
    tip_mm : (3,) LPS, far end of the channel: the target itself, or the front end of the balloon centred there.
    band_mm : what the mask leaves open of each clearance, half a voxel along the wall's normal.
    """

    level: Level
    side: Side
    approach: Approach
    needle: Needle
    skin_mm: NDArray[np.float64] | None
    entry_mm: NDArray[np.float64]
    target_mm: NDArray[np.float64]
    axial_deg: float
    sagittal_deg: float
    clearance_mm: dict[str, float]
    least_mm: float
    length_mm: float
    breaches: tuple[Breach, ...] = ()
    tip_mm: NDArray[np.float64] | None = None
    band_mm: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The way in: the chosen paths (one or two), alternatives from best to worst, or why there is none; and notes."""

    level: Level
    procedure: Procedure
    paths: tuple[NeedlePath, ...]
    alternatives: tuple[NeedlePath, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()


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
class Bone:
    """A vertebra as the repair meets it, on cubes along its own axes.

    Attributes
    ----------
    field : fill, body share and density on `field.grid` (left, posterior, superior axes of the vertebra).
    density_sd_mg_cm3 : error band of the calibration. zone : the fracture, None where none was looked for.
    softening : (I, J, K) factor on modulus and strength, 1 where sound.
    cavity : (I, J, K) fraction of each voxel that is an empty cavity, zeros before a balloon.
    """

    level: Level
    field: BoneField
    density_sd_mg_cm3: float
    softening: NDArray[np.float32]
    cavity: NDArray[np.float32]
    zone: FractureZone | None = None


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
    balance : relative error of injected against pores and leaks.
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
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Height gained, mm, against the state before, and the wedge angle of the body (negative: less wedged)."""

    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    wedge_deg: float
    kyphosis_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inflation:
    """What the balloons did.

    Attributes
    ----------
    volume_ml, pressure_mpa : (n,) curve of the inflation (all balloons together; pressure the highest).
    full, deflated : gain at full inflation and after deflation under the preload.
    bone : the bone afterwards, with its cavity, on the same grid. compaction : (I, J, K) density over density before.
    cavity_ml, mass_error, volume_error, energy_error : relative errors of the balances.
    mobility : "rigid" or "mobile" fracture. preload_n : held throughout. stop : why it ended.
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
    notes: tuple[str, ...] = ()


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

    What lies before the stop is the last good state; what lies after it is None.
    """

    procedure: Procedure | Literal["none"]
    access: Access | None
    inflation: Inflation | None
    fill: CementFill | None
    strength: Strength | None
    cured: Gain | None
    neighbours: tuple[Neighbour, ...] = ()
    stopped: str = ""


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
    failed : members that did not, each with its unknowns and the reason. voxel_mm, member_voxel_mm : grids of the
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
    voxel_mm: float = 1.0
    member_voxel_mm: float | None = None
    seed: int = 0
    bone: Bone | None = None
    intact: IntactShape | None = None
    notes: tuple[str, ...] = field(default=())

"""What to build: the digital spine's levels, sizes, densities, deformities, tissues, pose and scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from endplate.cited import cited, cited_table
from endplate.errors import OptionError
from endplate.level import Level, parse_level

Shape = Literal["wedge", "biconcave", "crush"]
Mineral = Literal["K2HPO4", "HA"]

PHANTOM_LEVELS = tuple(level for level in Level if level.usual and Level.T10.order <= level.order <= Level.L5.order)

K2HPO4_MG_CM3_PER_HU = cited(
    0.67,
    "mg/cm3",
    "digital spine: middle of the typical K2HPO4 slopes 0.62-0.72 mg/cm3 per HU at 120 kVp",
    "design",
)
K2HPO4_PER_HA_120_KVP = cited(
    0.827,
    "1",
    "Goodsitt, Bone Miner 1992: 0.86 at 80 kVp, 0.81 at 140 kVp, line between them at 120 kVp",
    "recomputed",
    cite="goodsitt_1992",
)
WORST_LOSS = cited(0.8, "1", "a body flatter than a fifth of its height cannot be meshed or seen on CT", "design")

_DEFAULT = cited_table(
    "phantom.default",
    "1",
    "digital spine of an older woman with moderately low bone: values inside the usual clinical ranges",
    "design",
    {
        "core": 95.0,
        "shell": 700.0,
        "shell_mm": 0.5,
        "arch_shell_mm": 1.2,
        "noise_hu": 20.0,
        "blur_mm": 0.6,
        "kvp": 120.0,
        "fat_hu": -110.0,
        "muscle_hu": 50.0,
        "air_hu": -1000.0,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deformity:
    """A collapse of one level of the digital spine.

    Parameters
    ----------
    shape : {"wedge", "biconcave", "crush"}
        A wedge loses anterior height, a biconcave body middle height, a crush all three alike.
    loss : float
        Fraction of height lost where it is deepest, 0 to 0.8.
    breach : bool, default False
        Whether an endplate is broken open.

    Raises
    ------
    OptionError
        A loss out of range.
    """

    shape: Shape
    loss: float
    breach: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.loss <= WORST_LOSS:
            raise OptionError(f"loss {self.loss} of a phantom deformity", f"must lie in 0 to {WORST_LOSS:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A focal dent of an endplate with steep walls and an intact rim, such as a Schmorl node.

    `along` is the place of its centre from the front wall (0) to the posterior wall (1), `right_mm` beside the midline.
    """

    plate: Literal["upper", "lower"] = "upper"
    area_mm2: float = 65.0
    depth_mm: float = 4.5
    right_mm: float = 0.0
    along: float = 0.5

    def __post_init__(self) -> None:
        if self.area_mm2 <= 0 or self.depth_mm <= 0:
            raise OptionError("a phantom's endplate node needs a positive area and depth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rods:
    """Calibration rods under the back.

    Parameters
    ----------
    mineral : {"K2HPO4", "HA"}, default "K2HPO4"
        Mineral of the rods.
    mg_cm3 : tuple of float, optional
        Concentrations in mg/cm3 of that mineral.
    radius_mm : float, default 9.0
        Radius of a rod, mm.
    """

    mineral: Mineral = "K2HPO4"
    mg_cm3: tuple[float, ...] = (0.0, 50.0, 100.0, 150.0, 200.0)
    radius_mm: float = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomSpec:
    """A digital spine and the scan of it.

    Parameters
    ----------
    levels : tuple of Level or str, optional
        Neighbouring levels or their names, any order, within T10-L5.
    spacing_mm : tuple of float, optional
        Voxel edges (left-right, front-back, head-foot), mm.
    deformities : mapping of Level to Deformity, optional
        Collapse by level.
    nodes : mapping of Level to Node, optional
        A focal endplate node by level.
    sex : {"female", "male"}, default "female"
        Table of sizes; men are a few per cent larger.
    size : float, default 1.0
        Factor on the sizes of the table.
    core_mg_cm3 : float or mapping of Level to float, optional
        K2HPO4-equivalent density of the trabecular core, one value or one per level, mg/cm3.
    shell_mg_cm3 : float, optional
        K2HPO4-equivalent density of the cortex, mg/cm3.
    shell_mm : float, optional
        Thickness of the cortex of the body, mm.
    arch_shell_mm : float, optional
        Thickness of the cortex of the arch, mm.
    noise_hu : float, optional
        SD of white noise, HU.
    blur_mm : float, optional
        SD of the Gaussian point spread function, mm.
    tilt_deg : tuple of float, optional
        Turn of the patient about the left, posterior and superior axes, right-handed, in that order, degrees.
    grid_tilt_deg : tuple of float, optional
        The same for the scan grid (an oblique affine) with the patient at rest, degrees.
    seed : int, default 4711
        Seed of the noise.
    kvp : float, optional
        Tube voltage written into the scan, kV; it does not change the calibration line.
    mg_cm3_per_hu : float, optional
        True K2HPO4 slope of the scanner, mg/cm3 per HU; the usual one for 120 kV when left out.
    offset_mg_cm3 : float, default 0.0
        True K2HPO4-equivalent density at 0 HU, mg/cm3.
    fat_hu : float, optional
        Fat as the scanner sees it, HU.
    muscle_hu : float, optional
        Muscle, HU.
    air_hu : float, optional
        Air, HU.
    field_mm : tuple of float, optional
        Width and depth of the field about the canal, mm; None shows the whole trunk with air round it.
    rods : Rods, optional
        Calibration rods under the back, or None.
    basivertebral : bool, default True
        Whether bodies hold the vein's cleft at mid-height behind.

    Raises
    ------
    OptionError
        Levels with a gap or beyond T10-L5, an impossible size, or a deformity of a level that is not there.
    """

    levels: tuple[Level, ...] = PHANTOM_LEVELS
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    deformities: Mapping[Level, Deformity] = field(default_factory=dict)
    nodes: Mapping[Level, Node] = field(default_factory=dict)
    sex: Literal["female", "male"] = "female"
    size: float = 1.0
    core_mg_cm3: float | Mapping[Level, float] = _DEFAULT["core"]
    shell_mg_cm3: float = _DEFAULT["shell"]
    shell_mm: float = _DEFAULT["shell_mm"]
    arch_shell_mm: float = _DEFAULT["arch_shell_mm"]
    noise_hu: float = _DEFAULT["noise_hu"]
    blur_mm: float = _DEFAULT["blur_mm"]
    tilt_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    grid_tilt_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    seed: int = 4711
    kvp: float = _DEFAULT["kvp"]
    mg_cm3_per_hu: float = K2HPO4_MG_CM3_PER_HU
    offset_mg_cm3: float = 0.0
    fat_hu: float = _DEFAULT["fat_hu"]
    muscle_hu: float = _DEFAULT["muscle_hu"]
    air_hu: float = _DEFAULT["air_hu"]
    field_mm: tuple[float, float] | None = None
    rods: Rods | None = None
    basivertebral: bool = True

    def __post_init__(self) -> None:
        ordered = tuple(sorted(parse_level(level) for level in self.levels))
        object.__setattr__(self, "levels", ordered)
        steps = [PHANTOM_LEVELS.index(level) for level in ordered if level in PHANTOM_LEVELS]
        if not ordered or len(steps) != len(ordered) or steps != list(range(steps[0], steps[0] + len(steps))):
            names = " ".join(map(str, self.levels)) or "none"
            raise OptionError(f"phantom levels {names}", "the digital spine reaches from T10 to L5 without gaps")
        if min(self.spacing_mm) <= 0 or self.size <= 0 or min(self.noise_hu, self.blur_mm) < 0:
            raise OptionError("phantom spacing and size must be positive, noise and blur not negative")
        if strangers := (set(self.deformities) | set(self.nodes)) - set(ordered):
            raise OptionError(f"deformity of {', '.join(map(str, strangers))}", "that level is not in the phantom")

    def core(self, level: Level) -> float:
        """Core density of a level.

        Parameters
        ----------
        level : Level
            One of the levels of the phantom.

        Returns
        -------
        float
            K2HPO4-equivalent density, mg/cm3.
        """
        return float(self.core_mg_cm3[level] if isinstance(self.core_mg_cm3, Mapping) else self.core_mg_cm3)

    def to_hu(self, mg_cm3: float) -> float:
        """HU that this scanner shows for a density.

        Parameters
        ----------
        mg_cm3 : float
            K2HPO4-equivalent density, mg/cm3.

        Returns
        -------
        float
            Value in HU on the scanner's true line.
        """
        return (mg_cm3 - self.offset_mg_cm3) / self.mg_cm3_per_hu


def demo_spec() -> PhantomSpec:
    """The built-in patient before the fracture: T10-L5 at 1 mm, moderately low bone."""
    return PhantomSpec()

"""What a user may tell the bone stage: the route from HU to density, and what is known about the scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from endplate.cited import cited
from endplate.errors import OptionError

Route = Literal["auto", "given", "rods", "tissue", "published"]
Mineral = Literal["K2HPO4", "HA"]

SLOPE_MG_CM3_PER_HU = (
    cited(0.3, "mg/cm3", "attenuation physics gives 0.5-1.0 per HU; wide enough for any spectrum", "design"),
    cited(1.5, "mg/cm3", "attenuation physics gives 0.5-1.0 per HU; wide enough for any spectrum", "design"),
)
OFFSET_MG_CM3 = cited(150.0, "mg/cm3", "usual within +-40 at 0 HU; beyond this water would be bone", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class RodSettings:
    """The rods of a calibration phantom in the image.

    Parameters
    ----------
    mg_cm3 : tuple of float
        Concentrations of `mineral`, any order, mg/cm3; at least two different ones.
    mineral : {"K2HPO4", "HA"}, default "K2HPO4"
        Mineral of the rods; HA is converted to K2HPO4-equivalent, never taken for it.
    water_mg_cm3 : tuple of float, optional
        For rods of the Mindways kind, the water-equivalent density of each rod, mg/cm3; else None.
    centres_mm : tuple of (float, float, float), optional
        LPS mm of a point on each rod, in the order of `mg_cm3`; None finds them in the image.

    Raises
    ------
    OptionError
        Fewer than two concentrations, lists of different lengths, or water densities of HA rods.
    """

    mg_cm3: tuple[float, ...]
    mineral: Mineral = "K2HPO4"
    water_mg_cm3: tuple[float, ...] | None = None
    centres_mm: tuple[tuple[float, float, float], ...] | None = None

    def __post_init__(self) -> None:
        if len(set(self.mg_cm3)) < 2:
            raise OptionError("calibration rods need at least two different concentrations", "a line has two unknowns")
        for name, given in (("water densities", self.water_mg_cm3), ("centres", self.centres_mm)):
            if given is not None and len(given) != len(self.mg_cm3):
                raise OptionError(
                    f"{len(given)} {name} for {len(self.mg_cm3)} calibration rods", "one for each is needed"
                )
        if self.water_mg_cm3 is not None and self.mineral != "K2HPO4":
            raise OptionError("water-equivalent densities belong to K2HPO4 rods", "the Mindways line is for K2HPO4")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSettings:
    """How to turn HU into K2HPO4-equivalent density.

    Attributes
    ----------
    route : "auto" takes the best that is possible: given, rods, tissue, published; any other is taken or left a gap.
    slope_mg_cm3_per_hu, offset_mg_cm3 : a known line of this scanner and tube voltage, in `mineral` equivalents.
    mineral : what the known line is in; an HA line is converted.
    rods : the phantom in the image.
    kvp, contrast : override what the image file says; None leaves it.
    """

    route: Route = "auto"
    slope_mg_cm3_per_hu: float | None = None
    offset_mg_cm3: float = 0.0
    mineral: Mineral = "K2HPO4"
    rods: RodSettings | None = None
    kvp: float | None = None
    contrast: bool | None = None

    def __post_init__(self) -> None:
        if self.slope_mg_cm3_per_hu is not None:
            _check_line(self.slope_mg_cm3_per_hu, self.offset_mg_cm3)
        if self.route == "given" and self.slope_mg_cm3_per_hu is None:
            raise OptionError("route given needs a slope", "there is no line to use", "give slope and offset")
        if self.route == "rods" and self.rods is None:
            raise OptionError("route rods needs the rods' concentrations", "they are not written in the image")


def _check_line(slope: float, offset: float) -> None:
    """Refuse a line that no CT scanner has."""
    if slope <= 0:
        raise OptionError("the calibration slope must be positive", "density rises with HU", "give mg/cm3 per HU")
    low, high = SLOPE_MG_CM3_PER_HU
    if not low <= slope <= high:
        raise OptionError(
            f"the calibration slope {slope:g} mg/cm3 per HU lies outside {low:g} to {high:g}",
            "no CT scanner has it",
            "give mg/cm3 per HU, such as 0.8",
        )
    if not abs(offset) <= OFFSET_MG_CM3:
        raise OptionError(
            f"the calibration offset {offset:g} mg/cm3 lies outside +-{OFFSET_MG_CM3:g}",
            "water at 0 HU would be bone or less than fat",
            "give the density at 0 HU in mg/cm3",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DensitySettings:
    """How deep the trabecular region lies inside the body.

    `erosion_mm` None takes the default; `minimum_mm3` the smallest region that is measured.
    """

    erosion_mm: float | None = None
    minimum_mm3: float | None = None

"""What the bone stage hands downstream: the calibration and the trabecular density of each level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endplate.image.volume import Grid
from endplate.level import Level
from endplate.short_repr import short_repr

Category = Literal["osteoporosis", "low", "normal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """HU to K2HPO4-equivalent density: mg/cm3 = offset + slope * HU.

    `sd_mg_cm3` is the error band of the route at trabecular density; `equivalent` is always "K2HPO4".
    """

    slope_mg_cm3_per_hu: float
    offset_mg_cm3: float
    route: Literal["given", "rods", "tissue", "published"]
    sd_mg_cm3: float
    source: str
    equivalent: Literal["K2HPO4"] = "K2HPO4"
    kvp: float | None = None
    contrast: bool | None = None
    notes: tuple[str, ...] = ()

    def to_mg_cm3(self, hu: NDArray[np.floating]) -> NDArray[np.float32]:
        """K2HPO4-equivalent density of HU values, same shape."""
        return (self.offset_mg_cm3 + self.slope_mg_cm3_per_hu * np.asarray(hu, np.float32)).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoneDensity:
    """Trabecular density of one level with its region of interest on `grid`.

    Density is None without a calibration, or where it is implausible, which `refused` then says. `inclusion_ml` is the
    volume of cement or metal inside the body, 0 where none was seen.
    """

    level: Level
    grid: Grid
    roi: NDArray[np.bool_]
    roi_mm3: float
    hu_mean: float
    hu_sd: float
    hu_se: float
    density_mg_cm3: float | None
    density_sd_mg_cm3: float | None
    category: Category | None
    notes: tuple[str, ...] = ()
    refused: str = ""
    inclusion_ml: float = 0.0

    __repr__ = short_repr

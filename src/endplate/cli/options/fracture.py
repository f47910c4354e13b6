"""The options of `endplate fracture`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Group, Parameter

from endplate.cli.options.run import option

COLLAPSE = Group("Collapse", sort_key=0)


@Parameter(name="*", group=COLLAPSE)
@dataclass(frozen=True, slots=True, kw_only=True)
class CollapseOptions:
    """What is to be broken, and how far."""

    level: Annotated[str | None, option("Intact vertebra to crush, such as L1.")] = None
    shape: Annotated[str, option("wedge loses anterior height, biconcave middle height, crush all; default wedge.")] = (
        "wedge"
    )
    loss: Annotated[float | None, option("Fraction of that height to lose, 0.05 to 0.6; default 0.4.")] = None
    voxel_mm: Annotated[float | None, option("Edge of the cubes that carry the bone; default 1.5, 1 to 3.")] = None
    calibration: Annotated[
        str | None, option("Scanner line SLOPE,OFFSET: mg/cm3 (K2HPO4) per HU, and mg/cm3. E.g. 0.8,-2.5.")
    ] = None


NO_COLLAPSE = CollapseOptions()

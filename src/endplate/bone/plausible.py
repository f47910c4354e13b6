"""Is it a density that vertebral trabecular bone can have?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.bone.depth import depth_mm
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.image.volume import Volume

MIN_MG_CM3 = cited(
    -20.0, "mg/cm3", "very fatty marrow without bone reads a little below water by QCT; less is no marrow", "design"
)
MAX_MG_CM3 = cited(
    400.0,
    "mg/cm3",
    "young adults have 150-250 mg/cm3; twice that is cortex, sclerosis, cement or a wrong scale",
    "design",
)
DEEP_MM = cited(4.0, "mm", "own choice: as the erosion of the trabecular region, clear of the shell", "design")


def implausible_density(mg_cm3: float) -> str:
    """Why a trabecular density cannot be true, or nothing."""
    if MIN_MG_CM3 <= mg_cm3 <= MAX_MG_CM3:
        return ""
    return (
        f"{mg_cm3:.0f} mg/cm3 is no density of vertebral trabecular bone ({MIN_MG_CM3:g} to {MAX_MG_CM3:g}): "
        "the scale of the CT, the calibration or the labels are wrong, or this is not bone"
    )


def implausible_line(line: Calibration, volume: Volume, bone: Spine | NDArray[np.bool_] | None) -> str:
    """Why a line from HU to density cannot be true, or nothing: it makes every level's inside implausible.

    Parameters
    ----------
    line : the calibration that is asked about.
    volume : the CT. bone : the spine; without one nothing is said.
    """
    if not isinstance(bone, Spine):
        return ""
    usable = [v for v in bone.vertebrae if not v.cut_by_field and v.level not in bone.distrusted]
    inside = [hu for hu in (_middle_hu(vertebra, volume) for vertebra in usable) if hu is not None]
    densities = [float(line.to_mg_cm3(np.array([hu]))[0]) for hu in inside]
    if not densities or not all(implausible_density(density) for density in densities):
        return ""
    return (
        f"it would give every level an impossible trabecular density (median {np.median(densities):.0f} mg/cm3, "
        f"possible {MIN_MG_CM3:g} to {MAX_MG_CM3:g})"
    )


def _middle_hu(vertebra: Vertebra, volume: Volume) -> float | None:
    """Median HU deep in the body; None where the body is too thin or lies off the CT."""
    first = np.rint(volume.grid.to_index(vertebra.grid.to_mm(np.zeros(3)))).astype(int)
    stop = first + vertebra.grid.shape
    if np.any(first < 0) or np.any(stop > volume.hu.shape):
        return None
    deep = depth_mm(vertebra) > DEEP_MM
    if not deep.any():
        return None
    hu = volume.hu[first[0] : stop[0], first[1] : stop[1], first[2] : stop[2]]
    return float(np.median(hu[deep]))

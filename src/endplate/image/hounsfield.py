"""Are these values the Hounsfield units of a spine CT? Said before anything is measured on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import ImageError
from endplate.image.hu_scale_check import FIX, check_scale
from endplate.image.volume import Grid

NOT_TISSUE_HU = cited(
    -300.0,
    "[hnsf'U]",
    "own limit: fat is near -100 HU and lung above -900 HU: a body has tissue above this",
    "design",
    cite="kalender_2011",
)
BELOW_WATER_HU = cited(
    -20.0, "[hnsf'U]", "fat, air and CT noise all lie below; images that are not in HU start at zero", "design"
)
BELOW_WATER_FRACTION = cited(
    0.001, "1", "fat makes 1 % or more of any spine crop; interpolation ringing in MRI is rarer than this", "design"
)
BONE_HU = cited(
    150.0,
    "[hnsf'U]",
    "own limit: cortical and most cancellous bone exceed it; muscle and blood do not",
    "design",
    cite="kalender_2011",
)
MIN_BONE_MM3 = cited(200.0, "mm3", "a fiftieth of a small vertebral body: less cannot be measured", "design")
MAX_HU = cited(100000.0, "[hnsf'U]", "extended CT scales end at 65,535 HU; beyond it the values are not HU", "design")


def check_hounsfield(values: NDArray[Any], grid: Grid, name: str) -> None:
    """Refuse values that no spine CT has.

    Parameters
    ----------
    values : (I, J, K) claimed Hounsfield units.
    name : what to call the scan in the message.

    Raises
    ------
    ImageError : NaN or infinite values, only air, no bone, or values that are not Hounsfield units (an MRI, a
        windowed image, or a CT whose rescale slope or intercept was lost).
    """
    _check_finite(values, name)
    if values.max() <= NOT_TISSUE_HU:
        raise ImageError(f"{name} holds only air (highest value {values.max():g})", "", "give the scan of the patient")
    if values.min() == values.max():
        raise ImageError(f"{name} has the same value {values.min():g} everywhere", "", "give the scan of the patient")
    if abs(float(values.max())) > MAX_HU or abs(float(values.min())) > MAX_HU:
        raise ImageError(
            f"{name} has values from {values.min():g} to {values.max():g}", "these are not Hounsfield units", FIX
        )
    below = _count(values, lambda slab: slab < float(BELOW_WATER_HU)) / values.size
    if below < float(BELOW_WATER_FRACTION):
        raise ImageError(
            f"{name} is not in Hounsfield units: {values.min():g} to {values.max():g}, hardly any below water",
            "an MRI, a windowed image or a CT that lost its rescale intercept looks like this",
            FIX,
        )
    bone_mm3 = _count(values, lambda slab: slab > float(BONE_HU)) * grid.voxel_mm3
    if bone_mm3 < float(MIN_BONE_MM3):
        raise ImageError(
            f"{name} holds no bone ({bone_mm3:.0f} mm3 above {BONE_HU:g} HU)", "", "give the scan of the spine"
        )
    check_scale(values, name)


def _count(values: NDArray[Any], test: Callable[[NDArray[Any]], NDArray[np.bool_]]) -> int:
    """How many voxels pass a test; plane by plane, so that no mask of the whole scan is made."""
    return sum(int(np.count_nonzero(test(plane))) for plane in values)


def _check_finite(values: NDArray[Any], name: str) -> None:
    if values.dtype.kind != "f":
        return
    bad = values.size - _count(values, np.isfinite)
    if bad:
        raise ImageError(
            f"{name} has {bad} voxels that are NaN or infinite",
            "no density can be read there",
            "replace what lies outside the scan by -1024 and keep the rest as it was",
        )

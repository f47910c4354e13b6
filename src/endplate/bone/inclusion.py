"""Cement or metal inside a vertebral body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.bone.depth import depth_mm
from endplate.cited import cited
from endplate.finding import Caution
from endplate.level import Level

DENSE_HU = cited(
    1000.0,
    "[hnsf'U]",
    "own limit: radiopaque bone cement and metal lie above; sclerosed cancellous bone rarely",
    "design",
    cite="kalender_2011",
)
INSIDE_MM = cited(3.0, "mm", "cortex and endplates with their blur lie shallower", "design")
MIN_ML = cited(0.1, "mL", "a ball of 6 mm: less may be a bone island", "design")
MM3_PER_ML = 1000


def inclusion_ml(vertebra: Vertebra, hu: NDArray[np.floating]) -> float:
    """Volume of dense pieces deep inside the vertebral body, mL; 0 where there is none.

    Parameters
    ----------
    vertebra : body mask and grid.
    hu : (I, J, K) CT on the vertebra's grid.
    """
    dense = (hu > DENSE_HU) & vertebra.body
    if not dense.any():
        return 0.0
    dense &= depth_mm(vertebra) > INSIDE_MM
    pieces, count = ndimage.label(dense)
    if not count:
        return 0.0
    volumes = np.bincount(pieces.ravel())[1:] * vertebra.grid.voxel_mm3 / MM3_PER_ML
    return float(volumes[volumes >= MIN_ML].sum())


def inclusion_caution(level: Level, volume_ml: float) -> Caution:
    """What a reader must know of a body that holds cement or metal."""
    text = (
        f"{volume_ml:.1f} mL above {DENSE_HU:g} HU inside the body: cement or metal; the density is that of the bone "
        "beside it, and streaks and scatter may alter it"
    )
    return Caution(code="dense_inclusion", level=level, text=text)

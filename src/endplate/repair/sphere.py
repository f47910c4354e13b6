"""The baseline that a simulation has to beat: the same volume of cement as plain balls about the tips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.image.volume import Grid
from endplate.repair.permeability import Pores

HALVINGS = cited(40, "1", "Halves the bracket of the radius to far below a micrometre", "design")


def same_volume_balls(
    pores: Pores, grid: Grid, tips_mm: Sequence[NDArray[np.float64]], volume_ml: float
) -> tuple[NDArray[np.float32], bool]:
    """Saturation (I, J, K) of balls of one radius about the tips that take `volume_ml`, and whether they are clipped.

    The body's surface cuts the balls; they grow until what is left of them inside takes the volume.
    """
    if volume_ml <= 0:
        return np.zeros(grid.shape, np.float32), False
    centres = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    distance = np.min([np.linalg.norm(centres - tip, axis=-1) for tip in tips_mm], axis=0)
    takes = (pores.inside * pores.porosity * pores.uptake).astype(float) * grid.voxel_mm3 / 1000
    edge = float(grid.spacing_mm[0])
    low, high = 0.0, float(distance.max()) + edge
    for _ in range(int(HALVINGS)):
        radius = (low + high) / 2
        if float((takes * _covered(distance, radius, edge)).sum()) < volume_ml:
            low = radius
        else:
            high = radius
    ball = _covered(distance, high, edge)
    outside = ndimage.binary_dilation(pores.inside <= 0)
    return np.where(pores.inside > 0, ball, 0).astype(np.float32), bool((outside & (ball > 0.5)).any())


def _covered(distance_mm: NDArray[np.float64], radius_mm: float, edge_mm: float) -> NDArray[np.float64]:
    """Share of voxels within a ball, as if its surface cut them squarely."""
    return np.clip((radius_mm - distance_mm) / edge_mm + 0.5, 0, 1)

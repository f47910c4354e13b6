"""The baseline that a simulation has to beat: the same volume of cement as plain balls about the tips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.image.volume import Grid
from endplate.repair.cement.permeability import Pores

HALVINGS = cited(40, "1", "Halves the bracket of the radius to far below a micrometre", "design")
FILLED = cited(0.5, "1", "A voxel half filled lies inside the outline, as the pictures draw it", "design")
NEARLY_ALL = cited(95.0, "%", "Usual percentile of surface distances: one stray voxel does not decide it", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How alike two shapes of cement are, by their outlines at half filling; distances to about a voxel.

    Attributes
    ----------
    dice : 2 |A and B| / (|A| + |B|). centroid_mm : between the centroids. mean_mm, max_mm : mean and 95th percentile
    of the distances from each surface to the other. volume_error : outlined volume over that of the other, minus 1.
    """

    dice: float
    centroid_mm: float
    mean_mm: float
    max_mm: float
    volume_error: float


def agreement(shape: NDArray[np.floating], other: NDArray[np.floating], spacing_mm: float) -> Agreement | None:
    """How a shape of cement agrees with another on the same cubes; None where either fills no voxel by half.

    Parameters
    ----------
    shape, other : (I, J, K) share of each voxel's pores that cement fills. spacing_mm : edge of the cubes.
    """
    first, second = (np.pad(np.asarray(part) >= FILLED, 1) for part in (shape, other))
    if not (first.any() and second.any()):
        return None
    rims = [part & ~ndimage.binary_erosion(part) for part in (first, second)]
    away = [ndimage.distance_transform_edt(~rim) * spacing_mm for rim in rims]
    between = np.concatenate([away[1][rims[0]], away[0][rims[1]]])
    centres = [np.argwhere(part).mean(axis=0) for part in (first, second)]
    return Agreement(
        dice=float(2 * (first & second).sum() / (first.sum() + second.sum())),
        centroid_mm=float(np.linalg.norm(centres[0] - centres[1])) * spacing_mm,
        mean_mm=float(between.mean()),
        max_mm=float(np.percentile(between, NEARLY_ALL)),
        volume_error=float(first.sum() / second.sum() - 1),
    )


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

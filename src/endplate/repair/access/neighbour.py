"""The bones above and below: a needle on its way must not pass through their joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.cited import cited

REACH_MM = cited(30.0, "mm", "Own choice: joints that a needle into this level could meet lie within this", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """Border voxels of other vertebrae: points and zero normals, (n, 3) in the frame of the vertebra between them."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]


def neighbour_points(spine: Spine, vertebra: Vertebra, outward: int) -> Neighbours:
    """Outer voxel centres of the other vertebrae's arches on one side, behind the body's middle."""
    found = [np.zeros((0, 3))]
    for other in spine.vertebrae:
        if other is vertebra:
            continue
        mask = other.body | other.arch
        border = other.arch & ~ndimage.binary_erosion(mask)
        local = vertebra.to_local_mm(other.grid.to_mm(np.argwhere(border)))
        near = (np.abs(local[:, 2]) < REACH_MM) & (local[:, 1] < 0) & (local[:, 0] * outward > 0)
        found.append(local[near])
    points = np.concatenate(found)
    return Neighbours(points=points, normals=np.zeros_like(points))

"""Bones that move as one piece: where two claim the same place the first keeps it whole, and the overlap is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.surface import HALF_LEVEL
from endplate.cited import cited
from endplate.image.volume import Grid

SAME_PLACE_VOXELS = cited(0.5, "voxel", "an origin nearer than this is in the same voxel", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RigidGroup:
    """A rigid piece of bone.

    Attributes
    ----------
    mask : (I, J, K) its voxels before, on `grid`. back : (4, 4) LPS mm after to LPS mm before.
    """

    mask: NDArray[np.bool_]
    grid: Grid
    back: NDArray[np.float64]

    def claim(
        self, scan: Grid, first_plane: int, index: NDArray[np.float32], free: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], int]:
        """Set the origins of the voxels that this piece comes to fill.

        Parameters
        ----------
        index : (I, J, K, 3) origins in scan indices of the planes from `first_plane`; changed in place.
        free : (I, J, K) which of them no earlier piece has claimed.

        Returns
        -------
        (I, J, K) which voxels it has; how many of them had another origin before.
        """
        taken = np.zeros(free.shape, bool)
        box = self._reach(scan, first_plane, free.shape[2])
        if any(part.stop <= part.start for part in box):
            return taken, 0
        places = np.stack(np.meshgrid(*(np.arange(part.start, part.stop) for part in box), indexing="ij"), axis=-1)
        places = places + np.array([0, 0, first_plane])
        before = scan.to_mm(places) @ self.back[:3, :3].T + self.back[:3, 3]
        at = np.moveaxis(self.grid.to_index(before), -1, 0)
        inside = ndimage.map_coordinates(self.mask.astype(np.float32), at, order=1)
        mine = (inside > HALF_LEVEL) & free[box]
        origin = scan.to_index(before[mine])
        here = index[box]
        away = np.abs(here[mine] - origin).max(axis=1) > SAME_PLACE_VOXELS
        here[mine] = origin
        taken[box] = mine
        return taken, int(away.sum())

    def _reach(self, scan: Grid, first_plane: int, planes: int) -> tuple[slice, ...]:
        """The voxels of some planes that the piece may come to fill."""
        corners = np.indices((2, 2, 2)).reshape(3, -1).T * np.array(self.grid.shape) - 0.5
        forth = np.linalg.inv(self.back)
        index = scan.to_index(self.grid.to_mm(corners) @ forth[:3, :3].T + forth[:3, 3]) - [0, 0, first_plane]
        low, high = np.floor(index.min(axis=0)), np.ceil(index.max(axis=0)) + 1
        size = np.array([*scan.shape[:2], planes])
        return tuple(slice(int(a), int(b)) for a, b in zip(np.clip(low, 0, size), np.clip(high, 0, size), strict=True))

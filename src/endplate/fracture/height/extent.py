"""How far a body reaches to the front, the back and the sides at mid-height, sub-voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.surface import HALF_LEVEL, half_level
from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.image.volume import Grid

STEP_MM = cited(0.25, "mm", "Own choice: a quarter of the finest usual voxel along a wall", "design")
REACH_MM = cited(45, "mm", "Own choice: no body reaches further from its centroid", "design")
MID_HEIGHT_MM = cited(
    2, "mm", "Own choice: mid-height is read at three heights within +-2 mm, the median kept", "design"
)
SIDE_SLICES_MM = cited(
    5, "mm", "own algorithm, docs/theory.md, morphometry step 5: mid-sagittal band of +-5 mm", "design"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Mid-height reach of a body in its own frame, mm: front and back walls, right and left walls, its middle."""

    front_mm: float
    back_mm: float
    right_mm: float
    left_mm: float
    middle_mm: float

    @property
    def depth_mm(self) -> float:
        """Front to back."""
        return self.front_mm - self.back_mm

    @property
    def width_mm(self) -> float:
        """Side to side."""
        return self.right_mm - self.left_mm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyField:
    """A smooth indicator of a body whose half level is its surface, sampled anywhere in a vertebra's frame.

    `voxels` : voxels of the grid in one of the label's own, along each axis.
    """

    field: NDArray[np.float32]
    grid: Grid
    origin_mm: NDArray[np.float64]
    axes: NDArray[np.float64]
    voxels: tuple[float, ...] = (1.0, 1.0, 1.0)

    def at(self, local_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values 0..1 at local points (..., 3); 0 outside the grid."""
        index = self.grid.to_index(local_mm @ self.axes + self.origin_mm)
        flat = index.reshape(-1, 3).T
        return np.asarray(ndimage.map_coordinates(self.field, flat, order=1, mode="constant").reshape(index.shape[:-1]))


def body_field(vertebra: Vertebra) -> BodyField:
    """The body of a vertebra as a field in its own frame, padded by air so that walls at the crop's edge close."""
    margin = 3
    padded = np.pad(vertebra.body, margin)
    shape = np.array(vertebra.body.shape)
    grid = vertebra.grid.crop([-margin] * 3, shape + margin)
    voxels = tuple(vertebra.edges_mm / vertebra.grid.spacing_mm)
    field = half_level(padded, voxels)
    return BodyField(field=field, grid=grid, origin_mm=vertebra.centroid_mm, axes=vertebra.axes, voxels=voxels)


def body_extent(vertebra: Vertebra) -> Extent | None:
    """Reach of a body at mid-height; None where the centre of the frame is not in bone.

    Front and back are medians over three slices of the mid-sagittal band and three heights about the middle.
    """
    body = body_field(vertebra)
    middle = _middle_height(body)
    if middle is None:
        return None
    heights = middle + np.array([-1, 0, 1]) * MID_HEIGHT_MM
    sides = np.array([-1, 0, 1]) * SIDE_SLICES_MM / 2
    faces = [walls(body, 1, (x, z)) for x in sides for z in heights]
    flanks = [walls(body, 0, (0.0, z)) for z in heights]
    faces, flanks = [w for w in faces if w], [w for w in flanks if w]
    if not faces or not flanks:
        return None
    back, front = np.median(np.array(faces), axis=0)
    left, right = np.median(np.array(flanks), axis=0)
    return Extent(
        front_mm=float(front),
        back_mm=float(back),
        right_mm=float(right),
        left_mm=float(left),
        middle_mm=0.0,
    )


def _middle_height(body: BodyField) -> float | None:
    """Height half-way between the endplates above and below the body's centroid, mm."""
    column = walls(body, 2, (0.0, 0.0))
    return None if column is None else sum(column) / 2


def walls(body: BodyField, axis: int, at_mm: tuple[float, float]) -> tuple[float, float] | None:
    """Where a line along a local axis leaves the body on either side of the frame's centre, mm; None if not in it."""
    reach = REACH_MM
    along = np.arange(-reach, reach + STEP_MM / 2, STEP_MM)
    points = np.empty((len(along), 3))
    points[:, axis] = along
    points[:, [other for other in range(3) if other != axis]] = at_mm
    value = body.at(points)
    centre = len(along) // 2
    if value[centre] < HALF_LEVEL:
        return None
    low = _crossing(along[centre::-1], value[centre::-1])
    high = _crossing(along[centre:], value[centre:])
    return None if low is None or high is None else (low, high)


def _crossing(along_mm: NDArray[np.float64], value: NDArray[np.float64]) -> float | None:
    """Outermost place where the value falls through the half level, linear between samples."""
    inside = np.flatnonzero(value >= HALF_LEVEL)
    last = int(inside[-1])
    if last == len(value) - 1:
        return None
    share = (value[last] - HALF_LEVEL) / (value[last] - value[last + 1])
    return float(along_mm[last] + share * (along_mm[last + 1] - along_mm[last]))

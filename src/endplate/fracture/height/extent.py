"""How far a body reaches to the front, the back and the sides at mid-height, sub-voxel."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.surface import close_crop, half_level, last_crossings, smoothing_reach
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

    def last_crossings(
        self, local_mm: NDArray[np.float64], step_mm: NDArray[np.float64], count: int
    ) -> NDArray[np.float64]:
        """Where lines of `count` points from local points (..., 3) leave the body for the last time, in steps (3,) mm.

        NaN for a line beside the body, infinity where the last point lies inside; there is air outside the grid.
        """
        start = self.grid.to_index(local_mm @ self.axes + self.origin_mm)
        step = np.linalg.inv(self.grid.affine[:3, :3]) @ (step_mm @ self.axes)
        return last_crossings(self.field, start, step, count)


def body_field(vertebra: Vertebra) -> BodyField:
    """The body of a vertebra as a field in its own frame, padded by air so that walls at the crop's edge close."""
    voxels = tuple(vertebra.edges_mm / vertebra.grid.spacing_mm)
    mask, grid = close_crop(vertebra.body, vertebra.grid, smoothing_reach(voxels) + 2, padded=True)
    field = half_level(mask, voxels)
    return BodyField(field=field, grid=grid, origin_mm=vertebra.centroid_mm, axes=vertebra.axes, voxels=voxels)


def body_extent(vertebra: Vertebra, body: BodyField | None = None) -> Extent | None:
    """Reach of a body at mid-height; None where the centre of the frame is not in bone.

    Front and back are medians over three slices of the mid-sagittal band and three heights about the middle.

    Parameters
    ----------
    body : the vertebra's field where it is there already.
    """
    if vertebra not in _EXTENTS:
        _EXTENTS[vertebra] = _extent(body or body_field(vertebra))
    return _EXTENTS[vertebra]


_EXTENTS: WeakKeyDictionary[Vertebra, Extent | None] = WeakKeyDictionary()
"""Each reading of a level asks for its reach again; a vertebra never changes."""


def _extent(body: BodyField) -> Extent | None:
    column = walls(body, 2, (0.0, 0.0))
    if column is None:
        return None
    heights = sum(column) / 2 + np.array([-1, 0, 1]) * MID_HEIGHT_MM
    sides = np.array([-1, 0, 1]) * SIDE_SLICES_MM / 2
    faces = _seen(reach_from(body, 1, np.array([(x, z) for x in sides for z in heights])))
    flanks = _seen(reach_from(body, 0, np.array([(0.0, z) for z in heights])))
    if not len(faces) or not len(flanks):
        return None
    back, front = np.median(faces, axis=0)
    left, right = np.median(flanks, axis=0)
    return Extent(
        front_mm=float(front),
        back_mm=float(back),
        right_mm=float(right),
        left_mm=float(left),
        middle_mm=0.0,
    )


def _seen(reach: NDArray[np.float64]) -> NDArray[np.float64]:
    return reach[np.isfinite(reach).all(axis=1)]


def walls(body: BodyField, axis: int, at_mm: tuple[float, float]) -> tuple[float, float] | None:
    """Where a line along a local axis leaves the body on either side of the frame's centre, mm; None if not in it."""
    low, high = reach_from(body, axis, np.array([at_mm]))[0]
    return (float(low), float(high)) if np.isfinite(low) and np.isfinite(high) else None


def reach_from(body: BodyField, axis: int, at_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where lines along a local axis leave the body on either side of the frame's centre, mm.

    Parameters
    ----------
    at_mm : (n, 2) coordinates of the lines along the two other axes.

    Returns
    -------
    (n, 2), the lower side first; not finite for a line whose middle is not in the body or that never leaves it.
    """
    middle = np.zeros((len(at_mm), 3))
    middle[:, [other for other in range(3) if other != axis]] = at_mm
    step = np.eye(3)[axis] * STEP_MM
    count = round(REACH_MM / STEP_MM) + 1
    low, high = (body.last_crossings(middle, sign * step, count) * sign * STEP_MM for sign in (-1, 1))
    within = np.isinf(body.last_crossings(middle, step, 1))
    return np.where(within[:, None], np.stack([low, high], axis=-1), np.nan)

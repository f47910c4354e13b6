"""The two plates that crush the body: which nodes they hold and how far each column has been pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.fracture.height.patch import PLACES
from endplate.fracture.normals import Triple
from endplate.image.volume import Grid
from endplate.synthetic_fracture.heights import Body
from endplate.synthetic_fracture.plan import Collapse, lowering

GAP_VOXELS = cited(
    2.0, "voxel", "two voxels of cap between plate and endplate, so that the endplate may bend", "design"
)
OVERHANG_VOXELS = cited(2, "1", "plates reach over the endplate's border by the width of a spline", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Platens:
    """Plates over the node box of the engine; own coordinates run along (left, posterior, superior).

    Attributes
    ----------
    height_mm : (nx, ny, nz) own z of the nodes.
    upper_mm, lower_mm : (nx, ny) faces of the plates before any travel, NaN where there is none.
    down_mm, up_mm : (nx, ny) travel at full loss.
    """

    height_mm: NDArray[np.float64]
    upper_mm: NDArray[np.float64]
    lower_mm: NDArray[np.float64]
    down_mm: NDArray[np.float64]
    up_mm: NDArray[np.float64]

    @property
    def longest_mm(self) -> float:
        """The longest travel of any column."""
        return float(max(np.nanmax(self.down_mm), np.nanmax(self.up_mm)))

    def holds(self, travelled: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Nodes (nx, ny, nz) within the upper and the lower plate after a share of the travel."""
        with np.errstate(invalid="ignore"):
            upper = self.height_mm >= (self.upper_mm - travelled * self.down_mm)[:, :, None]
            lower = self.height_mm <= (self.lower_mm + travelled * self.up_mm)[:, :, None]
        return upper, lower

    def move(self, upper: NDArray[np.bool_], lower: NDArray[np.bool_], share: float) -> NDArray[np.float64]:
        """Displacement (nx, ny, nz, 3) mm of the held nodes for a share of the travel."""
        move = np.zeros((*self.height_mm.shape, 3))
        move[..., 2] = np.where(upper, -share * np.nan_to_num(self.down_mm)[:, :, None], 0.0)
        move[..., 2] += np.where(lower, share * np.nan_to_num(self.up_mm)[:, :, None], 0.0)
        return move


Travel = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""LPS mm (..., 3) of columns to the travel (...) of the upper plate downwards and of the lower one upwards, mm."""


def travel_of(body: Body, collapse: Collapse, intact: Triple) -> Travel:
    """The travel that a planned collapse asks for; `intact` are the heights that its losses are shares of, mm."""

    def travel(lps_mm: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        across, along = body.place(body.vertebra.to_local_mm(lps_mm))
        down, up = lowering(collapse.shape, across, along)
        height = np.interp(along, [float(place) for place in PLACES.values()], intact) * collapse.loss
        return down * height, up * height

    return travel


def build_platens(node_mm: NDArray[np.float64], grid: Grid, filled: NDArray[np.bool_], travel: Travel) -> Platens:
    """Plates over a body.

    Parameters
    ----------
    node_mm : (nx, ny, nz, 3) nodes of the engine, own coordinates from the outer corner of voxel 0.
    grid, filled : the cubes along the vertebra's own axes, and which are the body. travel : of each column.
    """
    voxel_mm = float(grid.spacing_mm.mean())
    columns, top, bottom = _faces(filled)
    column = np.rint(node_mm[:, :, 0, :2] / voxel_mm - 0.5).astype(int)
    column = np.clip(column, 0, np.array(filled.shape[:2]) - 1)
    at = (column[..., 0], column[..., 1])
    reach = ndimage.binary_dilation(columns, iterations=int(OVERHANG_VOXELS))
    beyond = (node_mm[:, :, 0, :2] < -OVERHANG_VOXELS * voxel_mm).any(axis=-1)
    there = reach[at] & ~beyond
    gap = GAP_VOXELS * voxel_mm
    down, up = travel(grid.to_mm(node_mm[:, :, 0] / voxel_mm - 0.5))
    return Platens(
        height_mm=np.ascontiguousarray(node_mm[..., 2]),
        upper_mm=np.where(there, (top[at] + 1) * voxel_mm + gap, np.nan),
        lower_mm=np.where(there, bottom[at] * voxel_mm - gap, np.nan),
        down_mm=np.where(there, down, np.nan),
        up_mm=np.where(there, up, np.nan),
    )


def _faces(body: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Columns that hold bone, and their highest and lowest voxel, smooth and carried on beyond the border."""
    columns = np.asarray(body.any(axis=2))
    top = body.shape[2] - 1 - body[:, :, ::-1].argmax(axis=2)
    bottom = body.argmax(axis=2)
    nearest = ndimage.distance_transform_edt(~columns, return_distances=False, return_indices=True)
    return columns, _smooth(top[tuple(nearest)]), _smooth(bottom[tuple(nearest)])


def _smooth(face: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(ndimage.gaussian_filter(face.astype(float), 2.0, mode="nearest"))

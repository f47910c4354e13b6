"""Sections that follow the curve of the spine, so that one flat picture passes through every body's middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.anatomy.vertebra import Spine
from endplate.image.volume import Grid

View = Literal["sagittal", "coronal"]

REACH_MM = {"sagittal": (-92.0, 62.0), "coronal": (-72.0, 82.0)}
"""How far a section reaches around the spine, mm: sagittal back and front, coronal left and right of the patient.

The longer front and right sides leave room for names and heights; both views span the same width, so that they are
drawn to one scale.
"""
BEYOND_MM = 26.0
"""How far a section goes on above the first and below the last body centre, mm."""
END_KNOT_MM = 40.0

TOLERANCE_PX = 0.3
"""How far a drawn outline may lie from the computed one, in pixels of half a millimetre: less than a line is wide."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpineFrame:
    """A straight frame (right, anterior, superior) through the spine and its curve.

    `knots` (n, 3) are points of the curve in that frame, sorted upward.
    """

    origin_mm: NDArray[np.float64]
    axes: NDArray[np.float64]
    knots: NDArray[np.float64]

    def local(self, xyz_mm: ArrayLike) -> NDArray[np.float64]:
        """World LPS mm (..., 3) to (right, anterior, superior) mm."""
        return (np.asarray(xyz_mm, float) - self.origin_mm) @ self.axes.T

    def world(self, local_mm: ArrayLike) -> NDArray[np.float64]:
        """(right, anterior, superior) mm (..., 3) to world LPS mm."""
        return np.asarray(local_mm, float) @ self.axes + self.origin_mm

    def centre(self, superior_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Right and anterior coordinates (n, 2) of the spine's curve at heights (n,) mm."""
        from scipy.interpolate import PchipInterpolator

        height = np.clip(superior_mm, self.knots[0, 2], self.knots[-1, 2])
        return np.asarray(PchipInterpolator(self.knots[:, 2], self.knots[:, :2])(height))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """A picture plane: pixel (row, column) to world, and world to picture millimetres (right and down positive)."""

    frame: SpineFrame
    view: View
    left_mm: float
    top_mm: float
    width_mm: float
    height_mm: float
    points_mm: NDArray[np.float64]

    def project(self, xyz_mm: ArrayLike) -> NDArray[np.float64]:
        """World LPS mm (..., 3) to picture mm (..., 2) from the upper left corner."""
        local = self.frame.local(xyz_mm)
        across = local[..., 1] if self.view == "sagittal" else local[..., 0]
        return np.stack([self.left_mm - across, self.top_mm - local[..., 2]], axis=-1)


def fit_frame(spine: Spine) -> SpineFrame:
    """The frame of a spine: up along its own run, right from its vertebrae."""
    centres = np.array([vertebra.centroid_mm for vertebra in spine.vertebrae])
    mean = np.mean([vertebra.axes for vertebra in spine.vertebrae], axis=0)
    up = _unit(centres[0] - centres[-1]) if len(centres) > 1 else _unit(mean[2])
    right = _unit(mean[0] - (mean[0] @ up) * up)
    axes = np.stack([right, np.cross(up, right), up])
    first, last = spine.vertebrae[0], spine.vertebrae[-1]
    ends = [first.centroid_mm + END_KNOT_MM * first.axes[2], last.centroid_mm - END_KNOT_MM * last.axes[2]]
    knots = (np.vstack([ends[:1], centres, ends[1:]]) - centres.mean(axis=0)) @ axes.T
    knots = knots[np.argsort(knots[:, 2])]
    distinct = np.concatenate([[True], np.diff(knots[:, 2]) > 1e-3])
    return SpineFrame(origin_mm=centres.mean(axis=0), axes=axes, knots=knots[distinct])


def cut(frame: SpineFrame, view: View, pixel_mm: float = 0.7) -> Section:
    """A curved section: at every height it passes through the spine's curve."""
    low, high = REACH_MM[view]
    axis = 1 if view == "sagittal" else 0
    inner = frame.knots[1:-1] if len(frame.knots) > 2 else frame.knots
    left, right = inner[:, axis].max() + high, inner[:, axis].min() + low
    top, bottom = inner[:, 2].max() + BEYOND_MM, inner[:, 2].min() - BEYOND_MM
    across = left - np.arange(int((left - right) / pixel_mm)) * pixel_mm
    heights = top - np.arange(int((top - bottom) / pixel_mm)) * pixel_mm
    middle = frame.centre(heights)
    local = np.empty((len(heights), len(across), 3))
    local[..., 2] = heights[:, None]
    local[..., axis] = across[None, :]
    local[..., 1 - axis] = middle[:, None, 1 - axis]
    return Section(
        frame=frame,
        view=view,
        left_mm=float(left),
        top_mm=float(top),
        width_mm=float(left - right),
        height_mm=float(top - bottom),
        points_mm=frame.world(local),
    )


def sample(
    array: NDArray[np.generic], grid: Grid, points_mm: NDArray[np.float64], outside: float = np.nan
) -> NDArray[np.float32]:
    """Trilinear values of an (I, J, K) array at world points (..., 3); `outside` beyond the grid."""
    from scipy.ndimage import map_coordinates

    index = grid.to_index(points_mm)
    inside = ((index >= -0.5) & (index <= np.array(grid.shape) - 0.5)).all(axis=-1)
    values = np.full(points_mm.shape[:-1], outside, np.float32)
    # Only the points within, and no float copy of a whole scan: it can be larger than everything else together.
    source = array.view(np.uint8) if array.dtype == bool else array
    values[inside] = map_coordinates(source, index[inside].T, output=np.float32, order=1, mode="nearest")
    return values


def outlines(mask: NDArray[np.float32], level: float = 0.5) -> list[NDArray[np.float64]]:
    """Closed outlines [(n, 2) column, row] of a sampled mask at a level."""
    from contourpy import contour_generator

    if mask.shape[0] < 2 or mask.shape[1] < 2 or not (mask > level).any():
        return []
    return [simplified(np.asarray(line)) for line in contour_generator(z=np.nan_to_num(mask)).lines(level)]


def simplified(line: NDArray[np.float64], tolerance: float = TOLERANCE_PX) -> NDArray[np.float64]:
    """A line (n, 2) without the points that lie closer than a tolerance to the line of the others (Douglas-Peucker)."""
    keep = np.zeros(len(line), bool)
    keep[[0, -1]] = True
    parts = [(0, len(line) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        away = _distances(line[first + 1 : last], line[first], line[last])
        far = int(away.argmax())
        if away[far] > tolerance:
            middle = first + 1 + far
            keep[middle] = True
            parts += [(first, middle), (middle, last)]
    return line[keep]


def _distances(
    points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distances of points (n, 2) from the segment between two others."""
    along, away = end - start, points - start
    square = float(along @ along)
    share = np.clip(away @ along / square, 0.0, 1.0) if square > 0 else np.zeros(len(points))
    return np.asarray(np.linalg.norm(away - share[:, None] * along, axis=1))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)

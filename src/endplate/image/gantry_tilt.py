"""Undo the shear of a tilted gantry: afterwards the grid's axes are at right angles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import ImageError
from endplate.image.resample import resample_labels, resample_volume
from endplate.image.volume import Grid, LabelMap, Volume

MAX_SKEW = cited(
    0.005, "1", "cosine between axes: 0.3 degrees moves the top of a vertebra by 0.15 mm; headers round finer", "design"
)


MAX_TILT_DEG = cited(40.0, "deg", "own limit: gantries tilt by some 30 degrees at most", "design")


def straighten_volume(volume: Volume) -> Volume:
    """The same CT on a grid with right angles, with a note on the tilt; unchanged where the angles are right."""
    if skew(volume.grid) <= MAX_SKEW:
        return volume
    _check_tilt(volume.grid)
    straight = resample_volume(volume, straight_grid(volume.grid))
    note = f"gantry tilt of {np.degrees(np.arcsin(skew(volume.grid))):.1f} degrees undone by resampling"
    series = None if volume.series is None else replace(volume.series, notes=(*volume.series.notes, note))
    return replace(straight, series=series)


def straighten_labels(labels: LabelMap) -> LabelMap:
    """The same labels on a grid with right angles, nearest neighbour; unchanged where the angles are right."""
    if skew(labels.grid) <= MAX_SKEW:
        return labels
    _check_tilt(labels.grid)
    straight = resample_labels(labels, straight_grid(labels.grid))
    return replace(straight, notes=(*straight.notes, "sheared grid straightened by nearest neighbour"))


def _check_tilt(grid: Grid) -> None:
    """A grid with right angles over a grid that is almost flat would be as large as memory allows."""
    tilt = float(np.degrees(np.arcsin(min(skew(grid), 1.0))))
    if tilt > float(MAX_TILT_DEG):
        raise ImageError(
            f"the axes of the image meet at {90 - tilt:.0f} degrees", "no gantry tilts so far", "correct its header"
        )


def skew(grid: Grid) -> float:
    """The largest cosine between two of the grid's axes; 0 for right angles."""
    return float(np.abs(_cosines(grid) - np.eye(3)).max())


def straight_grid(grid: Grid) -> Grid:
    """A grid with right angles over the whole sheared one.

    The two axes that are closest to a right angle are kept (the image planes of a tilted scan) and the third is
    made normal to them at the same distance between planes.
    """
    cosines = np.abs(_cosines(grid))
    third = min(range(3), key=lambda axis: cosines[(axis + 1) % 3, (axis + 2) % 3])
    first, second = (third + 1) % 3, (third + 2) % 3
    unit = grid.affine[:3, :3] / grid.spacing_mm
    directions = np.empty((3, 3))
    directions[:, first] = unit[:, first]
    across = unit[:, second] - (unit[:, second] @ unit[:, first]) * unit[:, first]
    directions[:, second] = across / np.linalg.norm(across)
    normal = np.cross(directions[:, first], directions[:, second])
    directions[:, third] = normal * np.sign(normal @ unit[:, third])
    spacing = grid.spacing_mm.copy()
    spacing[third] *= abs(float(directions[:, third] @ unit[:, third]))
    return _covering(grid, directions, spacing)


def _covering(grid: Grid, directions: NDArray[np.float64], spacing: NDArray[np.float64]) -> Grid:
    """The grid of these directions and spacings that starts at the lowest and ends past the highest corner voxel."""
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.array(grid.shape) - 1)
    along = grid.to_mm(corners) @ directions / spacing
    low, high = along.min(axis=0), along.max(axis=0)
    affine = np.eye(4)
    affine[:3, :3] = directions * spacing
    affine[:3, 3] = directions @ (low * spacing)
    i, j, k = (int(np.ceil(n - 1e-6)) + 1 for n in high - low)
    return Grid(shape=(i, j, k), affine=affine)


def _cosines(grid: Grid) -> NDArray[np.float64]:
    unit = grid.affine[:3, :3] / grid.spacing_mm
    return unit.T @ unit

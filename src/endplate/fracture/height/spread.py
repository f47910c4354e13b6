"""How far the heights move when they are measured again: mask moved half a voxel, frame turned 3 degrees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.surface import HALF_LEVEL, half_level
from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.fracture.height.extent import BodyField, Extent, body_field
from endplate.fracture.height.patch import band_heights
from endplate.fracture.height.plate import SIDE_MM, without_steps

MOVE_VOXELS = cited(
    0.5, "voxel", "own algorithm, docs/theory.md, morphometry step 8: repeat with the mask +-0.5 voxel", "design"
)
TURN_DEG = cited(
    3, "deg", "own algorithm, docs/theory.md, morphometry step 8: repeat with the frame +-3 degrees", "design"
)
BORDER_SD_MM = cited(
    0.25,
    "mm",
    "own study: what repeats miss on digital spines whose label borders wander by 0.4 mm: "
    "SD of error 0.29, of repeats 0.19 mm",
    "design",
)
TIE = 1e-6
"""A flat face moved by half a voxel lies at the half level itself: rounding must not decide on which side."""
COLUMN_STEP_MM = cited(1, "mm", "Own choice: repeats need only the scatter; columns 1 mm apart show it", "design")
RISE_STEP_MM = cited(0.5, "mm", "own algorithm, docs/theory.md, morphometry step 3: resample at 0.5 mm", "design")
COLUMN_REACH_MM = cited(25, "mm", "Own choice: no endplate lies further from the body's centroid", "design")


def remeasured(vertebra: Vertebra, extent: Extent, edge_mm: float, body: BodyField | None = None) -> list[float | None]:
    """SD of the anterior, middle and posterior height over repeats, mm; moves and turns add in squares.

    Parameters
    ----------
    vertebra, extent : the body and its reach at mid-height. edge_mm : voxel edge along its superior axis.
    body : the vertebra's field where it is there already.
    """
    right, anterior = _columns(extent)
    x, y = np.meshgrid(right, anterior, indexing="ij")
    body = body or body_field(vertebra)

    def heights(fields: Iterable[BodyField]) -> list[NDArray[np.float64]]:
        return [_heights(right, anterior, column_ends(field, x, y), extent, edge_mm) for field in fields]

    unmoved = heights([body])
    both = np.hypot(*(_sd(np.array(unmoved + heights(fields))) for fields in (_moved(body), _turned(body))))
    return [float(sd) if np.isfinite(sd) else None for sd in both]


def _heights(
    right: NDArray[np.float64],
    anterior: NDArray[np.float64],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    extent: Extent,
    edge_mm: float,
) -> NDArray[np.float64]:
    top, bottom = (without_steps(right, anterior, end, edge_mm) for end in ends)
    return band_heights(right, anterior, top - bottom, extent)


def _columns(extent: Extent) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Axes of the columns that the height patches are read from, mm."""
    side, step = SIDE_MM, COLUMN_STEP_MM
    inset = 2 * step
    right = extent.middle_mm + np.arange(-side, side + step, step)
    return right, np.arange(extent.back_mm + inset, extent.front_mm - inset + step, step)


def column_ends(
    body: BodyField, right_mm: NDArray[np.float64], anterior_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Heights of the last half-level crossings upwards and downwards in columns, mm; NaN where there is none."""
    reach, step = float(COLUMN_REACH_MM), float(RISE_STEP_MM)
    count = round(2 * reach / step) + 1
    found = []
    for up in (1, -1):
        start = np.stack([right_mm, anterior_mm, np.full_like(right_mm, -up * reach)], axis=-1)
        place = body.last_crossings(start, np.array([0.0, 0.0, up * step]), count)
        found.append(up * (np.where(np.isfinite(place), place, np.nan) * step - reach))
    return found[0], found[1]


def _moved(body: BodyField) -> Iterator[BodyField]:
    """The mask moved by half a voxel along each grid axis and made binary again."""
    stays, goes = (1 - MOVE_VOXELS) * body.field, MOVE_VOXELS * body.field
    for axis in range(3):
        for sign in (-1, 1):
            moved = stays + np.roll(goes, sign, axis)
            yield replace(body, field=half_level(moved >= HALF_LEVEL - TIE, body.voxels))


def _turned(body: BodyField) -> Iterator[BodyField]:
    """The frame turned to either side about each of its axes."""
    angle = np.deg2rad(TURN_DEG)
    for axis in range(3):
        for sign in (-1, 1):
            yield replace(body, axes=_rotation(axis, sign * angle) @ body.axes)


def _rotation(axis: int, angle_rad: float) -> NDArray[np.float64]:
    """Turn about one axis of a right-handed frame."""
    turn = np.eye(3)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turn[one, one] = turn[two, two] = np.cos(angle_rad)
    turn[one, two], turn[two, one] = -np.sin(angle_rad), np.sin(angle_rad)
    return turn


def _sd(repeats: NDArray[np.float64]) -> NDArray[np.float64]:
    """SD over the first axis, NaN repeats left out; NaN where fewer than three remain."""
    seen = np.isfinite(repeats)
    count = seen.sum(axis=0)
    mean = np.where(seen, repeats, 0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(seen, (repeats - mean) ** 2, 0).sum(axis=0)
    return np.where(count >= 3, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)

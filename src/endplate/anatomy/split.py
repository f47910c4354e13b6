"""Body and arch from the shape of one vertebra alone: what lies in front of the canal's front wall is body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.canal import Passage, body_shadow
from endplate.anatomy.shape_kernels import before_wall
from endplate.anatomy.surface import Frame, LocalBox, around
from endplate.cited import cited
from endplate.image.volume import Grid

WALL_SPAN = cited(0.8, "1", "Own choice: part of the canal's width where the wall is read", "design")
WALL_SEARCH_MM = cited(12, "mm", "Own choice: no wall of the same body lies farther ahead of the canal", "design")
WALL_OUTLIER_MM = cited(5, "mm", "Own choice: farther from the median is a lip or vein opening", "design")
CORNER_PERCENTILE = cited(10, "%", "Own choice: corners of the kidney-shaped section, without spikes", "design")
PEDICLE_ROOT_MM = cited(1, "mm", "Own choice: how far behind the corner line the pedicles are cut", "design")

OSTEOPHYTE_MM = cited(4, "mm", "Own choice: rims beyond the opened section stay with the body", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PosteriorWall:
    """Where the body ends towards the back, in a frame.

    Attributes
    ----------
    line : (2,) offset mm and slope of the anterior coordinate of the wall's corners along the superior axis.
    canal : the passage behind it; its columns belong to the body up to the canal's middle.
    footprint : (nx, ny) bool, columns that can hold body: transverse processes beside it are left out.
    right_mm, anterior_mm : coordinates of the footprint.
    """

    line: NDArray[np.float64]
    canal: Passage
    footprint: NDArray[np.bool_]
    right_mm: NDArray[np.float64]
    anterior_mm: NDArray[np.float64]


def find_posterior_wall(inside: NDArray[np.bool_], box: LocalBox, canal: Passage) -> PosteriorWall:
    """The posterior wall of the body in front of a canal.

    Parameters
    ----------
    inside : (nx, ny, nz) bool, the vertebra on `box`, anterior coordinate growing away from the canal.
    """
    columns = np.abs(box.right_mm - canal.right_mm) <= WALL_SPAN * canal.half_width_mm
    ahead = box.anterior_mm >= canal.anterior_mm
    block = inside[columns][:, ahead]
    met = block.any(axis=1)
    wall = np.where(met, box.anterior_mm[ahead][block.argmax(axis=1)], np.nan)
    wall[wall > canal.front_mm + WALL_SEARCH_MM] = np.nan
    line = _corner_line(wall, box.superior_mm, canal.front_mm)
    return PosteriorWall(
        line=line,
        canal=canal,
        footprint=_footprint(inside, box, line),
        right_mm=box.right_mm,
        anterior_mm=box.anterior_mm,
    )


def _footprint(inside: NDArray[np.bool_], box: LocalBox, line: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Columns of the body: the front part's shadow without its processes, and a little beyond."""
    cut = line[0] + line[1] * box.superior_mm - PEDICLE_ROOT_MM
    front = inside & (box.anterior_mm[None, :, None] > cut[None, None, :])
    core = body_shadow(front, box)
    return np.asarray(ndimage.distance_transform_edt(~core) * box.step_mm <= OSTEOPHYTE_MM)


def _corner_line(wall: NDArray[np.float64], superior_mm: NDArray[np.float64], front_mm: float) -> NDArray[np.float64]:
    """Robust straight line through the posterior corners of the wall (nx, nz), slice by slice."""
    seen = np.isfinite(wall).mean(axis=0) > WALL_SPAN
    if seen.sum() < 3:
        return np.array([front_mm, 0.0])
    corner = _percentile(wall[:, seen], float(CORNER_PERCENTILE))
    z = superior_mm[seen]
    keep = np.abs(corner - np.median(corner)) < WALL_OUTLIER_MM
    if keep.sum() < 3:
        return np.array([float(np.median(corner)), 0.0])
    slope, offset = np.polyfit(z[keep], corner[keep], 1)
    return np.array([offset, slope])


def _percentile(values: NDArray[np.float64], percent: float) -> NDArray[np.float64]:
    """Percentile of each column (n, m), NaN left out, as `nanpercentile` has it, which takes a loop over columns."""
    ordered = np.sort(values, axis=0)
    place = percent / 100 * (np.isfinite(values).sum(axis=0) - 1)
    low = np.floor(place).astype(int)
    column = np.arange(values.shape[1])
    here, there = ordered[low, column], ordered[np.ceil(place).astype(int), column]
    return np.asarray(here + (place - low) * (there - here))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Body and arch (I, J, K) bool of a vertebra, together its mask.

    `second_share` is the size of the largest other piece in front of the canal, as a fraction of the body: near 0 for
    one vertebra, large when the label reaches over two; `second_rise_mm` is how far it lies above the body (below:
    negative).
    """

    body: NDArray[np.bool_]
    arch: NDArray[np.bool_]
    second_share: float
    second_rise_mm: float = 0.0


def split_body(mask: NDArray[np.bool_], grid: Grid, frame: Frame, wall: PosteriorWall | None) -> Split:
    """Body and arch of a vertebra mask (I, J, K); without a wall (no arch in the mask) all of it is body."""
    if wall is None:
        return Split(body=mask.copy(), arch=np.zeros_like(mask), second_share=0.0)
    front = _front(mask, grid, frame, wall)
    within = around(front)
    parts, count = ndimage.label(front[within])
    second_share, rise = 0.0, 0.0
    if count > 1:
        sizes = np.bincount(parts.ravel())[1:]
        order = np.argsort(sizes)
        first, second = (1 + int(order[-1]), 1 + int(order[-2]))
        front[within] = parts == first
        second_share = float(sizes[order[-2]] / sizes[order[-1]])
        heights = [frame.to_local(grid.to_mm(np.argwhere(parts == one)))[:, 2].mean() for one in (first, second)]
        rise = float(heights[1] - heights[0])
    return Split(body=front, arch=mask & ~front, second_share=second_share, second_rise_mm=rise)


def _front(mask: NDArray[np.bool_], grid: Grid, frame: Frame, wall: PosteriorWall) -> NDArray[np.bool_]:
    """What of a mask (I, J, K) lies on the body's side of the wall: before its corners' line, or before the canal."""
    canal = wall.canal
    numbers = [wall.line[0] - PEDICLE_ROOT_MM, wall.line[1], canal.right_mm, canal.anterior_mm, canal.half_width_mm]
    numbers += [wall.right_mm[0], wall.anterior_mm[0], wall.right_mm[1] - wall.right_mm[0]]
    to_frame = np.ascontiguousarray(frame.axes @ grid.affine[:3, :3])
    front = np.zeros(mask.shape, bool)
    before_wall(mask, to_frame, frame.to_local(grid.affine[:3, 3]), np.array(numbers, float), wall.footprint, front)
    return front

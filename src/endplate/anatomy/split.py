"""Body and arch from the shape of one vertebra alone: what lies in front of the canal's front wall is body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.canal import Passage, body_shadow
from endplate.anatomy.surface import Frame, LocalBox
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

    def body_side(self, local_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether points (..., 3) of the frame lie on the body's side of the wall."""
        x, y, z = local_mm[..., 0], local_mm[..., 1], local_mm[..., 2]
        cut = self.line[0] + self.line[1] * z - PEDICLE_ROOT_MM
        before_canal = (np.abs(x - self.canal.right_mm) < self.canal.half_width_mm) & (y > self.canal.anterior_mm)
        step = self.right_mm[1] - self.right_mm[0]
        i = np.clip(np.rint((x - self.right_mm[0]) / step).astype(int), 0, len(self.right_mm) - 1)
        j = np.clip(np.rint((y - self.anterior_mm[0]) / step).astype(int), 0, len(self.anterior_mm) - 1)
        return np.asarray(((y > cut) | before_canal) & self.footprint[i, j])


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
    corner = np.nanpercentile(wall[:, seen], CORNER_PERCENTILE, axis=0)
    z = superior_mm[seen]
    keep = np.abs(corner - np.median(corner)) < WALL_OUTLIER_MM
    if keep.sum() < 3:
        return np.array([float(np.median(corner)), 0.0])
    slope, offset = np.polyfit(z[keep], corner[keep], 1)
    return np.array([offset, slope])


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
    index = np.argwhere(mask)
    front = np.zeros_like(mask)
    front[tuple(index.T)] = wall.body_side(frame.to_local(grid.to_mm(index)))
    parts, count = ndimage.label(front)
    second_share, rise = 0.0, 0.0
    if count > 1:
        sizes = np.bincount(parts.ravel())[1:]
        order = np.argsort(sizes)
        first, second = (1 + int(order[-1]), 1 + int(order[-2]))
        front = parts == first
        second_share = float(sizes[order[-2]] / sizes[order[-1]])
        heights = [frame.to_local(grid.to_mm(np.argwhere(parts == one)))[:, 2].mean() for one in (first, second)]
        rise = float(heights[1] - heights[0])
    return Split(body=front, arch=mask & ~front, second_share=second_share, second_rise_mm=rise)

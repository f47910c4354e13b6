"""The outer surface of a body between its endplates, as points that lie where the bone ends and not where voxels do.

Planes lie a millimetre apart on every grid, and so do the points along the outline in each: what is read from them does
not depend on the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import contourpy
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.repair.site.bone import Bone, inside_body

APART_MM = cited(1.0, "mm", "Own choice: of planes, and of points along an outline; the finest usual voxel", "design")
BEYOND_MM = cited(1.5, "mm", "Own choice: what holds arch this far outside the body is covered by it", "design")
ARCH_SHARE = cited(0.25, "1", "Own choice: of a place beyond the surface, at which it lies in the arch", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outline:
    """The surface across which a body ends to front, sides and back.

    Attributes
    ----------
    points_mm : (n, 3) model mm. outward : (n, 3) unit directions out of the body, level.
    area_mm2 : (n,) that each point stands for. covered : (n,) bool where a pedicle joins.
    """

    points_mm: NDArray[np.float64]
    outward: NDArray[np.float64]
    area_mm2: NDArray[np.float64]
    covered: NDArray[np.bool_]


def outline_of(bone: Bone) -> Outline:
    """The outline of a body in all its level planes; the largest ring of each."""
    edge_mm = float(bone.field.grid.spacing_mm[0])
    share = np.pad(inside_body(bone.field).astype(float), 1)
    layers = np.flatnonzero((share >= 0.5).any(axis=(0, 1)))
    if not layers.size:
        return _joined([], [])
    # centres of voxels lie at half an edge; the padding adds one voxel on every side
    first, last = ((float(k) - 0.5) * edge_mm for k in (layers[0], layers[-1]))
    rings, heights = [], []
    for height in np.arange(np.ceil(first / APART_MM), np.floor(last / APART_MM) + 1) * float(APART_MM):
        ring = _ring(_plane(share, height / edge_mm + 0.5), edge_mm)
        if ring is not None:
            rings.append(ring)
            heights.append(float(height))
    found = _joined(rings, heights)
    return Outline(
        points_mm=found.points_mm,
        outward=found.outward,
        area_mm2=found.area_mm2,
        covered=_covered(bone, found, edge_mm),
    )


def _plane(share: NDArray[np.float64], layer: float) -> NDArray[np.float64]:
    """Values between two layers."""
    low = int(np.floor(layer))
    part = layer - low
    return np.asarray((1 - part) * share[..., low] + part * share[..., min(low + 1, share.shape[2] - 1)])


def _ring(plane: NDArray[np.float64], edge_mm: float) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Points (n, 2) mm spaced evenly along the largest closed line at half of the share, and their spacing (n,) mm."""
    # half of what is there: in the last layer below an endplate voxels are partly filled all over
    level = 0.5 * float(plane.max())
    lines = [np.asarray(line, float)[:, ::-1] for line in contourpy.contour_generator(z=plane).lines(level)]
    lines = [line for line in lines if len(line) > 3]
    if not lines:
        return None
    line = max(lines, key=lambda one: abs(_area(one)))
    if _area(line) < 0:
        line = line[::-1]
    line = (line - 0.5) * edge_mm
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    count = max(4, round(along[-1] / float(APART_MM)))
    at = (np.arange(count) + 0.5) * along[-1] / count
    points = np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=-1)
    return points, np.full(count, along[-1] / count)


def _area(line: NDArray[np.float64]) -> float:
    """Signed area of a closed line (n, 2)."""
    x, y = line.T
    return float(0.5 * (x[:-1] * y[1:] - x[1:] * y[:-1]).sum())


def _joined(rings: list[tuple[NDArray[np.float64], NDArray[np.float64]]], heights: list[float]) -> Outline:
    """All rings as one set of points with their directions."""
    if not rings:
        none = np.zeros((0, 3))
        return Outline(points_mm=none, outward=none, area_mm2=np.zeros(0), covered=np.zeros(0, bool))
    points, outward, area = [], [], []
    for (ring, length), height in zip(rings, heights, strict=True):
        along = np.roll(ring, -1, axis=0) - np.roll(ring, 1, axis=0)
        normal = np.stack([along[:, 1], -along[:, 0]], axis=-1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        points.append(np.column_stack([ring, np.full(len(ring), height)]))
        outward.append(np.column_stack([normal, np.zeros(len(ring))]))
        area.append(length * float(APART_MM))
    every = np.concatenate(points)
    return Outline(
        points_mm=every,
        outward=np.concatenate(outward),
        area_mm2=np.concatenate(area),
        covered=np.zeros(len(every), bool),
    )


def _covered(bone: Bone, found: Outline, edge_mm: float) -> NDArray[np.bool_]:
    """Which points have arch beyond them."""
    if not len(found.points_mm):
        return found.covered
    arch = np.clip(bone.field.fill, 0, 1) - inside_body(bone.field)
    beyond = (found.points_mm + float(BEYOND_MM) * found.outward) / edge_mm - 0.5
    value = ndimage.map_coordinates(arch.astype(float), beyond.T, order=1, mode="constant")
    return np.asarray(value >= float(ARCH_SHARE))

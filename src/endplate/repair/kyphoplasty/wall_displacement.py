"""The walls of a body: the one towards the canal, and those in front and at the sides; how far they are pushed out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.repair.site.bone import Bone, centres_mm, inside_body
from endplate.repair.site.pedicle import arch_of, outer_wall

BEHIND = cited(0.75, "1", "Own choice: the wall faces the canal in the last quarter of the body's depth", "design")
PATCH_MM2 = cited(
    40.0,
    "mm2",
    "Own choice: a wall has moved as far as a patch of it did, so that a loose crumb says nothing",
    "design",
)

DEPTH_MM = cited(0.5, "mm", "Own choice: half of the finest voxel; as deep under the surface on every grid", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyWall:
    """Centres (n, 3) of the voxels of a wall, model mm, and the unit direction (n, 3) out of the body at each."""

    points_mm: NDArray[np.float64]
    outward: NDArray[np.float64]

    def pushed_mm(self, before_mm: NDArray[np.float64], now_mm: NDArray[np.float64], edge_mm: float) -> float | None:
        """How far the wall went out while its points moved from (n, 3) to (n, 3); negative for in, None without any."""
        if not len(before_mm):
            return None
        out = np.sort(np.einsum("ij,ij->i", now_mm - before_mm, self.outward))[::-1]
        # between the two points whose areas border on the patch, so that large voxels do not round it
        area_mm2 = (np.arange(out.size) + 0.5) * edge_mm**2
        return float(np.interp(float(PATCH_MM2), area_mm2, out))


def back_wall(bone: Bone) -> BodyWall:
    """Where the body ends towards the canal, without what lies under the pedicles."""
    body, rows, behind = _body(bone)
    last = body.shape[1] - 1 - body[:, ::-1].argmax(axis=1)
    found = body & (rows == last[:, None, :]) & ~np.roll(arch_of(bone), -1, axis=1) & behind
    points = centres_mm(bone, found)
    outward = np.broadcast_to([0.0, 1.0, 0.0], points.shape)
    return BodyWall(points_mm=_under_surface(bone, points, outward), outward=outward)


def side_wall(bone: Bone) -> BodyWall:
    """The front and the sides, as far back as the last quarter of the depth begins; outwards is away from the axis."""
    body, _, behind = _body(bone)
    level = ndimage.generate_binary_structure(3, 1)
    level[:, :, [0, 2]] = False
    found = outer_wall(bone, level) & ~behind
    points = centres_mm(bone, found)
    away = points - centres_mm(bone, body).mean(axis=0) if len(points) else points
    away = away * [1.0, 1.0, 0.0]
    outward = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    return BodyWall(points_mm=_under_surface(bone, points, outward), outward=outward)


def _under_surface(bone: Bone, points_mm: NDArray[np.float64], outward: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points moved from the centres of voxels to one depth below the surface, the same on every grid."""
    edge_mm = float(bone.field.grid.spacing_mm[0])
    return np.asarray(points_mm + (edge_mm / 2 - float(DEPTH_MM)) * outward)


def _body(bone: Bone) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_]]:
    """Voxels (I, J, K) of the body, numbers (1, J, 1) of the rows from front to back, and which lie far behind."""
    body = np.asarray(inside_body(bone.field) >= 0.5)
    rows = np.arange(body.shape[1])[None, :, None]
    depth = np.flatnonzero(body.any(axis=(0, 2)))
    if not depth.size:
        return body, rows, rows < 0
    return body, rows, rows >= depth[0] + BEHIND * (depth[-1] - depth[0])

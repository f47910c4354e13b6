"""The walls of a body: the one towards the canal, and those in front and at the sides; how far they are pushed out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.repair.site.bone import Bone
from endplate.repair.site.outline import Outline, outline_of

BEHIND = cited(0.75, "1", "Own choice: the wall faces the canal in the last quarter of the body's depth", "design")
PATCH_MM2 = cited(
    40.0,
    "mm2",
    "Own choice: a wall has moved as far as a patch of it did, so that a loose crumb says nothing",
    "design",
)

FACES = cited(
    0.7, "1", "Own choice: cosine to the canal of 45 degrees; what looks farther aside is a side wall", "design"
)
DEPTH_MM = cited(0.5, "mm", "Own choice: half of the finest voxel; as deep under the surface on every grid", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyWall:
    """Points (n, 3) just under the surface of a wall, model mm, the unit direction (n, 3) out of the body at each, and
    the area (n,) mm2 that each stands for."""

    points_mm: NDArray[np.float64]
    outward: NDArray[np.float64]
    area_mm2: NDArray[np.float64]

    def pushed_mm(self, before_mm: NDArray[np.float64], now_mm: NDArray[np.float64]) -> float | None:
        """How far the wall went out while its points moved from (n, 3) to (n, 3); negative for in, None without any."""
        if not len(before_mm):
            return None
        out = np.einsum("ij,ij->i", now_mm - before_mm, self.outward)
        farthest = np.argsort(-out, kind="stable")
        # between the two points whose areas border on the patch, so that their spacing does not round it
        area = self.area_mm2[farthest]
        return float(np.interp(float(PATCH_MM2), np.cumsum(area) - area / 2, out[farthest]))


def back_wall(bone: Bone) -> BodyWall:
    """Where the body ends towards the canal, without what the pedicles cover."""
    found = outline_of(bone)
    chosen = _behind(found) & ~found.covered & (found.outward[:, 1] > float(FACES))
    return _wall(found, chosen, np.broadcast_to([0.0, 1.0, 0.0], found.outward.shape))


def side_wall(bone: Bone) -> BodyWall:
    """The front and the sides, as far back as the last quarter of the depth begins; outwards is away from the axis."""
    found = outline_of(bone)
    away = found.points_mm - found.points_mm.mean(axis=0) if len(found.points_mm) else found.points_mm
    away = away * [1.0, 1.0, 0.0]
    outward = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    return _wall(found, ~_behind(found) & ~found.covered, outward)


def _wall(found: Outline, chosen: NDArray[np.bool_], outward: NDArray[np.float64]) -> BodyWall:
    """The chosen points, one depth below the surface."""
    points = found.points_mm - float(DEPTH_MM) * found.outward
    return BodyWall(points_mm=points[chosen], outward=outward[chosen], area_mm2=found.area_mm2[chosen])


def _behind(found: Outline) -> NDArray[np.bool_]:
    """(n,) which points lie in the last quarter of the body's depth."""
    depth = found.points_mm[:, 1]
    if not len(depth):
        return np.zeros(0, bool)
    return np.asarray(depth >= depth.min() + float(BEHIND) * (depth.max() - depth.min()))

"""The line that forgives the largest aiming error: a coarse compiled search, then steps that shrink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited, cited_table
from endplate.repair.access.access_result import Approach
from endplate.repair.access.access_walls import AccessWalls
from endplate.repair.access.aim import Aim, Array, Kinds, counted_walls
from endplate.repair.access.arc_aim import ArcAim
from endplate.repair.access.target import Target

COARSE_MM = cited(1.5, "mm", "Own choice: the coarse search looks at one surface point in such a cube", "design")
SOFT_MM = cited(
    0.6, "mm", "Own choice: half a usual voxel; every wall within reach has a say in the first search", "design"
)
HARD_MM = cited(0.15, "mm", "Own choice: the line found lies within 0.2 mm of the true best, below a voxel", "design")
SEEDS = cited(5, "1", "Own choice: places from which the fine search starts", "design")
PLACES = cited_table(
    "path.places",
    "1",
    "Own choice: coarse steps of two to three millimetres along each range",
    "design",
    {"across": 9, "up": 9, "target right": 3, "target anterior": 3, "target superior": 5},
)
"""Coarse steps across and up the pedicle, and along right, anterior, superior of the target."""
FIRST_STEP = cited(0.125, "1", "Own choice: about a coarse step of each range, halved when nothing is gained", "design")
SECOND_STEP = cited(1 / 64, "1", "Own choice: about 0.2 mm, from where the nearest wall decides", "design")
LAST_STEP = cited(1 / 256, "1", "Own choice: about 0.05 mm, far below a voxel", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A needle's axis in the vertebra's frame: a point in the pedicle's plane, the target, the channel's far end.

    With a bend a curved balloon leaves the axis at the target and lies on an arc from there to the far end.
    """

    through: NDArray[np.float64]
    target: NDArray[np.float64]
    far: NDArray[np.float64]
    bend_deg: float = 0.0


def search_line(walls: AccessWalls, target: Target, approach: Approach, radius_mm: float) -> Line:
    """The line of one approach to one target with the most to spare for a needle of a radius."""
    counted = counted_walls(walls, approach)
    points, kind = walls.points[counted], walls.kind[counted]
    few = _thinned(points, COARSE_MM)
    aim = (ArcAim if target.bend_deg else Aim)(walls=walls, target=target, approach=approach, radius_mm=radius_mm)
    shares = _coarse_shares()
    spare = aim.spare(shares, (points[few], kind[few]), SOFT_MM)
    starts = shares[np.argsort(-spare, kind="stable")[: int(SEEDS)]]
    # Every point from here on: a thinner choice would decide which of many lines as good as one another is found
    climbed = [_climb(aim, start, (points, kind), FIRST_STEP, SOFT_MM) for start in starts]
    best = max(climbed, key=lambda found: found[1])[0]
    best, _ = _climb(aim, best, (points, kind), SECOND_STEP, HARD_MM)
    through, place, far = aim.lines(best[None])
    return Line(through=through[0], target=place[0], far=far[0], bend_deg=target.bend_deg)


def _coarse_shares() -> NDArray[np.float64]:
    """(m, 5) shares of the five ranges on a coarse lattice."""
    axes = [(np.arange(n) + 0.5) / n for n in (int(count) for count in PLACES.values())]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(PLACES))


def _thinned(points: NDArray[np.float64], edge_mm: float) -> NDArray[np.int64]:
    """Index of one point in each cube."""
    cubes = np.floor((points - points.min(axis=0)) / edge_mm).astype(np.int64)
    wide, high = cubes[:, 1].max() + 1, cubes[:, 2].max() + 1
    return np.unique((cubes[:, 0] * wide + cubes[:, 1]) * high + cubes[:, 2], return_index=True)[1]


def _climb(aim: Aim, start: Array, seen: tuple[Array, Kinds], step: float, soft_mm: float) -> tuple[Array, float]:
    """Steps along each range and along pairs that turn or shift the line, halved when none helps."""
    unit = np.eye(len(PLACES))
    moves = np.concatenate([unit, unit[[0, 1]] + unit[[2, 4]], unit[[0, 1]] - unit[[2, 4]]])
    moves = np.concatenate([moves, -moves])
    seen = aim.nearest_first(start, seen)
    place, least = start, float(aim.spare(start[None], seen, soft_mm)[0])
    while step >= LAST_STEP:
        tried = np.clip(place + step * moves, 0, 1)
        spare = aim.spare(tried, seen, soft_mm, least)
        best = int(spare.argmax())
        if spare[best] > least + 1e-6:
            place, least = tried[best], float(spare[best])
        else:
            step /= 2
    return place, least

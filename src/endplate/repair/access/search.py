"""The line that forgives the largest aiming error: a coarse compiled search, then steps that shrink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited, cited_table
from endplate.repair.access.access_result import Approach
from endplate.repair.access.access_walls import ENTRY, INFERIOR, LATERAL, NAMES, SUPERIOR, AccessWalls
from endplate.repair.access.clearance import least_by_wall
from endplate.repair.access.distance import spare_of
from endplate.repair.access.target import Target

COARSE_MM = cited(1.5, "mm", "Own choice: the coarse search looks at one surface point in such a cube", "design")
BESIDE_MM = cited(9.0, "mm", "Own choice: extrapedicular lines pass this near to the pedicle's side", "design")
BESIDE_HEIGHT = cited(0.4, "1", "Own choice: beside the middle of the pedicle, above the nerve root below it", "design")
STEEPEST_DEG = cited(50.0, "deg", "Own choice: flatter lines meet flank and kidney before bone", "design")
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
Array = NDArray[np.float64]
Kinds = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A needle's axis in the vertebra's frame: a point in the pedicle's plane, the target, the channel's far end."""

    through: NDArray[np.float64]
    target: NDArray[np.float64]
    far: NDArray[np.float64]


def counted_walls(walls: AccessWalls, approach: Approach) -> NDArray[np.bool_]:
    """(n,) wall points that count: beside the pedicle its own outer walls are no walls."""
    counted = walls.kind != ENTRY
    if approach == "extrapedicular":
        counted &= ~np.isin(walls.kind, (LATERAL, SUPERIOR, INFERIOR))
    return np.asarray(counted)


def search_line(walls: AccessWalls, target: Target, approach: Approach, radius_mm: float) -> Line:
    """The line of one approach to one target with the most to spare for a needle of a radius."""
    counted = counted_walls(walls, approach)
    points, kind = walls.points[counted], walls.kind[counted]
    few = _thinned(points, COARSE_MM)
    aim = _Aim(walls=walls, target=target, approach=approach, radius_mm=radius_mm)
    shares = _coarse_shares()
    spare = aim.spare(shares, (points[few], kind[few]), SOFT_MM)
    starts = shares[np.argsort(-spare, kind="stable")[: int(SEEDS)]]
    # Every point from here on: a thinner choice would decide which of many lines as good as one another is found
    climbed = [_climb(aim, start, (points, kind), FIRST_STEP, SOFT_MM) for start in starts]
    best = max(climbed, key=lambda found: found[1])[0]
    best, _ = _climb(aim, best, (points, kind), SECOND_STEP, HARD_MM)
    through, place, far = aim.lines(best[None])
    return Line(through=through[0], target=place[0], far=far[0])


def _coarse_shares() -> NDArray[np.float64]:
    """(m, 5) shares of the five ranges on a coarse lattice."""
    axes = [(np.arange(n) + 0.5) / n for n in (int(count) for count in PLACES.values())]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(PLACES))


def _thinned(points: NDArray[np.float64], edge_mm: float) -> NDArray[np.int64]:
    """Index of one point in each cube."""
    cubes = np.floor((points - points.min(axis=0)) / edge_mm).astype(np.int64)
    wide, high = cubes[:, 1].max() + 1, cubes[:, 2].max() + 1
    return np.unique((cubes[:, 0] * wide + cubes[:, 1]) * high + cubes[:, 2], return_index=True)[1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Aim:
    """The family of lines of one approach to one target, by shares of five ranges."""

    walls: AccessWalls
    target: Target
    approach: Approach
    radius_mm: float

    @property
    def least(self) -> Array:
        """Least clearance by the code of a wall, mm."""
        least = least_by_wall(balloon=self.target.ahead_mm > 0)
        return np.array([least[name] for name in NAMES])

    def lines(self, shares: Array) -> tuple[Array, Array, Array]:
        """(m, 3) points in the pedicle's plane, targets and far ends for shares (m, 5)."""
        walls, half = self.walls, self.walls.width_mm / 2
        if self.approach == "transpedicular":
            across = (2 * shares[:, 0] - 1) * half
            up = (2 * shares[:, 1] - 1) * walls.height_mm / 2
        else:
            across = half + self.radius_mm + shares[:, 0] * BESIDE_MM
            up = (2 * shares[:, 1] - 1) * BESIDE_HEIGHT * walls.height_mm
        forward = np.array([walls.along[0], walls.along[1]]) / np.hypot(walls.along[0], walls.along[1])
        sideways = walls.outward * np.array([forward[1], -forward[0], 0.0])
        through = walls.isthmus + across[:, None] * sideways
        through[:, 2] += up
        place = self.target.points(shares[:, 2:])
        direction = place - through
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return through, place - self.target.ahead_mm * direction, place

    def spare(self, shares: Array, seen: tuple[Array, Kinds], soft_mm: float, floor_mm: float = -np.inf) -> Array:
        """What each line (m,) leaves beyond the least clearances, mm: a soft minimum over the walls.

        The least of several walls alone has ridges that hold a search fast and leaves free what the nearest wall does
        not touch; the soft minimum lies below it by at most `soft_mm` times the logarithm of the number of walls.
        `seen` are wall points and their kinds. Lines at or below the floor are minus infinity.
        """
        through, centre, far = self.lines(shares)
        back = through - far
        back /= np.linalg.norm(back, axis=1, keepdims=True)
        wide = self.walls.outward * centre[:, 0] > self.target.outermost_mm
        spare = spare_of(*seen, self.least + self.radius_mm, far, back, self.radius_mm, floor_mm)
        least = spare.min(axis=1)
        known = np.isfinite(least)
        least[known] -= soft_mm * np.log(np.exp((least[known, None] - spare[known]) / soft_mm).sum(axis=1))
        flat = self.walls.outward * back[:, 0] > -np.tan(np.deg2rad(STEEPEST_DEG)) * back[:, 1]
        return np.where(flat | wide, -np.inf, least)

    def nearest_first(self, place: Array, seen: tuple[Array, Kinds]) -> tuple[Array, Kinds]:
        """Wall points in the order in which they limit a line, so that worse lines are left early."""
        through, _, far = self.lines(place[None])
        back = (through - far)[0] / np.linalg.norm(through - far)
        away = seen[0] - far[0]
        along = np.maximum(away @ back, self.radius_mm)
        order = np.argsort(np.linalg.norm(away - along[:, None] * back, axis=1) - self.least[seen[1]])
        return np.ascontiguousarray(seen[0][order]), seen[1][order]


def _climb(aim: _Aim, start: Array, seen: tuple[Array, Kinds], step: float, soft_mm: float) -> tuple[Array, float]:
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

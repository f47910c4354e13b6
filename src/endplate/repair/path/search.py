"""The line that forgives the largest aiming error: a coarse compiled search, then steps that shrink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.repair.path.distance import axis_distances
from endplate.repair.path.margin import WANTED_MM
from endplate.repair.path.target import Target
from endplate.repair.path.walls import ENTRY, INFERIOR, LATERAL, NAMES, SUPERIOR, Walls
from endplate.repair.result import Approach

COARSE_MM = cited(1.5, "mm", "Own choice: surface points that the coarse search looks at, one in such a cube", "design")
BESIDE_MM = cited(9.0, "mm", "Own choice: extrapedicular lines pass this near to the pedicle's side", "design")
BESIDE_HEIGHT = cited(0.4, "1", "Own choice: beside the middle of the pedicle, above the nerve root below it", "design")
STEEPEST_DEG = cited(50.0, "deg", "Own choice: flatter lines meet flank and kidney before bone", "design")
SEEDS = cited(6, "1", "Own choice: places from which the fine search starts", "design")
PLACES = (9, 9, 3, 3, 5)
"""Coarse steps across and up the pedicle, and along right, anterior, superior of the target."""
FIRST_STEP, LAST_STEP = 1 / 8, 1 / 256
"""Of each range: the fine search halves its step from the first to the last."""
WANTED = np.array([WANTED_MM[name] for name in NAMES])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A needle's axis in the vertebra's frame: a point in the pedicle's plane, the target, the far end of the channel.

    `spare_mm` is the least clearance beyond what each wall wants, for the radius that was searched with.
    """

    through: NDArray[np.float64]
    target: NDArray[np.float64]
    far: NDArray[np.float64]
    spare_mm: float


def counted_walls(walls: Walls, approach: Approach) -> NDArray[np.bool_]:
    """(n,) wall points that count: beside the pedicle its own outer walls are no walls."""
    counted = walls.kind != ENTRY
    if approach == "extrapedicular":
        counted &= ~np.isin(walls.kind, (LATERAL, SUPERIOR, INFERIOR))
    return counted


def search_line(walls: Walls, target: Target, approach: Approach, radius_mm: float) -> Line:
    """The line of one approach to one target with the most to spare for a needle of a radius."""
    counted = counted_walls(walls, approach)
    points, kind = walls.points[counted], walls.kind[counted]
    few = _thinned(points)
    shares = _coarse_shares()
    spare = _spare(walls, target, approach, radius_mm, shares, (points[few], kind[few]))
    best, most = shares[0], -np.inf
    for start in shares[np.argsort(-spare, kind="stable")[: int(SEEDS)]]:
        place, found = _climb(walls, target, approach, radius_mm, start, (points, kind))
        if found > most:
            best, most = place, found
    through, aim, far = _lines(walls, target, approach, radius_mm, best[None])
    return Line(through=through[0], target=aim[0], far=far[0], spare_mm=float(most))


def _coarse_shares() -> NDArray[np.float64]:
    """(m, 5) shares of the five ranges on a coarse lattice."""
    axes = [(np.arange(n) + 0.5) / n for n in PLACES]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(PLACES))


def _thinned(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of one point in each cube."""
    cubes = np.floor(points / float(COARSE_MM)).astype(np.int64)
    return np.unique(cubes, axis=0, return_index=True)[1]


def _lines(
    walls: Walls, target: Target, approach: Approach, radius_mm: float, shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(m, 3) points in the pedicle's plane, targets and far ends for shares (m, 5)."""
    half = walls.width_mm / 2
    if approach == "transpedicular":
        across = (2 * shares[:, 0] - 1) * half
        up = (2 * shares[:, 1] - 1) * walls.height_mm / 2
    else:
        across = half + radius_mm + shares[:, 0] * float(BESIDE_MM)
        up = (2 * shares[:, 1] - 1) * float(BESIDE_HEIGHT) * walls.height_mm
    forward = np.array([walls.along[0], walls.along[1]]) / np.hypot(walls.along[0], walls.along[1])
    sideways = walls.outward * np.array([forward[1], -forward[0], 0.0])
    through = walls.isthmus + across[:, None] * sideways
    through[:, 2] += up
    aim = target.points(shares[:, 2:])
    direction = aim - through
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return through, aim, aim + target.ahead_mm * direction


def _spare(
    walls: Walls,
    target: Target,
    approach: Approach,
    radius_mm: float,
    shares: NDArray[np.float64],
    seen: tuple[NDArray[np.float64], NDArray[np.int8]],
) -> NDArray[np.float64]:
    """What each line (m,) leaves beyond the wanted clearances, mm."""
    through, _, far = _lines(walls, target, approach, radius_mm, shares)
    back = through - far
    back /= np.linalg.norm(back, axis=1, keepdims=True)
    distance, _ = axis_distances(*seen, far, back, radius_mm)
    spare = (distance[:, : len(NAMES)] - radius_mm - WANTED).min(axis=1)
    flat = walls.outward * back[:, 0] > np.sin(np.deg2rad(float(STEEPEST_DEG)))
    return np.where(flat, -np.inf, spare)


def _climb(
    walls: Walls,
    target: Target,
    approach: Approach,
    radius_mm: float,
    start: NDArray[np.float64],
    seen: tuple[NDArray[np.float64], NDArray[np.int8]],
) -> tuple[NDArray[np.float64], float]:
    """Steps along each range and along pairs that turn or shift the line, halved when none helps."""
    moves = np.concatenate([np.eye(5), np.eye(5)[[0, 1]] + np.eye(5)[[2, 4]], np.eye(5)[[0, 1]] - np.eye(5)[[2, 4]]])
    moves = np.concatenate([moves, -moves])
    place = start
    least = float(_spare(walls, target, approach, radius_mm, place[None], seen)[0])
    step = FIRST_STEP
    while step >= LAST_STEP:
        tried = np.clip(place + step * moves, 0, 1)
        spare = _spare(walls, target, approach, radius_mm, tried, seen)
        best = int(spare.argmax())
        if spare[best] > least + 1e-6:
            place, least = tried[best], float(spare[best])
        else:
            step /= 2
    return place, least

"""The family of lines of one approach to one target, and what each leaves to the walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.repair.access.access_result import Approach
from endplate.repair.access.access_walls import ENTRY, INFERIOR, LATERAL, NAMES, SUPERIOR, AccessWalls
from endplate.repair.access.clearance import least_by_wall
from endplate.repair.access.distance import spare_of
from endplate.repair.access.target import Target

BESIDE_MM = cited(9.0, "mm", "Own choice: extrapedicular lines pass this near to the pedicle's side", "design")
BESIDE_HEIGHT = cited(0.4, "1", "Own choice: beside the middle of the pedicle, above the nerve root below it", "design")
STEEPEST_DEG = cited(50.0, "deg", "Own choice: flatter lines meet flank and kidney before bone", "design")
Array = NDArray[np.float64]
Kinds = NDArray[np.int8]
Lines = tuple[Array, Array, Array]
"""Points in the pedicle's plane, targets, far ends, each (m, 3)."""


def counted_walls(walls: AccessWalls, approach: Approach) -> NDArray[np.bool_]:
    """(n,) wall points that count: beside the pedicle its own outer walls are no walls."""
    counted = walls.kind != ENTRY
    if approach == "extrapedicular":
        counted &= ~np.isin(walls.kind, (LATERAL, SUPERIOR, INFERIOR))
    return np.asarray(counted)


@dataclass(frozen=True, kw_only=True, eq=False)
class Aim:
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

    def lines(self, shares: Array) -> Lines:
        """(m, 3) points in the pedicle's plane, targets and far ends for shares (m, 5)."""
        through, place = self.ends(shares)
        direction = place - through
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return through, place - self.target.ahead_mm * direction, place

    def ends(self, shares: Array) -> tuple[Array, Array]:
        """(m, 3) points in the pedicle's plane and far ends."""
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
        return through, self.target.points(shares[:, 2:])

    def spare(self, shares: Array, seen: tuple[Array, Kinds], soft_mm: float, floor_mm: float = -np.inf) -> Array:
        """What each line (m,) leaves beyond the least clearances, mm: a soft minimum over the walls.

        The least of several walls alone has ridges that hold a search fast and leaves free what the nearest wall does
        not touch; the soft minimum lies below it by at most `soft_mm` times the logarithm of the number of walls.
        `seen` are wall points and their kinds. Lines at or below the floor are minus infinity.
        """
        lines = self.lines(shares)
        spare = self.to_walls(lines, seen, floor_mm)
        least = spare.min(axis=1)
        known = np.isfinite(least)
        least[known] -= soft_mm * np.log(np.exp((least[known, None] - spare[known]) / soft_mm).sum(axis=1))
        return np.where(self.barred(lines), -np.inf, least)

    def to_walls(self, lines: Lines, seen: tuple[Array, Kinds], floor_mm: float) -> Array:
        """(m, 7) what lines leave to each wall beyond its least clearance, mm."""
        _, _, far = lines
        return np.asarray(spare_of(*seen, self.least + self.radius_mm, far, self.back(lines), self.radius_mm, floor_mm))

    def back(self, lines: Lines) -> Array:
        """(m, 3) unit directions from the far end of each needle to its hub."""
        through, _, far = lines
        back = through - far
        back /= np.linalg.norm(back, axis=1, keepdims=True)
        return back

    def barred(self, lines: Lines) -> NDArray[np.bool_]:
        """(m,) lines that no hand can take, or whose balloon would lie too far out."""
        back = self.back(lines)
        wide = self.walls.outward * lines[1][:, 0] > self.target.outermost_mm
        return np.asarray((self.walls.outward * back[:, 0] > -np.tan(np.deg2rad(STEEPEST_DEG)) * back[:, 1]) | wide)

    def nearest_first(self, place: Array, seen: tuple[Array, Kinds]) -> tuple[Array, Kinds]:
        """Wall points in the order in which they limit a line, so that worse lines are left early."""
        through, _, far = self.lines(place[None])
        back = (through - far)[0] / np.linalg.norm(through - far)
        away = seen[0] - far[0]
        along = np.maximum(away @ back, self.radius_mm)
        order = np.argsort(np.linalg.norm(away - along[:, None] * back, axis=1) - self.least[seen[1]])
        return np.ascontiguousarray(seen[0][order]), seen[1][order]

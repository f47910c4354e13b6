"""The family of needles from which a curved balloon bends across the midline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from endplate.cited import cited
from endplate.repair.access.aim import Aim, Array, Kinds, Lines, counted_walls
from endplate.repair.access.distance import spare_of
from endplate.repair.access.target import FOREMOST
from endplate.repair.device.arc import Arc, arc_ending

PLACES = cited(8, "1", "Own choice: 2 to 3 mm apart on an arc of 20 mm, as near as its channel is thick", "design")
FAR_MM = cited(15.0, "mm", "Own choice: walls farther from an arc than this do not limit it", "design")


@dataclass(frozen=True, kw_only=True, eq=False)
class ArcAim(Aim):
    """Needles through a pedicle, each with the one arc that ends at a front end."""

    def _arcs(self, through: Array, tip: Array) -> Arc:
        """The arc of each needle (m,), in the plane of the needle's way and the vertebra's right axis."""
        inwards = np.array([-float(self.walls.outward), 0.0, 0.0])
        return arc_ending(through, tip, inwards, 2 * self.target.ahead_mm, self.target.bend_deg)

    def lines(self, shares: Array) -> Lines:
        """(m, 3) points in the pedicle's plane, where the balloon leaves the needle, and its front end."""
        through, tip = self.ends(shares)
        return through, self._arcs(through, tip).start_mm, tip

    def back(self, lines: Lines) -> Array:
        """(m, 3) unit directions of the needles, from target to hub."""
        through, _, tip = lines
        return np.asarray(-self._arcs(through, tip).direction)

    def to_walls(self, lines: Lines, seen: tuple[Array, Kinds], floor_mm: float) -> Array:
        """(m, 7) what needles and arcs leave to each wall beyond its least clearance, mm."""
        through, start, tip = lines
        arcs, reach = self._arcs(through, tip), self.least + self.radius_mm
        spare = np.full((len(start), len(reach)), -np.inf)
        live = ~self.barred(lines)
        spare[live] = spare_of(*seen, reach, start[live], -arcs.direction[live], 0.0, floor_mm)
        live = spare.min(axis=1) > -np.inf
        shares = np.linspace(0, 1 - self.radius_mm / arcs.length_mm, int(PLACES))
        places = np.stack([arcs.at(float(share))[live] for share in shares])
        for code, tree in self.trees.items():
            nearest = tree.query(places, distance_upper_bound=float(FAR_MM))[0].min(axis=0)
            spare[live, code] = np.minimum(spare[live, code], nearest - reach[code])
        return spare

    @cached_property
    def trees(self) -> dict[int, cKDTree]:
        """The points of each wall that counts, by its code."""
        counted = counted_walls(self.walls, self.approach)
        points, kind = self.walls.points[counted], self.walls.kind[counted]
        return {int(code): cKDTree(points[kind == code]) for code in np.unique(kind)}

    def barred(self, lines: Lines) -> NDArray[np.bool_]:
        """(m,) where the middle lies too far from the midline, the arc too near to the front, or behind the pedicle."""
        through, start, tip = lines
        arcs = self._arcs(through, tip)
        off = np.abs(arcs.at(0.5)[:, 0]) > self.target.outermost_mm
        foremost = np.max([arcs.at(float(share))[:, 1] for share in np.linspace(0, 1, int(PLACES))], axis=0)
        close = self.target.front_share(foremost) < float(FOREMOST) - 1e-9
        behind = ((start - through) * arcs.direction).sum(axis=1) <= 0
        unreached = self.walls.outward * tip[:, 0] > 0
        flat = super().barred((through, np.zeros_like(start), tip))
        return np.asarray(off | close | behind | unreached | flat)

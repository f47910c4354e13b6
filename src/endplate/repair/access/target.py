"""Where the needle should end: the anterior third, at the midline or in the middle of a half; a balloon's front end.

The rule for a balloon: its front end lies 15 to 25 % of the depth behind the front wall, in its own sagittal plane; its
centre between the midline and the middle of its half, clear of the side wall; and in the half of the height that lies
under the depressed endplate. Farther back the balloon pushes the back wall instead of lifting the front.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.repair.access.bone_surface import Surface

Spot = Literal["midline", "hemibody"]
Depressed = Literal["upper", "lower"]
Places = TypeVar("Places", float, NDArray[np.float64])

FARTHEST_THIRD = cited(1 / 3, "1", "own choice of what is usual: tip in the anterior third on lateral", "design")
FOREMOST = cited(0.15, "1", "Own choice: 5 mm of an average lumbar body of 33 mm depth", "design")
FARTHEST_FRONT_END = cited(
    0.25,
    "1",
    "Own measurement: front end at 37, 27 and 20 % of the depth of a crushed L2 lifts the front by 0.3, 1.0 and "
    "2.0 mm; row R26.4 shows the same on a box",
    "design",
)
FARTHEST_REACHED = cited(
    0.45,
    "1",
    "Own choice: where the front end may lie if no path reaches farther; such a place is not useful",
    "design",
)
RULE = (
    f"front end {float(FOREMOST):.0%} to {float(FARTHEST_FRONT_END):.0%} of the depth behind the front wall, centre no "
    "farther out than the middle of its half, under the depressed endplate (own rule, from simulated balloons)"
)
MIDLINE_OFF_MM = cited(2.0, "mm", "Own choice: how far from the midline a tip still counts as there", "design")
HEMIBODY_SHARE = cited(0.5, "1", "own choice of what is usual: mid-hemibody, half way from midline to side", "design")
HEMIBODY_OFF_MM = cited(3.0, "mm", "Own choice: half of a quarter of a small body's width", "design")
HEIGHT_SHARE = cited(0.2, "1", "Own choice: the middle 40 % of the height", "design")
BAND_MM = cited(3.0, "mm", "Own choice: evens the surface over a slab of this half thickness", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a target may lie in the vertebra's frame.

    Attributes
    ----------
    low, high : (3,) corners of the region; superior is relative to `middle_mm`'s height.
    middle_mm : (2, 2) offset and slope (superior over anterior) of the body's mid-height at the spot.
    ahead_mm : half a balloon, whose front end then lies in the region and its centre behind; 0 for a tip.
    outermost_mm : how far from the midline that centre may lie; infinite where nothing limits it.
    bend_deg : of a curved balloon, whose front end lies in the region and which reaches back along its arc;
    `outermost_mm` is then for the middle of the arc.
    front_mm, depth_mm : front wall in the sagittal plane of the spot, and the depth of the body.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    middle_mm: tuple[float, float]
    ahead_mm: float
    front_mm: float = 0.0
    depth_mm: float = 1.0
    outermost_mm: float = math.inf
    bend_deg: float = 0.0

    def front_share(self, anterior_mm: Places) -> Places:
        """How far behind the front wall a place, or each of places (m,), lies, as a share of the depth."""
        return (self.front_mm - anterior_mm) / self.depth_mm

    def points(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tips, or front ends of balloons, (m, 3) for shares (m, 3) in 0..1 of the region."""
        low, high = np.array(self.low), np.array(self.high)
        point = low + np.clip(shares, 0, 1) * (high - low)
        point[:, 2] += self.middle_mm[0] + self.middle_mm[1] * point[:, 1]
        return np.asarray(point)


def find_target(
    surface: Surface,
    spot: Spot,
    outward: int,
    ahead_mm: float,
    depressed: Depressed | None = None,
    *,
    useful: bool = True,
) -> Target:
    """The region for a tip (ahead_mm 0), or for the front end of a balloon whose half length is `ahead_mm`.

    Parameters
    ----------
    depressed : the endplate that came down, under which a balloon lies; None for either half of the height.
    useful : by the rule for a balloon; else the region behind it, for what can still be reached, with its centre where
    the needle leaves it.
    """
    front, back = _depth(surface)
    depth = front - back
    if spot == "midline":
        middle, off = 0.0, MIDLINE_OFF_MM
    else:
        middle, off = outward * float(HEMIBODY_SHARE) * _half_width(surface, outward), float(HEMIBODY_OFF_MM)
    inner, outer = middle - outward * off, middle + outward * off
    if ahead_mm > 0:
        # never beyond the middle of the half: there the side wall gives way before the endplate
        front, outer = _front_at(surface, middle, front), middle
    farthest = front - _farthest(ahead_mm, useful=useful) * depth
    foremost = front - float(FOREMOST if useful else FARTHEST_FRONT_END) * depth
    offset, slope, height = _mid_height(surface, middle, farthest - ahead_mm, foremost - ahead_mm)
    give = float(HEIGHT_SHARE) * height
    # From the midline outwards on either side, so that both sides are searched as mirror images.
    return Target(
        low=(inner, farthest, 0.0 if depressed == "upper" else -give),
        high=(outer, foremost, 0.0 if depressed == "lower" else give),
        middle_mm=(offset, slope),
        ahead_mm=ahead_mm,
        front_mm=front,
        depth_mm=depth,
        outermost_mm=abs(middle) if useful and ahead_mm > 0 and spot == "hemibody" else math.inf,
    )


def _farthest(ahead_mm: float, *, useful: bool) -> float:
    """Share of the depth that a front end may lie behind the front wall."""
    if ahead_mm <= 0:
        return float(FARTHEST_THIRD)
    return float(FARTHEST_FRONT_END if useful else FARTHEST_REACHED)


def _front_at(surface: Surface, right_mm: float, midline_mm: float) -> float:
    """Anterior coordinate of the front wall at mid-height in a sagittal plane; of the midline where none is seen."""
    near = surface.of_body & (np.abs(surface.points[:, 0] - right_mm) < float(BAND_MM))
    y = surface.points[near & (np.abs(surface.points[:, 2]) < float(BAND_MM)), 1]
    ahead = y[y > 0]
    return float(np.median(ahead)) if ahead.size else midline_mm


def _depth(surface: Surface) -> tuple[float, float]:
    """Anterior coordinates of the body's front and back at mid-height in the midline."""
    near = surface.of_body & (np.abs(surface.points[:, 0]) < BAND_MM)
    y = surface.points[near & (np.abs(surface.points[:, 2]) < BAND_MM), 1]
    return float(np.median(y[y > 0])), float(np.median(y[y < 0]))


def _half_width(surface: Surface, outward: int) -> float:
    """From the midline to the side wall at mid-height."""
    near = surface.of_body & (np.abs(surface.points[:, 1]) < BAND_MM)
    x = surface.points[near & (np.abs(surface.points[:, 2]) < BAND_MM), 0] * outward
    return float(np.median(x[x > 0]))


def _mid_height(surface: Surface, right_mm: float, back_mm: float, front_mm: float) -> tuple[float, float, float]:
    """Mid-height between the endplates over a stretch, as offset and slope along anterior, and the least height."""
    places = np.linspace(back_mm, front_mm, 5)
    found = [_extent(surface, right_mm, place) for place in places]
    middle = np.array([(top + bottom) / 2 for top, bottom in found])
    slope, offset = np.polyfit(places, middle, 1)
    return float(offset), float(slope), float(min(top - bottom for top, bottom in found))


def _extent(surface: Surface, right_mm: float, anterior_mm: float) -> tuple[float, float]:
    """Highest and lowest bone of the column at a place, evened over neighbouring columns."""
    box = surface.box
    i = np.abs(box.right_mm - right_mm) <= BAND_MM / 2
    j = np.abs(box.anterior_mm - anterior_mm) <= BAND_MM / 2
    inside = surface.field[np.ix_(i, j)] >= 0.5
    columns = inside.reshape(-1, inside.shape[2])
    columns = columns[columns.any(axis=1)]
    top = box.superior_mm[inside.shape[2] - 1 - columns[:, ::-1].argmax(axis=1)]
    return float(np.median(top)), float(np.median(box.superior_mm[columns.argmax(axis=1)]))

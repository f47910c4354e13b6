"""Where the needle should end: the anterior third, at the midline or in the middle of a half; a balloon's centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.repair.access.bone_surface import Surface

Spot = Literal["midline", "hemibody"]

FARTHEST_THIRD = cited(1 / 3, "1", "own choice of what is usual: tip in the anterior third on lateral", "design")
FOREMOST = cited(0.15, "1", "Own choice: 5 mm of an average lumbar body of 33 mm depth", "design")
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
    ahead_mm : how far the channel goes on beyond the target (half a balloon).
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    middle_mm: tuple[float, float]
    ahead_mm: float

    def points(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Target points (m, 3) for shares (m, 3) in 0..1 of the region."""
        low, high = np.array(self.low), np.array(self.high)
        point = low + np.clip(shares, 0, 1) * (high - low)
        point[:, 2] += self.middle_mm[0] + self.middle_mm[1] * point[:, 1]
        return point


def find_target(surface: Surface, spot: Spot, outward: int, ahead_mm: float) -> Target:
    """The region for a tip (ahead_mm 0) or for a balloon's centre with its front end `ahead_mm` beyond it."""
    front, back = _depth(surface)
    depth = front - back
    nearest = front - float(FARTHEST_THIRD) * depth
    foremost = front - float(FOREMOST) * depth
    if spot == "midline":
        middle, off = 0.0, float(MIDLINE_OFF_MM)
    else:
        middle, off = outward * float(HEMIBODY_SHARE) * _half_width(surface, outward), float(HEMIBODY_OFF_MM)
    offset, slope, height = _mid_height(surface, middle, nearest - ahead_mm, foremost - ahead_mm)
    give = float(HEIGHT_SHARE) * height
    # From the midline outwards on either side, so that both sides are searched as mirror images.
    inner, outer = middle - outward * off, middle + outward * off
    return Target(
        low=(inner, nearest - ahead_mm, -give),
        high=(outer, foremost - ahead_mm, give),
        middle_mm=(offset, slope),
        ahead_mm=ahead_mm,
    )


def _depth(surface: Surface) -> tuple[float, float]:
    """Anterior coordinates of the body's front and back at mid-height in the midline."""
    near = surface.of_body & (np.abs(surface.points[:, 0]) < float(BAND_MM))
    y = surface.points[near & (np.abs(surface.points[:, 2]) < float(BAND_MM)), 1]
    return float(np.median(y[y > 0])), float(np.median(y[y < 0]))


def _half_width(surface: Surface, outward: int) -> float:
    """From the midline to the side wall at mid-height."""
    near = surface.of_body & (np.abs(surface.points[:, 1]) < float(BAND_MM))
    x = surface.points[near & (np.abs(surface.points[:, 2]) < float(BAND_MM)), 0] * outward
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
    i = np.abs(box.right_mm - right_mm) <= float(BAND_MM) / 2
    j = np.abs(box.anterior_mm - anterior_mm) <= float(BAND_MM) / 2
    inside = surface.field[np.ix_(i, j)] >= 0.5
    columns = inside.reshape(-1, inside.shape[2])
    columns = columns[columns.any(axis=1)]
    top = box.superior_mm[inside.shape[2] - 1 - columns[:, ::-1].argmax(axis=1)]
    return float(np.median(top)), float(np.median(box.superior_mm[columns.argmax(axis=1)]))

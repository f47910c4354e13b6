"""A path among those that were tried, and what puts it before another."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.repair.access.access_result import NeedlePath
from endplate.repair.access.clearance import spare_mm, verdict
from endplate.repair.access.skin import Skin
from endplate.repair.access.target import FARTHEST_FRONT_END, Spot


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AccessCandidate:
    """A path with what it was tried for: where the target lies, how usual needle and route are, and its skin."""

    path: NeedlePath
    spot: Spot
    needle_order: int
    route_order: int
    skin: Skin

    @property
    def rank(self) -> tuple[bool, int, int, bool, int, float]:
        """Sorts from best to worst: open, a place from which a balloon lifts, usual route,
        every wanted margin kept, usual needle, most to spare.

        A tight path is only as good as what it forgives, so there the needle that leaves most comes first.
        """
        grade = verdict(self.path)
        usual = self.needle_order if grade == "safe" else 0
        poor = how_poor(self.path)
        return grade == "refused", poor, self.route_order, grade != "safe", usual, -spare_mm(self.path)


def how_poor(path: NeedlePath) -> int:
    """0 for a useful place, 1 for one too far out to the side, 2 for one too far back."""
    if path.useful:
        return 0
    return 1 if path.front_share is not None and path.front_share <= FARTHEST_FRONT_END + 1e-6 else 2

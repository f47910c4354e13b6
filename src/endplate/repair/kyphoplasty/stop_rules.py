"""What stops an inflation: volume, pressure, cortex, heights regained, walls that move, and no further lift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.repair.kyphoplasty.course import InflationCurve
from endplate.repair.kyphoplasty.height_gain import Triple
from endplate.repair.kyphoplasty.inflation_result import WallDisplacement

CONTACT_MM = cited(
    1.5,
    "mm",
    "Own choice: shell and its blur; contact with the cortex of front, sides or back ends an inflation, contact with "
    "an endplate is how a balloon lifts",
    "design",
)
CLEAR_LOSS_MM = cited(
    0.7,
    "mm",
    "Own choice: error of reading a height; a place that lost less than this is no target",
    "design",
)
MAX_BACK_MM = cited(
    1.0, "mm", "Own choice: a move of the back wall towards the canal that is seen in the lateral view", "design"
)
MAX_SIDE_MM = cited(
    2.0, "mm", "Own choice: front or side wall this far out: the balloon leaves the body and lifts no more", "design"
)
NO_LIFT_ML = cited(1.0, "mL", "Own choice: a quarter of the usual volume of two balloons", "design")
NO_LIFT_MM = cited(0.1, "mm", "Own choice: a seventh of the error of reading a height", "design")
CAUTION = cited(0.8, "1", "Own choice: of the room left below a height, as gains tend to quicken", "design")
MAX_QUICKENING = cited(
    4.0, "1", "Own choice: a gain is not expected to quicken more than this from step to step", "design"
)
PLACES = ("at the front", "in the middle", "at the back")
"""Where the heights of a shape are read, in their order."""
WALLS = ("back wall pushed by {:.1f} mm towards the canal", "front or side wall pushed out by {:.1f} mm")
"""Why a wall ends an inflation; after the places in what a run limits."""
NO_LIFT = "no further lift over the last millilitre"


class Rises:
    """How far heights and walls have gone, and how many steps they have left.

    Parameters
    ----------
    max_gain_mm : (front, middle, back) height that is missing; a place that lost too little to be read is no target
    and ends nothing. None where it is unknown. max_pushed_mm : of back wall, and of front and sides; None for any.
    """

    def __init__(self, max_gain_mm: Triple | None, max_pushed_mm: tuple[float, float] | None) -> None:
        lost = np.full(3, np.inf) if max_gain_mm is None else np.asarray(max_gain_mm, float)
        gains = np.where(lost < float(CLEAR_LOSS_MM), np.inf, lost)
        self.most = np.append(gains, (np.inf, np.inf) if max_pushed_mm is None else max_pushed_mm)
        self.last, self.rate = np.zeros(5), np.zeros(5)
        self.nearest = 0

    @property
    def watched(self) -> bool:
        """Whether anything is limited."""
        return bool(np.isfinite(self.most).any())

    @property
    def by_wall(self) -> bool:
        """Whether a wall is what went as far as it may."""
        return self.nearest >= len(PLACES)

    def passed(self, gain_mm: NDArray[np.float64]) -> bool:
        """Whether a height (3,) went beyond what was missing: the step that took it there was too large."""
        over = gain_mm - self.most[: len(PLACES)]
        if not (over > 0).any():
            return False
        self.nearest = int(over.argmax())
        return True

    def room(self, gain_mm: NDArray[np.float64], pushed: WallDisplacement, share: float) -> float:
        """How many steps like the last one, of a share of the usual, are left if they quicken as they just did."""
        rise = np.append(gain_mm, [wall or 0.0 for wall in pushed])
        by, self.last = rise - self.last, rise
        rate, before = by / share, self.rate
        self.rate = rate
        quicker = np.clip(np.divide(rate, before, out=np.ones(5), where=before > 1e-6), 1, float(MAX_QUICKENING))
        free = np.maximum(self.most - rise, 0)
        left = np.divide(free, by * quicker, out=np.full(5, np.inf), where=by > 1e-6)
        left[free <= 0] = 0.0
        self.nearest = int(left.argmin())
        return float(left.min())

    def reached(self) -> str:
        """What went as far as it may."""
        if self.by_wall:
            return WALLS[self.nearest - len(PLACES)].format(self.last[self.nearest])
        return f"height before the fracture reached {PLACES[self.nearest]}"

    def without_walls(self) -> None:
        """Let the walls go where they will."""
        self.most[len(PLACES) :] = np.inf


def lifts_no_more(curve: InflationCurve) -> bool:
    """Whether the last millilitre raised no place: a surgeon who sees nothing move stops."""
    volume = np.array(curve.volume_ml)
    earlier = np.flatnonzero(volume <= volume[-1] - NO_LIFT_ML)
    if volume[-1] < 2 * NO_LIFT_ML or not earlier.size:
        return False
    then = int(earlier[-1])
    gain = np.array(curve.gain_mm)
    return bool((gain[-1] - gain[then]).max() < float(NO_LIFT_MM))

"""Where a curved balloon should lie: across the midline, its middle near it, its front end in the other half.

The rule: the front end lies where that of a straight balloon from the other side would, 15 to 25 % of the depth behind
the front wall and in the middle of the other half; the middle of the arc lies near the midline; no part lies farther
forward than 15 %.
"""

from __future__ import annotations

import math
from dataclasses import replace

from endplate.cited import cited
from endplate.repair.access.bone_surface import Surface
from endplate.repair.access.target import FARTHEST_FRONT_END, FOREMOST, Depressed, Target, find_target
from endplate.repair.device.balloon import Balloon

MIDDLE_OFF_MM = cited(
    3.0,
    "mm",
    "Own choice: a fifth of a balloon of 15 mm; farther off, one side is lifted more",
    "design",
)
ARC_RULE = (
    f"front end in the middle of the other half, {float(FOREMOST):.0%} to {float(FARTHEST_FRONT_END):.0%} of the depth "
    f"behind the front wall, middle within {float(MIDDLE_OFF_MM):g} mm of the midline, under the depressed endplate "
    "(own rule)"
)


def arc_targets(
    surface: Surface, outward: int, balloon: Balloon, depressed: Depressed | None
) -> tuple[Target, Target, Target]:
    """Where the front end may lie: a useful place, then one anywhere across the midline, then one farther back.

    Parameters
    ----------
    outward : of the side from which it goes in. depressed : the endplate that came down, None for either.
    """
    useful, behind = (
        replace(
            find_target(surface, "hemibody", -outward, float(balloon.length_mm) / 2, depressed, useful=which),
            bend_deg=float(balloon.bend_deg),
        )
        for which in (True, False)
    )
    # low and high are named from the midline outwards of the half that the front end lies in
    across, farther_back = (replace(one, low=(0.0, *one.low[1:]), outermost_mm=math.inf) for one in (useful, behind))
    return replace(useful, outermost_mm=float(MIDDLE_OFF_MM)), across, farther_back

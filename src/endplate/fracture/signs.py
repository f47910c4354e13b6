"""Signs that bone broke: a depressed or breached endplate, a shortened front cortex, a body that spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from endplate.cited import cited
from endplate.fracture.node import Dent
from endplate.fracture.normals import Triple, front_to_back, has_normal, normal_depth
from endplate.level import Level

DEPRESSED_BEYOND = cited(
    0.08,
    "1",
    "2 SD (0.036) of concavity (mean of Ha and Hp less Hm, over that mean) at 11 intact levels, VerSe'19 004, 014",
    "recomputed",
    cite="verse_2020",
)
DEFAULT_CONCAVITY = cited(
    0.05,
    "1",
    "median concavity of the same 11 intact levels, where a spine has no intact level of its own",
    "recomputed",
    cite="verse_2020",
)
FRONT_SD = cited(0.08, "1", "widest SD of Ha/Hp, T10-L2, asymptomatic adults", "verified", cite="matsumoto_2011")
SPREAD_BEYOND = cited(0.10, "1", "Own choice: twice the usual scatter of depth against neighbours (0.05)", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A sign of broken bone and where it was seen."""

    where: Literal["endplate", "cortex"]
    text: str


def concavity(heights_mm: Triple) -> float:
    """How far the middle height stays behind the mean of the others, as a fraction of it."""
    ends = (heights_mm[0] + heights_mm[2]) / 2
    return (ends - heights_mm[1]) / ends


def depression_sign(heights_mm: Triple, intact: Sequence[Triple], slack: float = 0.0) -> Sign | None:
    """Endplates more hollow than those of the spine's intact levels.

    `slack` : what coarse labels leave open of a ratio, a fraction; here and below.
    """
    usual = median(concavity(heights) for heights in intact) if intact else DEFAULT_CONCAVITY
    than = "at intact levels" if intact else "usual (no intact level to compare with)"
    excess = concavity(heights_mm) - usual
    if excess <= DEPRESSED_BEYOND + slack:
        return None
    deeper_mm = excess * (heights_mm[0] + heights_mm[2]) / 2
    return Sign(where="endplate", text=f"endplates depressed {deeper_mm:.1f} mm deeper than {than}")


def breach_sign(dents: Sequence[Dent]) -> Sign | None:
    """Endplates dented or broken over a large part or up to the rim; a focal node is no sign of a fracture."""
    found = [f"{dent.plate} endplate dented or broken over {dent.area_mm2:.0f} mm2" for dent in dents if not dent.focal]
    return Sign(where="endplate", text="; ".join(found)) if found else None


def front_sign(level: Level, heights_mm: Triple, slack: float = 0.0) -> Sign | None:
    """A front cortex shorter, against the back, than two SD below the level's mean."""
    if not has_normal(level):
        return None
    ratio = heights_mm[0] / heights_mm[2]
    least = front_to_back(level) - 2 * FRONT_SD
    if ratio >= least - slack:
        return None
    return Sign(where="cortex", text=f"anterior / posterior height ratio {ratio:.2f}, below {least:.2f}")


def spread_sign(
    level: Level, depth_mm: float, intact: Sequence[tuple[Level, float]], slack: float = 0.0
) -> Sign | None:
    """A body deeper front to back than intact levels let expect."""
    known = [(other, depth) for other, depth in intact if has_normal(other)]
    if not known or not has_normal(level):
        return None
    expected = median(depth * normal_depth(level) / normal_depth(other) for other, depth in known)
    excess = depth_mm / expected - 1
    if excess <= SPREAD_BEYOND + slack:
        return None
    return Sign(where="cortex", text=f"body {excess:.0%} deeper front to back than intact levels let expect")

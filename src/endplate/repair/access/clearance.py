"""How near a needle may come to each wall, and the verdict on a path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from endplate.cited import cited, cited_table
from endplate.repair.access.access_result import NeedlePath

_PEDICLE = "Own choice: 1.0 mm preferred, 0.5 mm minimum to each pedicle wall"
_BODY = "Own choice: >= 5 mm to the anterior cortex, >= 3 mm to the endplates, both strict"
_JOINT = "Own choice: the needle's surface must not touch the bone above or below"

WANTED_MM = (
    cited_table(
        "path.wanted", "mm", _PEDICLE, "design", dict.fromkeys(("medial", "lateral", "superior", "inferior"), 1.0)
    )
    | cited_table("path.wanted", "mm", _BODY, "design", {"anterior": 5.0, "endplates": 3.0})
    | cited_table("path.wanted", "mm", _JOINT, "design", {"neighbour": 0.0})
)
"""Clearance of the needle's surface that a good path keeps, by wall."""
MIN_MM = (
    cited_table(
        "path.least", "mm", _PEDICLE, "design", dict.fromkeys(("medial", "lateral", "superior", "inferior"), 0.5)
    )
    | cited_table("path.least", "mm", _BODY, "design", {"anterior": 5.0, "endplates": 3.0})
    | cited_table("path.least", "mm", _JOINT, "design", {"neighbour": 0.0})
)
"""Clearance below which a path is refused, by wall."""
BALLOON_ANTERIOR_MM = cited(
    3.0,
    "mm",
    "Own choice: the blunt front end of a balloon's channel, which no cement leaves; 15 % of the depth of a small body",
    "design",
)

Verdict = Literal["safe", "tight", "refused"]
_SAID = {
    "medial": "canal side of the pedicle",
    "lateral": "lateral wall",
    "superior": "upper wall of the pedicle",
    "inferior": "lower wall of the pedicle",
    "anterior": "anterior cortex",
    "endplates": "endplates",
    "neighbour": "neighbouring vertebra",
}


def least_mm(path: NeedlePath) -> dict[str, float]:
    """Clearance below which this path is refused, by wall."""
    return least_by_wall(balloon=bool(path.balloon))


def least_by_wall(*, balloon: bool) -> dict[str, float]:
    """Clearance below which a path is refused, by wall; a balloon's channel may come nearer to the front wall."""
    return dict(MIN_MM) | ({"anterior": float(BALLOON_ANTERIOR_MM)} if balloon else {})


def wanted_mm(path: NeedlePath) -> dict[str, float]:
    """Clearance that a good path of this kind keeps, by wall."""
    return dict(WANTED_MM) | ({"anterior": float(BALLOON_ANTERIOR_MM)} if path.balloon else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class WallClearance:
    """What a path leaves to one wall.

    Attributes
    ----------
    wall : name as in `NeedlePath.clearance_mm`. mm : from the needle's surface; negative where it breaks through.
    band_mm : what the mask leaves open of it.
    least_mm : below it the path is refused. wanted_mm : a good path keeps it.
    """

    wall: str
    mm: float
    band_mm: float
    least_mm: float
    wanted_mm: float


def walls_by_spare(path: NeedlePath) -> tuple[WallClearance, ...]:
    """Every wall that a path was judged against, the one with least to spare beyond its least clearance first."""
    least, wanted = least_mm(path), wanted_mm(path)
    found = [
        WallClearance(
            wall=wall, mm=mm, band_mm=path.band_mm.get(wall, 0.0), least_mm=least[wall], wanted_mm=wanted[wall]
        )
        for wall, mm in path.clearance_mm.items()
    ]
    return tuple(sorted(found, key=lambda one: one.mm - one.least_mm))


def spare_mm(path: NeedlePath) -> float:
    """Least of clearance minus least margin over all walls: the aiming error that the path forgives.

    Aiming and mask errors are millimetres whatever the wall, so walls are compared by what is left beyond their margin
    in millimetres, not by ratio.
    """
    return min(clearance - least_mm(path)[wall] for wall, clearance in path.clearance_mm.items())


def verdict(path: NeedlePath) -> Verdict:
    """safe: every wanted margin kept. tight: only the least margins. refused: a margin or a wall is broken."""
    if path.breaches or any(clearance < least_mm(path)[wall] for wall, clearance in path.clearance_mm.items()):
        return "refused"
    kept = all(clearance >= wanted_mm(path)[wall] for wall, clearance in path.clearance_mm.items())
    return "safe" if kept else "tight"


def refusal(path: NeedlePath) -> str:
    """Why a path is refused, in words, the worst wall first; empty where it is not."""
    through = sorted(path.breaches, key=lambda breach: -breach.depth_mm)
    found = [f"breaks the {describe(breach.wall)} by {breach.depth_mm:.1f} mm" for breach in through]
    near = [
        (
            clearance - least_mm(path)[wall],
            f"{clearance:.1f} mm to the {describe(wall)}, {least_mm(path)[wall]:g} needed",
        )
        for wall, clearance in path.clearance_mm.items()
        if 0 <= clearance < least_mm(path)[wall]
    ]
    return "; ".join(found + [words for _, words in sorted(near)])


def describe(wall: str) -> str:
    """A wall's name in words."""
    return _SAID.get(wall, wall)

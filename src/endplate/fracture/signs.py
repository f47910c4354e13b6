"""Signs that bone broke: a depressed or breached endplate, a shortened front cortex, a body that spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.endplate import robust_quadratic
from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited
from endplate.fracture.normals import Triple, front_to_back, has_normal, normal_depth
from endplate.level import Level

DEPRESSED_BEYOND = cited(
    0.08,
    "1",
    "2 SD (0.036) of concavity (mean of Ha and Hp less Hm, over that mean) at 11 intact levels, VerSe'19 004, 014",
    "recomputed",
    cite="verse_2020",
)
BREACH_DEPTH_MM = cited(2, "mm", "Own choice: a step that a 1 mm scan shows for certain", "design")
BREACH_INSET_MM = cited(3, "mm", "Own choice: the rim rolls off by over 2 mm within this of the border", "design")
BREACH_AREA_MM2 = cited(25, "mm2", "Own choice: smaller than a usual Schmorl node of 5-6 mm across", "design")
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


def depression_sign(heights_mm: Triple, intact: Sequence[Triple]) -> Sign | None:
    """Endplates more hollow than those of the spine's intact levels."""
    usual = median(concavity(heights) for heights in intact) if intact else DEFAULT_CONCAVITY
    than = "at intact levels" if intact else "usual (no intact level to compare with)"
    excess = concavity(heights_mm) - usual
    if excess <= DEPRESSED_BEYOND:
        return None
    deeper_mm = excess * (heights_mm[0] + heights_mm[2]) / 2
    return Sign(where="endplate", text=f"endplates depressed {deeper_mm:.1f} mm deeper than {than}")


def breach_sign(vertebra: Vertebra) -> Sign | None:
    """A hole in an endplate: a patch of its breach map that lies deep inside the body."""
    found = []
    for name, plate, up in (("upper", vertebra.superior, 1), ("lower", vertebra.inferior, -1)):
        area = 0.0 if plate is None else breach_area_mm2(plate, up)
        if area >= BREACH_AREA_MM2:
            found.append(f"{name} endplate dented or broken over {area:.0f} mm2")
    return Sign(where="endplate", text="; ".join(found)) if found else None


def breach_area_mm2(plate: Endplate, up: int) -> float:
    """Area of the largest patch that lies at least 2 mm deeper than the endplate's robust fit, mm2.

    Parameters
    ----------
    plate : the endplate. up : +1 where the body lies below it, -1 where above.
    """
    seen = np.isfinite(plate.superior_mm)
    depth = fitted_depth_mm(plate, up)
    step = (float(plate.right_mm[1] - plate.right_mm[0]), float(plate.anterior_mm[1] - plate.anterior_mm[0]))
    from_rim = ndimage.distance_transform_edt(np.pad(seen, 1), sampling=step)[1:-1, 1:-1]
    deep = plate.breach & (depth >= BREACH_DEPTH_MM) & (from_rim > BREACH_INSET_MM)
    patches, count = ndimage.label(deep)
    return float(np.bincount(patches.ravel())[1:].max()) * step[0] * step[1] if count else 0.0


def fitted_depth_mm(plate: Endplate, up: int) -> NDArray[np.float64]:
    """(nx, ny) how far an endplate lies inside its robust fit, mm; 0 where it was not seen."""
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    seen = np.isfinite(plate.superior_mm)
    fit = robust_quadratic(x[seen], y[seen], plate.superior_mm[seen])
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    return np.where(seen, up * (terms @ fit - plate.superior_mm), 0)


def front_sign(level: Level, heights_mm: Triple) -> Sign | None:
    """A front cortex shorter, against the back, than two SD below the level's mean."""
    if not has_normal(level):
        return None
    ratio = heights_mm[0] / heights_mm[2]
    least = front_to_back(level) - 2 * FRONT_SD
    if ratio >= least:
        return None
    return Sign(where="cortex", text=f"anterior / posterior height ratio {ratio:.2f}, below {least:.2f}")


def spread_sign(level: Level, depth_mm: float, intact: Sequence[tuple[Level, float]]) -> Sign | None:
    """A body deeper front to back than intact levels let expect."""
    known = [(other, depth) for other, depth in intact if has_normal(other)]
    if not known or not has_normal(level):
        return None
    expected = median(depth * normal_depth(level) / normal_depth(other) for other, depth in known)
    excess = depth_mm / expected - 1
    if excess <= SPREAD_BEYOND:
        return None
    return Sign(where="cortex", text=f"body {excess:.0%} deeper front to back than intact levels let expect")

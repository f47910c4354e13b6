"""Sagittal angles across levels: regional (bisegmental Cobb) and local (Gardner); kyphosis positive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Endplate, Spine, Vertebra
from endplate.fracture.height.extent import Extent, body_extent
from endplate.fracture.height.morphometry import edge_along_superior_mm, sagittal_lean
from endplate.fracture.result import Alignment, Heights, Measured
from endplate.level import Level


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tilted:
    """A vertebra with the forward direction of each endplate's sagittal line, (3,) LPS unit vectors or None."""

    vertebra: Vertebra
    upper: NDArray[np.float64] | None
    lower: NDArray[np.float64] | None
    sd_deg: float | None
    unread: str = ""


def measure_alignment(spine: Spine, heights: Sequence[Heights] = ()) -> Alignment:
    """Regional and local kyphosis at every level.

    Parameters
    ----------
    spine : vertebrae from head to foot.
    heights : measured heights; their wedge SD gives the SD of the angles, and a level whose labels cannot carry its
        own angle carries none of these.

    Returns
    -------
    Degrees, kyphosis positive, lordosis negative. Regional: superior endplate one level above to inferior endplate
    one level below. Local: superior endplate of the level above to inferior endplate of the level itself.

    Notes
    -----
    Kuklo 2001 for the bisegmental Cobb angle; Gardner.
    """
    wedges = {row.level: row.wedge_deg for row in heights}
    tilted = [
        _tilted(vertebra, wedges.get(vertebra.level), trusted=vertebra.level not in spine.distrusted)
        for vertebra in spine.vertebrae
    ]
    regional: dict[Level, Measured] = {}
    local: dict[Level, Measured] = {}
    for place, own in enumerate(tilted):
        above = _next_to(own, tilted[place - 1] if place else None)
        below = _next_to(own, tilted[place + 1] if place + 1 < len(tilted) else None)
        level = own.vertebra.level
        local[level] = _between(above, own, "above")
        regional[level] = _between(above, below, "above" if above is None else "below")
    return Alignment(regional_deg=regional, local_deg=local)


def kyphosis_deg(upper: NDArray[np.float64], lower: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Signed angle from a lower to an upper forward direction about the patient's right axis, degrees.

    Positive where the upper one points further down in front: kyphosis.
    """
    axis = right / np.linalg.norm(right)
    one, two = (vector - (vector @ axis) * axis for vector in (upper, lower))
    return float(np.rad2deg(np.arctan2(np.cross(one, two) @ axis, one @ two)))


def _tilted(vertebra: Vertebra, wedge: Measured | None, *, trusted: bool) -> _Tilted:
    extent = body_extent(vertebra) if trusted else None
    return _Tilted(
        vertebra=vertebra,
        upper=_forward(vertebra, vertebra.superior, extent),
        lower=_forward(vertebra, vertebra.inferior, extent),
        sd_deg=None if wedge is None else wedge.sd,
        unread=wedge.reason if wedge is not None and wedge.value is None else "",
    )


def _forward(vertebra: Vertebra, plate: Endplate | None, extent: Extent | None) -> NDArray[np.float64] | None:
    """Forward direction along an endplate in the vertebra's sagittal plane, LPS."""
    if plate is None or extent is None:
        return None
    lean = sagittal_lean(plate, extent, edge_along_superior_mm(vertebra))
    if lean is None:
        return None
    return np.array([0.0, np.cos(lean), -np.sin(lean)]) @ vertebra.axes


def _next_to(own: _Tilted, other: _Tilted | None) -> _Tilted | None:
    """The other vertebra if it is the direct neighbour of this one."""
    if other is None:
        return None
    upper, lower = sorted((own.vertebra.level, other.vertebra.level))
    return other if lower.follows(upper) else None


def _between(above: _Tilted | None, below: _Tilted | None, missing: str) -> Measured:
    if above is None or below is None:
        return Measured(value=None, reason=f"the level {missing} is not in the labels")
    if above.upper is None or below.lower is None:
        level = above.vertebra.level if above.upper is None else below.vertebra.level
        return Measured(value=None, reason=f"no trustworthy endplate of {level}")
    for end in (above, below):
        if end.unread:
            return Measured(value=None, reason=f"{end.vertebra.level}: {end.unread}")
    right = above.vertebra.axes[0] + below.vertebra.axes[0]
    angle = kyphosis_deg(above.upper, below.lower, right)
    if above.sd_deg is None or below.sd_deg is None:
        return Measured(value=angle)
    return Measured(value=angle, sd=float(np.sqrt((above.sd_deg**2 + below.sd_deg**2) / 2)))

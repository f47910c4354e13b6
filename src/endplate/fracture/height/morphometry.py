"""Heights, wedge, depth and width of one body, measured on its endplates along its own superior axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.fracture.height.extent import Extent, body_extent
from endplate.fracture.height.patch import BAND_HALF_MM, PLACES, band_heights
from endplate.fracture.height.plate import weighted_fit, without_steps
from endplate.fracture.height.spread import remeasured
from endplate.fracture.result import Heights, Measured
from endplate.level import Level

KINDS = ("anterior", "middle", "posterior")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeightSettings:
    """How to measure: whether to repeat the measurement for its SD (mask moved half a voxel, frame turned)."""

    repeat: bool = True


def measure_heights(vertebra: Vertebra, settings: HeightSettings = HeightSettings()) -> Heights:
    """Anterior, middle and posterior height, wedge angle, depth and width of one body.

    Parameters
    ----------
    vertebra : with both endplates as height maps in its own frame.
    settings : see `HeightSettings`.

    Returns
    -------
    Heights in mm, wedge in degrees (positive where the front is lower), each with the SD of re-measuring.
    What cannot be measured is None with the reason.

    Notes
    -----
    docs/theory.md, morphometry steps 5, 6 and 8.
    """
    extent = body_extent(vertebra)
    reason = unmeasurable(vertebra, extent)
    if reason or extent is None or vertebra.superior is None or vertebra.inferior is None:
        return unknown_heights(vertebra.level, reason, extent)
    edge_mm = edge_along_superior_mm(vertebra)
    top, bottom = (
        without_steps(plate.right_mm, plate.anterior_mm, plate.superior_mm, edge_mm)
        for plate in (vertebra.superior, vertebra.inferior)
    )
    values = band_heights(vertebra.superior.right_mm, vertebra.superior.anterior_mm, top - bottom, extent)
    spread = remeasured(vertebra, extent, edge_mm) if settings.repeat else [None] * len(KINDS)
    heights = [_measured(value, sd) for value, sd in zip(values, spread, strict=True)]
    return Heights(
        level=vertebra.level,
        anterior=heights[0],
        middle=heights[1],
        posterior=heights[2],
        wedge_deg=_wedge(vertebra, heights, extent),
        depth_mm=extent.depth_mm,
        width_mm=extent.width_mm,
    )


def unknown_heights(level: Level, reason: str, extent: Extent | None = None) -> Heights:
    """Heights that cannot be told, all with the same reason."""
    nothing = Measured(value=None, reason=reason)
    return Heights(
        level=level,
        anterior=nothing,
        middle=nothing,
        posterior=nothing,
        wedge_deg=nothing,
        depth_mm=extent.depth_mm if extent else None,
        width_mm=extent.width_mm if extent else None,
    )


def unmeasurable(vertebra: Vertebra, extent: Extent | None) -> str:
    """Why the heights of a body cannot be measured; empty where they can."""
    if vertebra.cut_by_field and (vertebra.superior is None or vertebra.inferior is None):
        return "the scan border cuts the body"
    missing = [name for name in ("superior", "inferior") if getattr(vertebra, name) is None]
    if missing:
        return f"no {' and no '.join(missing)} endplate was found"
    return "" if extent else "the body has no mid-sagittal section"


def edge_along_superior_mm(vertebra: Vertebra) -> float:
    """Length of the voxel edge that lies closest to the body's superior axis, mm."""
    edges = vertebra.grid.affine[:3, :3]
    along = np.abs(vertebra.axes[2] @ edges) / np.linalg.norm(edges, axis=0)
    return float(np.linalg.norm(edges[:, int(along.argmax())]))


def _measured(value: float, sd: float | None) -> Measured:
    if not np.isfinite(value):
        return Measured(value=None, reason="the endplates do not reach this place")
    return Measured(value=float(value), sd=None if sd is None or not np.isfinite(sd) else float(sd))


def _wedge(vertebra: Vertebra, heights: list[Measured], extent: Extent) -> Measured:
    """Angle between the best planes of both endplates over the mid-sagittal band, degrees."""
    if vertebra.superior is None or vertebra.inferior is None:
        return Measured(value=None, reason="an endplate is missing")
    edge_mm = edge_along_superior_mm(vertebra)
    lean = [sagittal_lean(plate, extent, edge_mm) for plate in (vertebra.superior, vertebra.inferior)]
    if lean[0] is None or lean[1] is None:
        return Measured(value=None, reason="too little of an endplate is seen in the mid-sagittal band")
    angle = float(np.rad2deg(lean[0] - lean[1]))
    front_sd, back_sd = heights[0].sd, heights[2].sd
    if front_sd is None or back_sd is None:
        return Measured(value=angle)
    run_mm = (PLACES["posterior"] - PLACES["anterior"]) * extent.depth_mm
    sd = np.arctan(np.hypot(front_sd, back_sd) / run_mm)
    return Measured(value=angle, sd=float(np.rad2deg(sd)))


def sagittal_lean(plate: Endplate, extent: Extent, edge_mm: float) -> float | None:
    """Forward lean of an endplate's best plane in the vertebra's sagittal plane, radians; positive front down.

    Fitted over the mid-sagittal band between the places of the anterior and posterior heights. A curved term beside
    the plane keeps a hollow plate that is seen further on one side from tipping it.
    """
    surface = without_steps(plate.right_mm, plate.anterior_mm, plate.superior_mm, edge_mm)
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    fraction = (extent.front_mm - y) / extent.depth_mm
    inside = (np.abs(x - extent.middle_mm) <= BAND_HALF_MM) & np.isfinite(surface)
    inside &= (fraction >= PLACES["anterior"]) & (fraction <= PLACES["posterior"])
    if inside.sum() < 10:
        return None
    along = 0.5 - fraction[inside]
    across = x[inside] / extent.depth_mm
    terms = np.stack([np.ones_like(along), across, along, along**2], axis=-1)
    fit = weighted_fit(terms, surface[inside], np.ones_like(along))
    return float(-np.arctan(fit[2] / extent.depth_mm))

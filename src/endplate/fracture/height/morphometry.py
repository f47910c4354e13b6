"""Heights, wedge, depth and width of one body, measured on its endplates along its own superior axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.label.resolution import COARSER_BY, THICK_MM
from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited
from endplate.finding import BAND_SD
from endplate.fracture.height.coarse import WANDER_SHARE, steps_sd_mm, wander_sd_mm
from endplate.fracture.height.extent import BodyField, Extent, body_extent, body_field
from endplate.fracture.height.patch import BAND_HALF_MM, PLACES, band_heights
from endplate.fracture.height.plate import plate_without_steps, weighted_fit
from endplate.fracture.height.spread import BORDER_SD_MM, remeasured
from endplate.fracture.node import find_dents
from endplate.fracture.result import Heights, Measured
from endplate.level import Level

KINDS = ("anterior", "middle", "posterior")
_READERS = "neuro-ml/vertebral-fractures-severity: 2,971 pairs of the same body drawn by two readers"
READER_SD_MM = cited(1.0, "mm", f"{_READERS}; SD of one reader's height", "recomputed", cite="vertebral_severity")
READER_RATIO_SD = cited(
    0.034,
    "1",
    f"{_READERS}; SD of one reader's 1 - least over greatest height (robust 0.027)",
    "recomputed",
    cite="vertebral_severity",
)
MAX_ANGLE_SD_DEG = cited(
    4, "deg", "Own choice: +-8 degrees is the whole of a mild wedge; beyond it an angle says nothing", "design"
)
PLANES_OVER_HEIGHTS = cited(
    1.4,
    "1",
    "own study: errors of angles over what the heights at both ends let expect, on digital spines of rough labels",
    "design",
)
PLANE_SD_DEG = cited(
    0.9,
    "deg",
    "own study: what the band's planes miss of those of whole endplates beyond the heights, digital spines",
    "design",
)


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
    body = body_field(vertebra)
    extent = body_extent(vertebra, body)
    reason = unmeasurable(vertebra, extent)
    if reason or extent is None or vertebra.superior is None or vertebra.inferior is None:
        return unknown_heights(vertebra.level, reason, extent)
    edge_mm = edge_along_superior_mm(vertebra)
    dents = find_dents(vertebra)
    nodes: dict[str, NDArray[np.bool_]] = {dent.plate: dent.cells for dent in dents if dent.focal}
    values = _band(vertebra.superior, vertebra.inferior, extent, edge_mm, nodes)
    spread = _spread(vertebra, extent, edge_mm, body) if settings.repeat else [None] * len(KINDS)
    heights = [_measured(value, sd) for value, sd in zip(values, spread, strict=True)]
    within = _band(vertebra.superior, vertebra.inferior, extent, edge_mm, {}) if nodes else None
    return Heights(
        level=vertebra.level,
        anterior=heights[0],
        middle=heights[1],
        posterior=heights[2],
        wedge_deg=_wedge(vertebra, heights, extent, nodes),
        depth_mm=extent.depth_mm,
        width_mm=extent.width_mm,
        edge_mm=edge_mm,
        dents=dents,
        within_node_mm=None if within is None else (float(within[0]), float(within[1]), float(within[2])),
    )


def _band(
    superior: Endplate, inferior: Endplate, extent: Extent, edge_mm: float, nodes: Mapping[str, NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Heights of the mid-sagittal band, focal nodes bridged."""
    top, bottom = (
        plate_without_steps(plate, edge_mm, nodes.get(name))
        for name, plate in (("upper", superior), ("lower", inferior))
    )
    return band_heights(superior.right_mm, superior.anterior_mm, top - bottom, extent)


def _spread(vertebra: Vertebra, extent: Extent, edge_mm: float, body: BodyField) -> list[float | None]:
    """SD of each height: repeats, the steps of the label's voxels, and its border's wander, mm."""
    plates = [plate for plate in (vertebra.superior, vertebra.inferior) if plate is not None]
    steps = float(np.linalg.norm([steps_sd_mm(vertebra, plate) for plate in plates]))
    wander = float(np.linalg.norm([wander_sd_mm(vertebra, plate) for plate in plates])) / 2**0.5
    border = max(float(BORDER_SD_MM), float(WANDER_SHARE) * wander)
    repeats = remeasured(vertebra, extent, edge_mm, body)
    # Repeats of a coarse label show some of its steps again, so the larger of both counts, not their sum.
    return [None if sd is None else float(np.hypot(max(sd, steps), border)) for sd in repeats]


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
    """Edge, closest to the body's superior axis, of the voxels in which the label was drawn, mm."""
    return float(vertebra.edges_mm[vertebra.axis_along])


def drawn_in(edge_mm: float, vertebra: Vertebra) -> str:
    """What a label's steps along the spine come from, in words."""
    if in_blocks(edge_mm, vertebra):
        return f"labels drawn in steps of {edge_mm:.1f} mm"
    return f"slices of {float(vertebra.grid.spacing_mm[vertebra.axis_along]):.2g} mm"


def in_blocks(edge_mm: float, vertebra: Vertebra) -> bool:
    """Whether a label was drawn in voxels coarser along the spine than those it is stored in."""
    return bool(edge_mm >= float(vertebra.grid.spacing_mm[vertebra.axis_along]) * float(COARSER_BY))


def _measured(value: float, sd: float | None) -> Measured:
    if not np.isfinite(value):
        return Measured(value=None, reason="the endplates do not reach this place")
    if sd is None or not np.isfinite(sd):
        return Measured(value=float(value))
    return Measured(value=float(value), sd=float(sd), reader_sd=float(np.hypot(sd, READER_SD_MM)))


def _wedge(
    vertebra: Vertebra, heights: list[Measured], extent: Extent, nodes: Mapping[str, NDArray[np.bool_]]
) -> Measured:
    """Angle between the best planes of both endplates over the mid-sagittal band, degrees."""
    if vertebra.superior is None or vertebra.inferior is None:
        return Measured(value=None, reason="an endplate is missing")
    edge_mm = edge_along_superior_mm(vertebra)
    if edge_mm > float(THICK_MM) and in_blocks(edge_mm, vertebra):
        reason = f"{drawn_in(edge_mm, vertebra)} cannot carry an angle: whole blocks tip an endplate"
        return Measured(value=None, reason=reason)
    lean = [
        sagittal_lean(plate, extent, edge_mm, nodes.get(name))
        for name, plate in (("upper", vertebra.superior), ("lower", vertebra.inferior))
    ]
    if lean[0] is None or lean[1] is None:
        return Measured(value=None, reason="too little of an endplate is seen in the mid-sagittal band")
    angle = float(np.rad2deg(lean[0] - lean[1]))
    front_sd, back_sd = heights[0].sd, heights[2].sd
    if heights[0].value is None or heights[2].value is None:
        return Measured(value=None, reason="the endplates do not reach the front or the back")
    if front_sd is None or back_sd is None:
        return Measured(value=angle)
    run_mm = (PLACES["posterior"] - PLACES["anterior"]) * extent.depth_mm
    from_heights = float(np.rad2deg(np.arctan(np.hypot(front_sd, back_sd) / run_mm)))
    sd = float(np.hypot(PLANES_OVER_HEIGHTS * from_heights, PLANE_SD_DEG))
    if sd > MAX_ANGLE_SD_DEG:
        reason = f"{drawn_in(edge_mm, vertebra)} cannot carry an angle: it is known to +-{BAND_SD * sd:.0f} degrees"
        return Measured(value=None, reason=reason)
    mean_mm = float(np.mean([height.value or 0.0 for height in (heights[0], heights[2])]))
    readers = float(np.rad2deg(np.arctan(READER_RATIO_SD * mean_mm / run_mm)))
    return Measured(value=angle, sd=sd, reader_sd=float(np.hypot(sd, readers)))


def sagittal_lean(
    plate: Endplate, extent: Extent, edge_mm: float, dent: NDArray[np.bool_] | None = None
) -> float | None:
    """Forward lean of an endplate's best plane in the vertebra's sagittal plane, radians; positive front down.

    Fitted over the mid-sagittal band between the places of the anterior and posterior heights. A curved term beside
    the plane keeps a hollow plate that is seen further on one side from tipping it.
    """
    surface = plate_without_steps(plate, edge_mm, dent)
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

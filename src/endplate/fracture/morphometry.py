"""Heights, wedge, depth and width of one body, measured on its endplates along its own superior axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited, cited_table
from endplate.fracture.extent import Extent, body_extent
from endplate.fracture.result import Heights, Measured
from endplate.fracture.spread import remeasured

_ALGORITHM = "biomechanics reference 8.1 step 5: heights in 5 sagittal slices over +-5 mm, 2 mm patches"
BAND_HALF_MM = cited(5, "mm", _ALGORITHM, "knowledge")
BAND_SLICES = cited(5, "1", _ALGORITHM, "knowledge")
PATCH_MM = cited(2, "mm", _ALGORITHM, "knowledge")
PLACES = cited_table(
    "height_place",
    "1",
    "biomechanics reference 8.1 step 5: 10-15 %, 50 % and 85-90 % of the depth, middle of each band",
    "knowledge",
    {"anterior": 0.125, "middle": 0.5, "posterior": 0.875},
)
PATCH_STEP_MM = cited(0.5, "mm", "biomechanics reference 8.1 step 3: resample at 0.5 mm", "knowledge")
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
    biomechanics reference 8.1 steps 5, 6 and 8.
    """
    extent = body_extent(vertebra)
    reason = unmeasurable(vertebra, extent)
    if reason or extent is None or vertebra.superior is None or vertebra.inferior is None:
        nothing = Measured(value=None, reason=reason)
        return Heights(
            level=vertebra.level,
            anterior=nothing,
            middle=nothing,
            posterior=nothing,
            wedge_deg=nothing,
            depth_mm=extent.depth_mm if extent else None,
            width_mm=extent.width_mm if extent else None,
        )
    right, anterior = patch_points(extent)
    top = map_at(vertebra.superior, right, anterior)
    bottom = map_at(vertebra.inferior, right, anterior)
    values = band_heights(top - bottom)
    spread = remeasured(vertebra, extent, patch_points, band_heights) if settings.repeat else np.full(len(KINDS), None)
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


def unmeasurable(vertebra: Vertebra, extent: Extent | None) -> str:
    """Why the heights of a body cannot be measured; empty where they can."""
    if vertebra.cut_by_field and (vertebra.superior is None or vertebra.inferior is None):
        return "the scan border cuts the body"
    missing = [name for name in ("superior", "inferior") if getattr(vertebra, name) is None]
    if missing:
        return f"no {' and no '.join(missing)} endplate was found"
    return "" if extent else "the body has no mid-sagittal section"


def patch_points(extent: Extent) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sample columns of the height patches: right and anterior mm, shape (kinds, slices, points of a patch)."""
    half = float(PATCH_MM) / 2
    offset = np.arange(-half, half + float(PATCH_STEP_MM) / 2, float(PATCH_STEP_MM))
    across, along = (grid.ravel() for grid in np.meshgrid(offset, offset, indexing="ij"))
    slices = extent.middle_mm + np.linspace(-float(BAND_HALF_MM), float(BAND_HALF_MM), int(BAND_SLICES))
    places = np.array([extent.front_mm - float(PLACES[kind]) * extent.depth_mm for kind in KINDS])
    shape = (len(KINDS), len(slices), len(across))
    right = np.broadcast_to(slices[None, :, None] + across, shape)
    anterior = np.broadcast_to(places[:, None, None] + along, shape)
    return right, anterior


def band_heights(columns_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over slices of the patch means: (kinds, slices, points) column heights to (kinds,); NaN where unseen."""
    seen = np.isfinite(columns_mm)
    count = seen.sum(axis=-1)
    total = np.where(seen, columns_mm, 0).sum(axis=-1)
    enough = 2 * count >= columns_mm.shape[-1]
    means = np.where(enough, total / np.maximum(count, 1), np.nan)
    return np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in means])


def map_at(plate: Endplate, right_mm: NDArray[np.float64], anterior_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height of an endplate map at points, bilinear, mm; NaN beside the map and where it has no surface."""
    i, di = _cell(plate.right_mm, right_mm)
    j, dj = _cell(plate.anterior_mm, anterior_mm)
    surface = plate.superior_mm
    low = surface[i, j] * (1 - di) + surface[i + 1, j] * di
    high = surface[i, j + 1] * (1 - di) + surface[i + 1, j + 1] * di
    return low * (1 - dj) + high * dj


def _cell(axis_mm: NDArray[np.float64], at_mm: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Index of the cell that holds each point along an axis, and the share of the way through; NaN outside."""
    cell = np.clip(np.searchsorted(axis_mm, at_mm, side="right") - 1, 0, len(axis_mm) - 2)
    share = (at_mm - axis_mm[cell]) / (axis_mm[cell + 1] - axis_mm[cell])
    return cell, np.where((share >= 0) & (share <= 1), share, np.nan)


def _measured(value: float, sd: float | None) -> Measured:
    if not np.isfinite(value):
        return Measured(value=None, reason="the endplates do not reach this place")
    return Measured(value=float(value), sd=None if sd is None or not np.isfinite(sd) else float(sd))


def _wedge(vertebra: Vertebra, heights: list[Measured], extent: Extent) -> Measured:
    """Angle between the best planes of both endplates over the mid-sagittal band, degrees."""
    if vertebra.superior is None or vertebra.inferior is None:
        return Measured(value=None, reason="an endplate is missing")
    lean = [sagittal_lean(plate, extent) for plate in (vertebra.superior, vertebra.inferior)]
    if lean[0] is None or lean[1] is None:
        return Measured(value=None, reason="too little of an endplate is seen in the mid-sagittal band")
    angle = float(np.rad2deg(lean[0] - lean[1]))
    front_sd, back_sd = heights[0].sd, heights[2].sd
    if front_sd is None or back_sd is None:
        return Measured(value=angle)
    run_mm = (float(PLACES["posterior"]) - float(PLACES["anterior"])) * extent.depth_mm
    sd = np.arctan(np.hypot(front_sd, back_sd) / run_mm)
    return Measured(value=angle, sd=float(np.rad2deg(sd)))


def sagittal_lean(plate: Endplate, extent: Extent) -> float | None:
    """Forward lean of an endplate's best plane in the vertebra's sagittal plane, radians; positive front down.

    The plane is fitted over the mid-sagittal band between the places of the anterior and posterior heights.
    """
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    fraction = (extent.front_mm - y) / extent.depth_mm
    inside = (np.abs(x - extent.middle_mm) <= float(BAND_HALF_MM)) & np.isfinite(plate.superior_mm)
    inside &= (fraction >= float(PLACES["anterior"])) & (fraction <= float(PLACES["posterior"]))
    if inside.sum() < 10:
        return None
    terms = np.stack([np.ones(inside.sum()), x[inside], y[inside]], axis=-1)
    slope = np.linalg.lstsq(terms, plate.superior_mm[inside], rcond=None)[0][2]
    return float(-np.arctan(slope))

"""The rods of a calibration phantom under the patient: found in the image, or pointed at, and the line through them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.bone.settings import RodSettings
from endplate.cited import cited
from endplate.image.volume import Grid, Volume

ROD_ABOVE_HU = cited(
    -150.0,
    "[hnsf'U]",
    "own window: rods are water-like or denser; foam and mattress are lighter",
    "design",
    cite="kalender_2011",
)
ROD_BELOW_HU = cited(
    700.0,
    "[hnsf'U]",
    "own window: rods for trabecular bone end near 300 HU, for cortical bone near 700",
    "design",
    cite="kalender_2011",
)
ROD_AREA_MM2 = (
    cited(40.0, "mm2", "thinner than a 7 mm rod nothing is left after leaving its edge out", "design"),
    cited(900.0, "mm2", "rods are thinner than 34 mm", "design"),
)
ROD_ROUND = cited(1.6, "1", "longest to shortest width of a rod's cross-section at most", "design")
ROD_FIT_R2 = cited(0.98, "1", "rods of known concentration lie on a line; a worse fit means a wrong match", "design")
ROD_INNER = cited(0.6, "1", "share of a rod's radius that is read, clear of partial volume at its edge", "design")
ROD_LENGTH = cited(0.6, "1", "share of the image's slices that a rod must be seen in", "design")
SLAB_EDGE_MM = cited(4.0, "mm", "rods lie deeper in their slab than its smoothed edge reaches", "design")
SLAB_CONTRAST_HU = cited(
    12.0,
    "[hnsf'U]",
    "median over slices and a 3 x 3 mean leave less noise; a fainter rod goes unseen, the count tells",
    "design",
)
# Mindways: from reference to CT line, as read in the Ogo source citing the QCT Pro guide.
_MINDWAYS = "Ogo source, citing the QCT Pro guide"
MINDWAYS_SLOPE = cited(
    0.2174, "1", _MINDWAYS + ": sigma_CT = sigma_ref - 0.2174", "secondary", cite=("mindways_qct", "ogo")
)
MINDWAYS_OFFSET = cited(
    999.6, "[hnsf'U]", _MINDWAYS + ": beta_CT = beta_ref + 999.6", "secondary", cite=("mindways_qct", "ogo")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RodLine:
    """K2HPO4-equivalent density = offset + slope HU, the misfit in mg/cm3, and what the line stood on."""

    slope: float
    offset: float
    residual_sd: float
    hu: tuple[float, ...]
    notes: tuple[str, ...]


def line_through_rods(volume: Volume, rods: RodSettings, k2hpo4_per_ha: float) -> RodLine | str:
    """The line through the rods of an image, or the reason why there is none.

    Parameters
    ----------
    volume : the CT.
    rods : concentrations, mineral and, where known, positions.
    k2hpo4_per_ha : turns HA rods to K2HPO4-equivalent density.
    """
    order = np.argsort(rods.mg_cm3)
    density = np.array(rods.mg_cm3, float)[order]
    if rods.centres_mm is not None:
        hu = _at_points(volume, np.array(rods.centres_mm, float))[order]
    else:
        found = find_rods(volume)
        if len(found) != len(density):
            return f"{len(found)} rods were found in the image where {len(density)} are stated"
        hu = np.sort(np.array([value for _, value in found]))
    if np.isnan(hu).any():
        return "a stated rod position lies outside the image"
    if rods.water_mg_cm3 is not None:
        return _mindways(hu, density, np.array(rods.water_mg_cm3, float)[order])
    factor = k2hpo4_per_ha if rods.mineral == "HA" else 1.0
    notes: tuple[str, ...] = (f"{len(hu)} {rods.mineral} rods at " + ", ".join(f"{value:.0f}" for value in hu) + " HU",)
    if rods.mineral == "HA":
        notes += (f"HA times {factor:.3f} to K2HPO4 (Goodsitt 1992)",)
    return _fit(hu, density * factor, notes)


def _fit(hu: NDArray[Any], density: NDArray[Any], notes: tuple[str, ...]) -> RodLine | str:
    slope, offset = np.polyfit(hu, density, 1)
    misfit = density - (slope * hu + offset)
    explained = 1 - (misfit**2).sum() / ((density - density.mean()) ** 2).sum()
    if slope <= 0 or explained < ROD_FIT_R2:
        return f"the rods' HU do not follow their stated concentrations (r2 {explained:.2f})"
    free = max(len(hu) - 2, 1)
    sd = float(np.sqrt((misfit**2).sum() / free))
    return RodLine(slope=float(slope), offset=float(offset), residual_sd=sd, hu=tuple(map(float, hu)), notes=notes)


def _mindways(hu: NDArray[Any], density: NDArray[Any], water: NDArray[Any]) -> RodLine | str:
    """The line of a Mindways phantom, whose rods displace water: HU - water = sigma density + beta."""
    sigma, beta = np.polyfit(density, hu - water, 1)
    sigma_ct, beta_ct = sigma - MINDWAYS_SLOPE, beta + MINDWAYS_OFFSET
    misfit = (hu - water - (sigma * density + beta)) / sigma
    explained = 1 - (misfit**2).sum() / ((density - density.mean()) ** 2).sum()
    if sigma_ct <= 0 or explained < ROD_FIT_R2:
        return f"the rods' HU do not follow their stated concentrations (r2 {explained:.2f})"
    sd = float(np.sqrt((misfit**2).sum() / max(len(hu) - 2, 1)))
    notes = (f"{len(hu)} Mindways rods, line by {_MINDWAYS}",)
    offset = float(-beta_ct / sigma_ct)
    return RodLine(slope=float(1 / sigma_ct), offset=offset, residual_sd=sd, hu=tuple(map(float, hu)), notes=notes)


def _at_points(volume: Volume, centres_mm: NDArray[Any]) -> NDArray[Any]:
    """Mean HU in a small column along the slices about each point; NaN outside the image."""
    at = np.rint(volume.grid.to_index(centres_mm)).astype(int)
    reach = np.maximum(np.rint(2 / volume.grid.spacing_mm).astype(int), 1)
    means = []
    for i, j, k in at:
        if np.any((i, j, k) < np.zeros(3)) or np.any((i, j, k) >= np.array(volume.hu.shape)):
            means.append(np.nan)
            continue
        low = np.maximum([i, j, k] - reach, 0)
        block = volume.hu[low[0] : i + reach[0] + 1, low[1] : j + reach[1] + 1, low[2] : k + reach[2] + 1]
        means.append(float(block.mean()))
    return np.array(means)


def find_rods(volume: Volume) -> list[tuple[tuple[float, float], float]]:
    """Rods outside the patient, from right to left: in-plane centre (i, j) and mean HU of each.

    They run along the slices, are round, of one material, present in most slices, and stand free or in a slab of
    another density that does not touch the patient.
    """
    middle = volume.hu.shape[2] // 2
    half = max(volume.hu.shape[2] // 4, 1)
    step = max(half // 16, 1)
    stack = volume.hu[:, :, max(middle - half, 0) : middle + half + 1 : step]
    plane = np.median(stack, axis=2).astype(np.float32)
    found = []
    for rod in _candidates(ndimage.uniform_filter(plane, 3, mode="nearest"), volume.grid):
        value = _rod_value(rod, stack, volume.grid)
        if value is not None:
            i, j = np.argwhere(rod).mean(axis=0)
            found.append(((float(i), float(j)), value))
    return sorted(found)


def _candidates(smooth: NDArray[np.float32], grid: Grid) -> Iterator[NDArray[np.bool_]]:
    """Pieces of a slice as large as a rod: free ones, and ones inside larger objects other than the patient."""
    solid = (smooth > ROD_ABOVE_HU) & (smooth < ROD_BELOW_HU)
    pieces, count = ndimage.label(solid)
    if count < 2:
        return
    areas = ndimage.sum_labels(solid, pieces, np.arange(1, count + 1))
    low, high = np.array(ROD_AREA_MM2) / float(grid.spacing_mm[:2].prod())
    for number in range(1, count + 1):
        area = areas[number - 1]
        if number == np.argmax(areas) + 1 or area < low:
            continue
        if area <= high:
            yield pieces == number
        else:
            yield from _inside(pieces == number, smooth, grid, (low, high))


def _inside(
    slab: NDArray[np.bool_], smooth: NDArray[np.float32], grid: Grid, area: tuple[float, float]
) -> Iterator[NDArray[np.bool_]]:
    """Pieces of a slab that differ from its material."""
    deep = ndimage.distance_transform_edt(np.pad(slab, 1), sampling=grid.spacing_mm[:2])[1:-1, 1:-1] > SLAB_EDGE_MM
    if not deep.any():
        return
    odd = deep & (np.abs(smooth - np.median(smooth[deep])) > SLAB_CONTRAST_HU)
    pieces, count = ndimage.label(odd)
    for number in range(1, count + 1):
        rod = pieces == number
        if area[0] <= rod.sum() <= area[1]:
            yield rod


def _rod_value(rod: NDArray[np.bool_], stack: NDArray[Any], grid: Grid) -> float | None:
    """Mean HU of a rod's inner part; None where its shape or length are not a rod's."""
    spacing = grid.spacing_mm[:2]
    points = np.argwhere(rod) * spacing
    widths = np.sqrt(np.linalg.eigvalsh(np.cov(points.T)))
    if widths[0] <= 0 or widths[1] / widths[0] > ROD_ROUND:
        return None
    depth = ndimage.distance_transform_edt(np.pad(rod, 1), sampling=spacing)[1:-1, 1:-1]
    inner = depth > (1 - ROD_INNER) * depth.max()
    along = stack[inner].mean(axis=0)
    present = (along > ROD_ABOVE_HU) & (along < ROD_BELOW_HU)
    if present.mean() < ROD_LENGTH:
        return None
    return float(along[present].mean())

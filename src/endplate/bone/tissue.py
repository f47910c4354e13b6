"""Air outside the body, fat and muscle found in the image without a drawn region, and the line through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import citation_of, cited
from endplate.image.volume import Grid, Volume

_EQUIVALENTS = (
    "Szyszko, PLoS One 2024, reference equivalents of air, fat and muscle; read as HA, since with the usual K2HPO4 "
    "slope of 0.67 mg/cm3 per HU air would lie at -1190 HU, with that of HA at -984 HU"
)
AIR_HA_MG_CM3 = cited(-797.0, "mg/cm3", _EQUIVALENTS, "verified", cite="szyszko_2024")
FAT_HA_MG_CM3 = cited(-95.0, "mg/cm3", _EQUIVALENTS, "verified", cite="szyszko_2024")
MUSCLE_HA_MG_CM3 = cited(38.0, "mg/cm3", _EQUIVALENTS, "verified", cite="szyszko_2024")

AIR_BELOW_HU = cited(
    -900.0, "[hnsf'U]", "own window: denser than air: lung, foam and clothes", "design", cite="kalender_2011"
)
AIR_ABOVE_HU = cited(
    -1100.0,
    "[hnsf'U]",
    "own limit: averaged air lies within some HU of -1000; lower is padding",
    "design",
    cite="kalender_2011",
)
PADDING_HU = cited(
    -1020.0,
    "[hnsf'U]",
    "own window: scanners pad unmeasured corners at -1024 or below, without noise",
    "design",
    cite="kalender_2011",
)
PADDING_SD_HU = cited(2.0, "[hnsf'U]", "measured air is noisier than this; a constant is padding or clipped", "design")
FAT_HU = (
    cited(
        -150.0,
        "[hnsf'U]",
        "own window: adipose tissue, lower end of the usual -190 to -30 HU without air's edge",
        "design",
        cite="kalender_2011",
    ),
    cited(
        -60.0, "[hnsf'U]", "own window: adipose tissue, upper end without muscle's edge", "design", cite="kalender_2011"
    ),
)
MUSCLE_HU = (
    cited(10.0, "[hnsf'U]", "own window: muscle, lower end without fatty infiltration", "design", cite="kalender_2011"),
    cited(90.0, "[hnsf'U]", "own window: muscle, upper end without vessels and bone", "design", cite="kalender_2011"),
)
SMOOTHING_MM = cited(2.0, "mm", "averages noise of 20-60 HU to a few HU within one tissue", "design")
COARSE_MM = cited(
    2.5, "mm", "voxels are averaged to about this: tissues are large, the image need not be fine", "design"
)
EDGE_HU_PER_MM = cited(6.0, "[hnsf'U]/mm", "steeper than this a smoothed voxel lies on a border", "design")
AWAY_FROM_BONE_MM = cited(6.0, "mm", "three smoothing widths from vertebrae", "design")
AWAY_FROM_BODY_MM = cited(6.0, "mm", "air is taken three smoothing widths from skin, table and bowel wall", "design")
BACK_MUSCLE_MM = cited(60.0, "mm", "back and psoas muscle lie this near the vertebrae; organs lie in front", "design")
MIN_MM3 = cited(1000.0, "mm3", "a cubic centimetre; Ogo asks for 10 mm2 of each tissue at least", "design", cite="ogo")
_PEAK_WINDOW_HU = cited(
    8.0, "[hnsf'U]", "half width about the histogram's peak over which its centre is taken", "design"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueLine:
    """A line from HU to K2HPO4-equivalent density through the tissues' peaks, its misfit, and what it stood on."""

    slope: float
    offset: float
    residual_sd: float
    air_hu: float
    fat_hu: float
    muscle_hu: float
    source: str
    notes: tuple[str, ...]


def tissue_line(volume: Volume, bone: NDArray[np.bool_], k2hpo4_per_ha: float) -> TissueLine | str:
    """The line through air, fat and muscle of an image, or the reason why there is none.

    Parameters
    ----------
    volume : the CT.
    bone : (I, J, K) bool, the labelled vertebrae on the CT's grid.
    k2hpo4_per_ha : K2HPO4-equivalent density of 1 mg/cm3 hydroxyapatite at the tube voltage.
    """
    hu, grid = _coarse(volume)
    smooth = ndimage.gaussian_filter(hu, SMOOTHING_MM / grid.spacing_mm, mode="nearest")
    peaks = {
        "air": _air_peak(hu, grid),
        "fat": _peak(smooth, _homogeneous(smooth, grid), FAT_HU, grid),
        "muscle": _peak(smooth, _homogeneous(smooth, grid) & _back(bone, volume.grid, grid), MUSCLE_HU, grid),
    }
    missing = [name for name, peak in peaks.items() if peak is None]
    if missing:
        seen = ", ".join(f"{name} {peak:.0f} HU" for name, peak in peaks.items() if peak is not None)
        return f"no {' nor '.join(missing)} was found in the field" + (f" ({seen})" if seen else "")
    at = np.array([peaks["air"], peaks["fat"], peaks["muscle"]], float)
    equivalent = np.array([AIR_HA_MG_CM3, FAT_HA_MG_CM3, MUSCLE_HA_MG_CM3]) * k2hpo4_per_ha
    slope, offset = np.polyfit(at, equivalent, 1)
    misfit = equivalent - (slope * at + offset)
    return TissueLine(
        slope=float(slope),
        offset=float(offset),
        residual_sd=float(np.sqrt((misfit**2).sum())),
        air_hu=float(at[0]),
        fat_hu=float(at[1]),
        muscle_hu=float(at[2]),
        source=f"air, fat and muscle in the image: {citation_of(AIR_HA_MG_CM3).source}; to K2HPO4 by Goodsitt 1992",
        notes=(
            f"air {at[0]:.0f}, fat {at[1]:.0f}, muscle {at[2]:.0f} HU",
            f"HA equivalents times {k2hpo4_per_ha:.3f} to K2HPO4",
        ),
    )


def _coarse(volume: Volume) -> tuple[NDArray[np.float32], Grid]:
    """The CT averaged to voxels of about `COARSE_MM`."""
    steps = np.maximum(np.rint(COARSE_MM / volume.grid.spacing_mm), 1).astype(int)
    shape = np.maximum(np.array(volume.hu.shape) // steps, 1)
    steps = np.minimum(steps, volume.hu.shape)
    trimmed = volume.hu[tuple(slice(0, n * s) for n, s in zip(shape, steps, strict=True))]
    blocks = trimmed.reshape(shape[0], steps[0], shape[1], steps[1], shape[2], steps[2])
    affine = volume.grid.affine.copy()
    affine[:3, :3] = affine[:3, :3] * steps
    affine[:3, 3] = volume.grid.to_mm((steps - 1) / 2)
    i, j, k = (int(n) for n in shape)
    return blocks.mean(axis=(1, 3, 5), dtype=np.float32), Grid(shape=(i, j, k), affine=affine)


def _homogeneous(smooth: NDArray[np.float32], grid: Grid) -> NDArray[np.bool_]:
    squared = np.zeros(smooth.shape, np.float32)
    for axis, spacing in enumerate(grid.spacing_mm):
        if smooth.shape[axis] > 1:
            squared += (np.gradient(smooth, axis=axis) / spacing) ** 2
    return np.sqrt(squared) < EDGE_HU_PER_MM


def _peak(
    smooth: NDArray[np.float32], where: NDArray[np.bool_], between: tuple[float, float], grid: Grid
) -> float | None:
    """The commonest value of a tissue; None where there is too little of it or the peak lies at the range's end."""
    low, high = (float(end) for end in between)
    values = smooth[where & (smooth > low) & (smooth < high)]
    if values.size * grid.voxel_mm3 < MIN_MM3:
        return None
    counts, edges = np.histogram(values, bins=np.arange(low, high + 1, 2))
    counts = ndimage.gaussian_filter1d(counts.astype(float), 2, mode="constant")
    top = int(counts.argmax())
    if top in (0, len(counts) - 1):
        return None
    near = values[np.abs(values - (edges[top] + 1)) <= _PEAK_WINDOW_HU]
    return float(near.mean())


def _air_peak(hu: NDArray[np.float32], grid: Grid) -> float | None:
    """Median of air that was measured, away from anything denser; padding and clipped corners are left out."""
    air = hu < AIR_BELOW_HU  # with padding: what lies beside it is no border of tissue
    deep = ndimage.distance_transform_edt(air, sampling=grid.spacing_mm) > AWAY_FROM_BODY_MM if air.any() else air
    # Small numbers: squares of HU in float32 are too coarse for a spread of 2 HU.
    off = np.where(hu > AIR_ABOVE_HU, hu - PADDING_HU, 0)
    mean = ndimage.uniform_filter(off, 3, mode="nearest")
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(off * off, 3, mode="nearest") - mean * mean, 0))
    measured = deep & (hu > AIR_ABOVE_HU) & ~((mean < 0) & (spread < PADDING_SD_HU))
    if measured.sum() * grid.voxel_mm3 < MIN_MM3:
        return None
    return float(np.median(hu[measured]))


def _back(bone: NDArray[np.bool_], fine: Grid, grid: Grid) -> NDArray[np.bool_]:
    """Where back muscle may be: near the vertebrae, clear of them, and not in front of the middle of their bodies."""
    index = np.argwhere(bone)
    near = np.zeros(grid.shape, bool)
    if not index.size:
        return near
    at = np.rint(grid.to_index(fine.to_mm(index))).astype(int)
    at = np.clip(at, 0, np.array(grid.shape) - 1)
    near[tuple(at.T)] = True
    away = ndimage.distance_transform_edt(~near, sampling=grid.spacing_mm)
    behind = np.zeros(grid.shape, bool)
    for slab in np.unique(at[:, 2]):
        behind[:, int(np.median(at[at[:, 2] == slab, 1])) :, slab] = True
    return np.asarray((away > AWAY_FROM_BONE_MM) & (away < BACK_MUSCLE_MM) & behind)

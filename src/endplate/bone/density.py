"""Trabecular density of a body: a region deep inside, clear of shell, basivertebral vein and sclerosis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.bone.calibration import CONTRAST_HU
from endplate.bone.depth import depth_mm
from endplate.bone.inclusion import inclusion_ml
from endplate.bone.plausible import implausible_density
from endplate.bone.result import BoneDensity, Calibration, Category
from endplate.bone.settings import DensitySettings
from endplate.cited import cited
from endplate.finding import Gap
from endplate.image.volume import Volume

EROSION_MM = cited(
    4.0,
    "mm",
    "own choice for the region of L1: erode the cortex by 3-5 mm or more, middle of the range",
    "design",
)
EROSION_MIN_MM = cited(
    3.0,
    "mm",
    "own choice for the region of L1: erode the cortex by 3-5 mm or more, lower end for small bodies",
    "design",
)
ROI_MIN_MM3 = cited(500.0, "mm3", "100 mm2 oval over three slices of about 1.7 mm, as the manual ROI", "design")
VEIN_SHARE = cited(
    0.55, "1", "the vein enters from behind at mid-height: that share of the depth from the front is kept", "design"
)
VEIN_HALF_HEIGHT_MM = cited(5.0, "mm", "the vein's cleft lies within 5 mm of mid-height", "design")
OUTLIER_SD = cited(
    4.0, "1", "bone islands, sclerosis, cement and holes stand out of smoothed trabecular bone by this", "design"
)
OUTLIER_MIN_HU = cited(60.0, "[hnsf'U]", "noise and trabecular texture alone may stand out by this much", "design")
SMOOTHING_MM = cited(1.5, "mm", "islands are wider than this, noise grains narrower", "design")
OSTEOPOROSIS_MG_CM3 = cited(
    80.0,
    "mg/cm3",
    "osteoporosis at or below 80: ACR, ISCD; Keaveny 2020 table",
    "verified",
    cite=("keaveny_2020", "iscd_2007"),
)
NORMAL_MG_CM3 = cited(
    120.0, "mg/cm3", "low from 80 to 120: ACR, ISCD; Keaveny 2020 table", "verified", cite=("keaveny_2020", "iscd_2007")
)
OUT_OF_LINE = cited(
    1.5, "1", "levels of one spine differ less than this from their median; sclerosis differs more", "design"
)
OUT_OF_LINE_HU = cited(40.0, "[hnsf'U]", "in very weak bone a ratio alone would flag noise", "design")
OFF_GRID_VOXEL = cited(0.1, "1", "a crop farther than this from the CT's voxels is on another grid", "design")
_NORMAL_MAD = cited(
    0.6745, "1", "median absolute deviation of a normal distribution over its SD", "knowledge", cite="nist_handbook"
)
_GRAIN_MM = cited(
    2.0, "mm", "CT noise is correlated over about two millimetres: one independent sample per cube", "design"
)


def category_of(mg_cm3: float) -> Category:
    """Density category by the published volumetric thresholds."""
    if mg_cm3 <= OSTEOPOROSIS_MG_CM3:
        return "osteoporosis"
    return "low" if mg_cm3 <= NORMAL_MG_CM3 else "normal"


def measure_density(
    vertebra: Vertebra,
    volume: Volume,
    calibration: Calibration | None,
    settings: DensitySettings | None = None,
    *,
    fractured: bool = False,
) -> BoneDensity | Gap:
    """Trabecular HU and K2HPO4-equivalent density of one body.

    Parameters
    ----------
    vertebra : the vertebra on its crop of the CT's grid.
    volume : the CT.
    calibration : line from HU to density; None leaves density and category unknown.
    settings : erosion and smallest region.
    fractured : mark the value: impacted bone is denser than the patient's bone.

    Returns
    -------
    BoneDensity, or a Gap with the reason where no region can be measured.
    """
    settings = settings or DensitySettings()
    if vertebra.cut_by_field:
        return _gap(vertebra, "the scan border cuts the body")
    hu = _hu_of(vertebra, volume)
    if hu is None:
        return _gap(vertebra, "the vertebra does not lie on the CT's grid")
    least = float(ROI_MIN_MM3 if settings.minimum_mm3 is None else settings.minimum_mm3)
    erosion = float(EROSION_MM if settings.erosion_mm is None else settings.erosion_mm)
    roi, outliers = trabecular_region(vertebra, hu, erosion)
    notes = []
    if roi.sum() * vertebra.grid.voxel_mm3 < least and settings.erosion_mm is None:
        erosion = EROSION_MIN_MM
        roi, outliers = trabecular_region(vertebra, hu, erosion)
        notes.append(f"small body: cortex eroded by {erosion:g} mm only")
    volume_mm3 = float(roi.sum() * vertebra.grid.voxel_mm3)
    if volume_mm3 < least:
        return _gap(vertebra, f"only {volume_mm3:.0f} mm3 of trabecular bone clear of cortex, {least:.0f} are needed")
    if outliers * 100 >= 1:
        notes.append(f"{outliers:.0%} of the region left out as sclerosis, islands or holes")
    if fractured:
        notes.append("fractured level: impaction raises density, not the patient's trabecular density")
    inclusion = inclusion_ml(vertebra, hu)
    if inclusion:
        notes.append(f"{inclusion:.1f} mL of cement or metal in the body: what is left beside it was measured")
    found = _result(vertebra, hu[roi].astype(float), roi, calibration, notes)
    return replace(found, inclusion_ml=inclusion)


def _result(
    vertebra: Vertebra, values: NDArray[np.float64], roi: NDArray[np.bool_], line: Calibration | None, notes: list[str]
) -> BoneDensity:
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    volume_mm3 = float(roi.sum() * vertebra.grid.voxel_mm3)
    independent = max(min(volume_mm3 / _GRAIN_MM**3, float(values.size)), 1.0)
    error = sd / independent**0.5
    density = density_sd = category = None
    refused = "no calibration from HU to density"
    if line is not None:
        density = float(line.to_mg_cm3(np.array([mean]))[0])
        refused = implausible_density(density)
    if line is not None and density is not None and refused:
        density = None
    elif line is not None and density is not None:
        density_sd = float(np.hypot(line.sd_mg_cm3, error * line.slope_mg_cm3_per_hu))
        category = category_of(density)
        if line.contrast:
            notes = [*notes, f"after contrast medium: up to {CONTRAST_HU:g} HU too high"]
    return BoneDensity(
        level=vertebra.level,
        grid=vertebra.grid,
        roi=roi,
        roi_mm3=volume_mm3,
        hu_mean=mean,
        hu_sd=sd,
        hu_se=error,
        density_mg_cm3=density,
        density_sd_mg_cm3=density_sd,
        category=category,
        notes=tuple(notes),
        refused=refused,
    )


def out_of_line(densities: Iterable[BoneDensity]) -> list[tuple[BoneDensity, str]]:
    """Levels far above the median of the spine, with the words for it: sclerosis rather than bone loss."""
    levels = tuple(densities)
    if len(levels) < 3:
        return []
    middle = float(np.median([density.hu_mean for density in levels]))
    limit = max(OUT_OF_LINE * middle, middle + OUT_OF_LINE_HU)
    note = f"out of line with the other levels (median {middle:.0f} HU): sclerosis, cement, impaction or another cause"
    return [(density, note) for density in levels if density.hu_mean > limit]


def compare_levels(densities: Iterable[BoneDensity]) -> tuple[BoneDensity, ...]:
    """The same densities, with a note on levels far above the median of the spine."""
    levels = tuple(densities)
    notes = {density.level: note for density, note in out_of_line(levels)}
    return tuple(
        replace(density, notes=(*density.notes, notes[density.level])) if density.level in notes else density
        for density in levels
    )


def trabecular_region(
    vertebra: Vertebra, hu: NDArray[np.floating], erosion_mm: float
) -> tuple[NDArray[np.bool_], float]:
    """The trabecular region of a body and the share left out as outliers.

    Parameters
    ----------
    vertebra : body mask, grid and frame.
    hu : (I, J, K) CT on the vertebra's grid.
    erosion_mm : depth below the surface of the body.
    """
    spacing = vertebra.grid.spacing_mm
    deep = depth_mm(vertebra) > erosion_mm + float(spacing.min()) / 2
    deep &= ~_vein(vertebra, deep)
    if not deep.any():
        return deep, 0.0
    smooth = _smoothed_inside(hu, vertebra.body, spacing)
    values = smooth[deep]
    middle = float(np.median(values))
    spread = float(np.median(np.abs(values - middle))) / _NORMAL_MAD
    limit = max(OUTLIER_SD * spread, OUTLIER_MIN_HU)
    kept = deep & (np.abs(smooth - middle) <= limit)
    return kept, 1 - float(kept.sum() / deep.sum())


def _vein(vertebra: Vertebra, body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the basivertebral vein runs: the rear of the body about mid-height."""
    where = np.zeros(body.shape, bool)
    index = np.argwhere(body)
    if not index.size:
        return where
    whole = vertebra.to_local_mm(vertebra.grid.to_mm(np.argwhere(vertebra.body)))
    local = vertebra.to_local_mm(vertebra.grid.to_mm(index))
    front, back = whole[:, 1].max(), whole[:, 1].min()
    behind = local[:, 1] < front - VEIN_SHARE * (front - back)
    middle = np.abs(local[:, 2]) < VEIN_HALF_HEIGHT_MM
    where[tuple(index[behind & middle].T)] = True
    return where


def _smoothed_inside(
    hu: NDArray[np.floating], body: NDArray[np.bool_], spacing_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """CT smoothed within the body only, so that fat and muscle outside do not bleed in."""
    weight = ndimage.gaussian_filter(body.astype(float), SMOOTHING_MM / spacing_mm)
    blurred = ndimage.gaussian_filter(np.where(body, hu, 0).astype(float), SMOOTHING_MM / spacing_mm)
    return np.where(body, blurred / np.maximum(weight, 1e-6), 0)


def _hu_of(vertebra: Vertebra, volume: Volume) -> NDArray[np.floating] | None:
    """The CT on the vertebra's crop; None where the crop is not part of the CT's grid."""
    start = volume.grid.to_index(vertebra.grid.to_mm(np.zeros(3)))
    first = np.rint(start).astype(int)
    stop = first + vertebra.grid.shape
    if np.abs(start - first).max() > OFF_GRID_VOXEL or np.any(first < 0) or np.any(stop > volume.hu.shape):
        return None
    return volume.hu[first[0] : stop[0], first[1] : stop[1], first[2] : stop[2]]


def _gap(vertebra: Vertebra, reason: str) -> Gap:
    return Gap(code="trabecular_density", level=vertebra.level, reason=reason)

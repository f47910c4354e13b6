"""The scan of the digital spine: grid, soft tissue, bones with partial volume, blur, noise; and its label map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from endplate.cited import cited
from endplate.image.phantom.fill import fill_vertebra
from endplate.image.phantom.spec import PhantomSpec
from endplate.image.phantom.stack import Placed, rotation, stack_spine
from endplate.image.phantom.tissue import TRUNK_MM, VEIN_HU, course_of, paint_discs, paint_trunk
from endplate.image.phantom.truth import PhantomTruth, kyphosis, level_truth
from endplate.image.series_ref import SeriesRef
from endplate.image.volume import Grid, LabelMap, Volume

HU_RANGE = (
    cited(-1024, "[hnsf'U]", "12-bit CT scale, lower end", "knowledge", cite="kalender_2011"),
    cited(3071, "[hnsf'U]", "12-bit CT scale, upper end", "knowledge", cite="kalender_2011"),
)
_BEYOND_BONE_MM = cited(6.0, "mm", "the field ends beyond the last bone, so that nothing is cut", "design")
_FIELD_BEHIND_BODY_MM = cited(20.0, "mm", "a narrow field is centred between body and spinous process", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Phantom:
    """A digital spine: its CT, its labels (VerSe numbers, no sub-regions), and the truth.

    `subregion` holds the true TPTBox codes on the same grid (41 arch, 42 spinous, 43-48 processes, 50 body).
    """

    spec: PhantomSpec
    volume: Volume
    labels: LabelMap
    truth: PhantomTruth
    subregion: NDArray[np.uint8]


def make_phantom(spec: PhantomSpec | None = None) -> Phantom:
    """Build a digital spine and scan it.

    Parameters
    ----------
    spec : PhantomSpec, optional
        What to build; None builds a healthy T10-L5 of moderately low density.

    Returns
    -------
    Phantom
        CT in HU (int16), label map, exact truth. Same specification and seed, same voxels.
    """
    spec = spec or PhantomSpec()
    upright = stack_spine(spec)
    turn = rotation(spec.tilt_deg)
    placed = tuple(one.moved(turn) for one in upright)
    grid = _grid(spec, placed)
    hu = paint_trunk(spec, course_of(upright), grid, turn)
    paint_discs(hu, placed, grid)
    labels, subregion = _paint_bones(hu, spec, placed, grid)
    truth = _truth(spec, upright, placed)
    series = SeriesRef(
        path="digital spine",
        modality="CT",
        kvp=spec.kvp,
        contrast=False,
        slice_thickness_mm=spec.spacing_mm[2],
    )
    volume = Volume(grid=grid, hu=_scan(hu, spec), series=series)
    label_map = LabelMap(grid=grid, labels=labels, scheme="verse", series=series)
    return Phantom(spec=spec, volume=volume, labels=label_map, truth=truth, subregion=subregion)


def make_labels(spec: PhantomSpec | None = None) -> tuple[LabelMap, PhantomTruth]:
    """The labels of a digital spine and its truth, without a CT: a fraction of the work of `make_phantom`."""
    spec = spec or PhantomSpec()
    upright = stack_spine(spec)
    placed = tuple(one.moved(rotation(spec.tilt_deg)) for one in upright)
    grid = _grid(spec, placed)
    labels, _ = _paint_bones(np.zeros(grid.shape, np.float32), spec, placed, grid)
    return LabelMap(grid=grid, labels=labels, scheme="verse"), _truth(spec, upright, placed)


def _truth(spec: PhantomSpec, upright: tuple[Placed, ...], placed: tuple[Placed, ...]) -> PhantomTruth:
    regional, local = kyphosis(upright)
    return PhantomTruth(
        levels={one.level: level_truth(one, spec) for one in placed},
        regional_deg=regional,
        local_deg=local,
        mg_cm3_per_hu=spec.mg_cm3_per_hu,
        offset_mg_cm3=spec.offset_mg_cm3,
    )


def _grid(spec: PhantomSpec, placed: tuple[Placed, ...]) -> Grid:
    """The scan's grid: the trunk (or the narrow field) across, all bone along."""
    margin = TRUNK_MM["margin"]
    low = np.array([-TRUNK_MM["half_width"] - margin, TRUNK_MM["front"] - margin, 0.0])
    high = np.array([TRUNK_MM["half_width"] + margin, TRUNK_MM["back"] + margin, 0.0])
    if spec.rods is not None:
        high[1] += TRUNK_MM["rod_space"]
    if spec.field_mm is not None:
        centre = np.array([0.0, _FIELD_BEHIND_BODY_MM])
        low[:2], high[:2] = centre - np.array(spec.field_mm) / 2, centre + np.array(spec.field_mm) / 2
    heights = []
    for one in placed:
        box = one.arch.reach_mm()
        corners = [[x, y, z] for x in box[:, 0] for y in box[:, 1] for z in box[:, 2]]
        heights.append((one.to_world(np.array(corners)) @ rotation(spec.grid_tilt_deg))[:, 2])
    low[2], high[2] = np.min(heights) - _BEYOND_BONE_MM, np.max(heights) + _BEYOND_BONE_MM
    spacing = np.array(spec.spacing_mm, float)
    shape = np.ceil((high - low) / spacing).astype(int)
    turn = rotation(spec.grid_tilt_deg)
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing
    affine[:3, 3] = turn @ ((low + high) / 2 - (shape - 1) / 2 * spacing)
    return Grid(shape=(int(shape[0]), int(shape[1]), int(shape[2])), affine=affine)


def _paint_bones(
    hu: NDArray[np.float32], spec: PhantomSpec, placed: tuple[Placed, ...], grid: Grid
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Draw the bones over the soft tissue in place; (labels, sub-regions) where bone fills half a voxel or more."""
    labels, subregion = np.zeros(grid.shape, np.uint16), np.zeros(grid.shape, np.uint8)
    fullest = np.zeros(grid.shape, np.float16)
    shell_hu = spec.to_hu(spec.shell_mg_cm3)
    for one in placed:
        filled = fill_vertebra(
            one, grid, shell_mm=spec.shell_mm, arch_shell_mm=spec.arch_shell_mm, vein=spec.basivertebral
        )
        if filled is None:
            continue
        where, core_hu = filled.where, spec.to_hu(spec.core(one.level))
        shell = filled.bone - filled.core
        hu[where] *= 1 - filled.bone
        hu[where] += shell * shell_hu + filled.core * core_hu + filled.vein * (VEIN_HU - core_hu)
        mine = (filled.bone >= 0.5) & (filled.bone > fullest[where])
        labels[where][mine] = one.level.verse_id
        subregion[where][mine] = filled.subregion[mine]
        fullest[where] = np.maximum(fullest[where], filled.bone)
    return labels, subregion


def _scan(hu: NDArray[np.float32], spec: PhantomSpec) -> NDArray[np.int16]:
    """Blur, noise and the 12-bit scale."""
    if spec.blur_mm > 0:
        hu = gaussian_filter(hu, spec.blur_mm / np.array(spec.spacing_mm), truncate=3.0, mode="nearest")
    if spec.noise_hu > 0:
        noise = np.random.default_rng(spec.seed).standard_normal(hu.shape, dtype=np.float32)
        hu = hu + np.float32(spec.noise_hu) * noise
    low, high = HU_RANGE
    return np.clip(np.rint(hu), float(low), float(high)).astype(np.int16)

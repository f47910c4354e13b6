"""The part of a scan round the spine, whole and coarse: the coarse one is there first, however large the scan is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.case import Case
from endplate.image.nifti import HU, Meaning, write_box, write_volume
from endplate.image.nifti.write import VERSE
from endplate.image.orient import LPS_AXES
from endplate.image.volume import Grid
from endplate.numerics.voxel.bounding_box import bounding_box
from endplate.report.volume_folder import on_grid

MARGIN_MM = (35.0, 35.0, 15.0)
"""Round the labels to the sides, to the front, and above and below."""
BEHIND_MM = 70.0
"""Behind the labels: where needles enter the skin."""
MAX_VOXELS = 48_000_000
COARSE_VOXELS = 2_500_000
CT, COARSE, LABELS = "ct.nii", "ct_coarse.nii", "labels.nii.gz"
CT_ARRAY, LABEL_ARRAY = "ct.npy", "labels.npy"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crop:
    """A box of the scan's grid, every `step`-th voxel of it.

    Attributes
    ----------
    start, stop : index in the scan's grid. step : voxels along each axis. grid : of what is kept, LPS.
    """

    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    step: tuple[int, int, int]
    grid: Grid

    def of(self, array: NDArray[Any]) -> NDArray[Any]:
        """What is kept of an array on the scan's grid."""
        window = tuple(slice(int(a), int(b), s) for a, b, s in zip(self.start, self.stop, self.step, strict=True))
        return np.ascontiguousarray(array[window])


def spine_crop(case: Case, most: int = MAX_VOXELS) -> Crop:
    """The box round the labels, thinned along its finest axes until it has at most so many voxels."""
    grid, filled = case.labels.grid, case.labels.labels > 0
    low, high = [], []
    box = bounding_box(filled)
    for axis in range(3):
        before = MARGIN_MM[axis] / grid.spacing_mm[axis]
        after = (BEHIND_MM if axis == 1 else MARGIN_MM[axis]) / grid.spacing_mm[axis]
        low.append(int(box[axis].start - before) if box else 0)
        high.append(int(box[axis].stop - 1 + after) + 1 if box else grid.shape[axis])
    start, stop = np.clip(low, 0, grid.shape), np.clip(high, 1, grid.shape)
    step = [1, 1, 1]
    while np.prod(np.ceil((stop - start) / step)) > most:
        step[int(np.argmin(grid.spacing_mm * step))] += 1
    kept = np.ceil((stop - start) / step).astype(int)
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_mm(start)
    affine[:3, :3] = grid.affine[:3, :3] * step
    i, j, k = (int(n) for n in kept)
    return Crop(start=start, stop=stop, step=(step[0], step[1], step[2]), grid=Grid(shape=(i, j, k), affine=affine))


def write_scans(case: Case, crop: Crop, folder: Path) -> dict[str, str]:
    """Write CT and labels of the crop, the CT also coarse; returns what each file is.

    The arrays (`.npy`) are what slices are drawn from where a browser has no WebGL.
    """
    written = {LABELS: "labels"}
    labels = crop.of(case.labels.labels).astype(np.uint8)
    write_volume(folder / LABELS, crop.grid, labels, LPS_AXES, VERSE)
    np.save(folder / LABEL_ARRAY, labels)
    if case.volume is None:
        return written
    hu = np.clip(crop.of(case.volume.hu), -1024, 3071).astype(np.int16)
    np.save(folder / CT_ARRAY, hu)
    write_volume(folder / CT, crop.grid, hu, LPS_AXES, HU)
    coarse = spine_crop(case, COARSE_VOXELS)
    small = np.clip(coarse.of(case.volume.hu), -1024, 3071).astype(np.int16)
    write_volume(folder / COARSE, coarse.grid, small, LPS_AXES, HU)
    return {CT: "ct", COARSE: "coarse"} | written


def write_amount(path: Path, crop: Crop, source: Grid, values: NDArray[Any], meaning: Meaning) -> None:
    """Write amounts of 0 to 100 on the crop, trilinear; `values` (I, J, K) on any grid."""
    box, start = on_grid(values, source, crop.grid)
    i, j, k = (int(n) for n in start)
    write_box(path, crop.grid, np.clip(np.rint(box), 0, 255).astype(np.uint8), (i, j, k), LPS_AXES, meaning)

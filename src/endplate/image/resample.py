"""Bring images onto another grid: CT by interpolation, labels by nearest neighbour, each by its type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import GridMismatchError
from endplate.image.label_misregistration import check_in_place
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.numerics.voxel.bounding_box import bounding_box

AIR_HU = cited(-1000.0, "[hnsf'U]", "definition of the Hounsfield scale", "knowledge", cite="kalender_2011")
BONE_HU = cited(
    150.0,
    "[hnsf'U]",
    "own limit: cortical and most cancellous bone exceed it; muscle and blood do not",
    "design",
    cite="kalender_2011",
)
MIN_BONE_FRACTION = cited(
    0.05, "1", "even osteoporotic vertebrae have a shell of a tenth of their volume above it", "design"
)
MIN_BONE_CONTRAST_HU = cited(
    -50.0,
    "[hnsf'U]",
    "labels of weak bone that leave the shell outside reach -20; strangers' labels were at -110",
    "design",
)
MIN_INSIDE_FRACTION = cited(0.1, "1", "labels that lie almost wholly outside belong to another scan", "design")
SAME_GRID_VOXELS = cited(
    0.1, "1", "of a voxel: headers written by different programs round their origins by some per cent of it", "design"
)
SURROUND_VOXELS = 6
NEAREST, LINEAR = 0, 1
"""Orders of the spline."""


def match_grids(volume: Volume, labels: LabelMap) -> LabelMap:
    """The labels on the CT's grid, checked to lie over bone.

    Labels on another grid are resampled by nearest neighbour.

    Raises
    ------
    GridMismatchError : CT and labels name different frames of reference, or the labels lie outside the CT, or not over
        bone: another patient's, or another coordinate frame.
    """
    _check_one_frame(volume, labels)
    moved, note = _on_grid(labels, volume.grid)
    before = np.count_nonzero(labels.labels) * labels.grid.voxel_mm3
    after = np.count_nonzero(moved.labels) * volume.grid.voxel_mm3
    if after < MIN_INSIDE_FRACTION * before:
        raise GridMismatchError(
            f"only {100 * after / before:.0f} % of the labelled volume lies inside the CT",
            "the labels belong to another scan or another coordinate frame",
            "give the labels that were made from this CT",
        )
    _check_over_bone(volume, moved)
    check_in_place(volume, moved)
    if moved is labels:
        return labels
    if after < (1 - MIN_INSIDE_FRACTION) * before:
        note += f"; {100 * (1 - after / before):.0f} % of them lie outside the CT"
    return _with(moved, (*moved.notes, note))


def _on_grid(labels: LabelMap, grid: Grid) -> tuple[LabelMap, str]:
    """The labels on a grid, and how they came there; grids a fraction of a voxel apart are one."""
    if labels.grid.matches(grid):
        return labels, ""
    if labels.grid.matches(grid, float(SAME_GRID_VOXELS) * float(grid.spacing_mm.min())):
        apart = labels.grid.apart_mm(grid)
        return replace(labels, grid=grid), f"labels lie {apart:.3f} mm beside the grid of the CT: taken as the same"
    return resample_labels(labels, grid), f"labels resampled from {_in_words(labels.grid)} to {_in_words(grid)}"


def _check_one_frame(volume: Volume, labels: LabelMap) -> None:
    """DICOM objects that name different frames of reference share no coordinates, even where they overlap."""
    ct, seg = (None if one.series is None else one.series.frame_of_reference_uid for one in (volume, labels))
    if ct and seg and ct != seg:
        raise GridMismatchError(
            f"the CT lies in frame of reference {ct}, the labels in {seg}",
            "a place in one means nothing in the other",
            "give the labels that were made from this CT, or a copy registered to it",
        )


def resample_labels(labels: LabelMap, grid: Grid) -> LabelMap:
    """The same labels on another grid, nearest neighbour; what lies outside is background."""
    subregion = None if labels.subregion is None else _resample(labels.subregion, labels.grid, grid, NEAREST, 0)
    return LabelMap(
        grid=grid, labels=_resample(labels.labels, labels.grid, grid, NEAREST, 0),
        scheme=labels.scheme, subregion=subregion, series=labels.series, notes=labels.notes, axes=labels.axes,
    )  # fmt: skip


def resample_volume(volume: Volume, grid: Grid) -> Volume:
    """The same CT on another grid, linear interpolation, float32; what lies outside is air."""
    hu = _resample(volume.hu.astype(np.float32), volume.grid, grid, LINEAR, AIR_HU)
    return Volume(grid=grid, hu=hu, series=volume.series, axes=volume.axes)


def isotropic_grid(grid: Grid, spacing_mm: float) -> Grid:
    """A grid of cubic voxels over the same box and directions; its faces coincide at the first corner."""
    extent = grid.spacing_mm * np.array(grid.shape)
    i, j, k = (max(1, round(float(length) / spacing_mm)) for length in extent)
    directions = grid.affine[:3, :3] / grid.spacing_mm
    affine = np.eye(4)
    affine[:3, :3] = directions * spacing_mm
    affine[:3, 3] = grid.to_mm([-0.5] * 3) + directions @ np.full(3, 0.5 * spacing_mm)
    return Grid(shape=(i, j, k), affine=affine)


def _resample(array: NDArray[Any], source: Grid, target: Grid, order: int, outside: float) -> NDArray[Any]:
    """Resample in index space, so that sheared grids are served too; half a voxel below the first counts as inside.

    SciPy's spline of order 0 or 1 with its edge repeated is what SimpleITK computes (its test compares them).
    """
    from scipy.ndimage import affine_transform

    to_source = np.linalg.inv(source.affine) @ target.affine
    matrix, offset = to_source[:3, :3], to_source[:3, 3]
    moved: NDArray[Any] = affine_transform(
        array, matrix, offset, target.shape, order=order, mode="nearest", prefilter=False, output=array.dtype
    )
    _empty_outside(moved, matrix, offset, array.shape, outside)
    return moved


def _empty_outside(
    moved: NDArray[Any],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    shape: tuple[int, ...],
    outside: float,
) -> None:
    """Set what lies beyond the source, plane by plane: coordinates of a whole scan would take its memory thrice."""
    j, k = np.arange(moved.shape[1])[:, None], np.arange(moved.shape[2])[None, :]
    for i in range(moved.shape[0]):
        beyond = np.zeros(moved.shape[1:], bool)
        for row, start, count in zip(matrix, offset, shape, strict=True):
            place = row[0] * i + row[1] * j + row[2] * k + start
            beyond |= (place < -0.5) | (place >= count - 0.5)
        moved[i][beyond] = outside


def _check_over_bone(volume: Volume, labels: LabelMap) -> None:
    """Labelled voxels must hold bone, and more of it than their surround."""
    mask = labels.labels > 0
    box = bounding_box(mask, SURROUND_VOXELS)
    if box is None:
        return  # nothing is labelled, which the label check says
    inside, hu = mask[box], volume.hu[box]
    around = hu[~inside & (hu > AIR_HU / 2)]
    bone = float(np.mean(hu[inside] > BONE_HU))
    contrast = float(hu[inside].mean()) - (float(around.mean()) if around.size else AIR_HU)
    if bone < MIN_BONE_FRACTION or contrast < MIN_BONE_CONTRAST_HU:
        raise GridMismatchError(
            f"the labels do not lie over bone: {100 * bone:.0f} % of their voxels exceed {BONE_HU:g} HU, "
            f"mean {contrast:+.0f} HU against the tissue around",
            "they belong to another scan, or one of the two is flipped or shifted",
            "give the labels that were made from this CT",
        )


def _in_words(grid: Grid) -> str:
    return " x ".join(f"{s:.3g}" for s in grid.spacing_mm) + " mm"


def _with(labels: LabelMap, notes: tuple[str, ...]) -> LabelMap:
    return replace(labels, notes=notes)

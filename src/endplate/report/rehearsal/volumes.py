"""Cement, its plain sphere, cavity and compaction on the CT's own grid, and the cement's surface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.case import Case
from endplate.image.nifti import write_volume
from endplate.image.volume import Grid
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.report.markups import write_markups
from endplate.report.rehearsal.surface import surface, write_stl

PERCENT = 100.0


def write_rehearsals(case: Case, folder: Path) -> list[Path]:
    """Write what the rehearsals of a case hold into an existing folder; returns the paths.

    Per level and procedure, on the grid of the CT: `L1_vertebroplasty_cement.nii.gz` (per cent of the pores) and its
    surface `.stl` (LPS mm); `L1_vertebroplasty_sphere.nii.gz`, the same volume as plain balls about the tips, alike;
    `L1_kyphoplasty_cavity.nii.gz` (per cent of the voxel); `L1_kyphoplasty_compaction.nii.gz`
    (per cent of the density before, 0 outside the body); `L1_kyphoplasty_path.mrk.json`, needle paths for 3D Slicer.

    Raises
    ------
    OutputError : a file cannot be written.
    """
    return [
        path
        for rehearsal in case.rehearsals
        for done in rehearsal.nominal
        for path in _procedure(case, rehearsal, done, folder)
    ]


def _procedure(case: Case, rehearsal: Rehearsal, done: ProcedureResult, folder: Path) -> list[Path]:
    target = case.volume.grid if case.volume is not None else case.labels.grid
    stem, paths = f"{rehearsal.level}_{done.procedure}", []

    def save(name: str, share: NDArray[np.floating], grid: Grid) -> None:
        paths.append(folder / f"{stem}_{name}.nii.gz")
        write_volume(paths[-1], target, on_grid(PERCENT * share, grid, target))

    if done.access is not None and done.access.paths:
        paths.append(write_markups(done.access, folder / f"{stem}_path.mrk.json"))
    if done.fill is not None:
        save("cement", done.fill.saturation, done.fill.grid)
        save("sphere", done.fill.sphere, done.fill.grid)
        vertices, triangles = surface(done.fill.saturation, done.fill.grid)
        if len(triangles):
            paths.append(folder / f"{stem}_cement.stl")
            write_stl(paths[-1], vertices, triangles)
    if done.inflation is not None:
        bone = done.inflation.bone
        save("cavity", bone.cavity, bone.field.grid)
        inside = (bone.field.fill * bone.field.body >= 0.5) & (bone.cavity < 0.5)
        save("compaction", np.where(inside, done.inflation.compaction, 0), bone.field.grid)
    return paths


def on_grid(values: NDArray[np.floating], source: Grid, target: Grid) -> NDArray[np.uint16]:
    """Values on another grid, trilinear, rounded to whole numbers; zero where the source does not reach.

    Only the box of the target that the source covers is computed: a scan can be a thousand times larger.
    """
    out = np.zeros(target.shape, np.uint16)
    ends = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.array(source.shape) - 1)
    box = target.to_index(source.to_mm(ends))
    low = np.clip(np.floor(box.min(axis=0)).astype(int), 0, target.shape)
    high = np.clip(np.ceil(box.max(axis=0)).astype(int) + 1, 0, target.shape)
    if (high <= low).any():
        return out
    window = target.crop(low, high)
    matrix = np.linalg.inv(source.affine) @ window.affine
    filled = np.nan_to_num(np.asarray(values, np.float32))
    inside = ndimage.affine_transform(filled, matrix[:3, :3], matrix[:3, 3], window.shape, order=1, mode="constant")
    out[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = np.rint(inside).astype(np.uint16)
    return out

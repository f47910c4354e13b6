"""Cement, its plain sphere, cavity and compaction on the CT's own grid, and the cement's surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.case import Case
from endplate.image.nifti import Meaning
from endplate.image.volume import Grid
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.report.markups import write_markups
from endplate.report.rehearsal.mesh import write_gifti, write_stl
from endplate.report.rehearsal.surface import surface
from endplate.report.volume_folder import VolumeFolder

PERCENT = 100.0
CEMENT = Meaning(what="cement", unit="per cent of the pores", name="% of pores")
SPHERE = Meaning(what="the cement's volume as plain balls", unit="per cent of the pores", name="% of pores")
CAVITY = Meaning(what="cavity of the balloons", unit="per cent of the voxel", name="% of voxel")
COMPACTION = Meaning(what="density after the balloons", unit="per cent of that before", name="% of before")


def add_rehearsals(case: Case, volumes: VolumeFolder) -> None:
    """Write what the rehearsals of a case hold.

    Per level and procedure, on the grid of the CT: `L1_vertebroplasty_cement.nii.gz` (per cent of the pores) and its
    surface, `_cement_LPS.stl` for 3D Slicer and `_cement_RAS.gii` for viewers of NIfTI;
    `L1_vertebroplasty_sphere.nii.gz`, the same volume as plain balls about the tips; `L1_kyphoplasty_cavity.nii.gz`
    (per cent of the voxel); `L1_kyphoplasty_compaction.nii.gz` (per cent of the density before, 0 outside the body);
    `L1_kyphoplasty_path.mrk.json`, needle paths for 3D Slicer (LPS).

    Raises
    ------
    OutputError : a file cannot be written.
    """
    for rehearsal in case.rehearsals:
        for done in rehearsal.nominal:
            _procedure(rehearsal, done, volumes)


def _procedure(rehearsal: Rehearsal, done: ProcedureResult, volumes: VolumeFolder) -> None:
    stem = f"{rehearsal.level}_{done.procedure}"
    if done.access is not None and done.access.paths:
        place = volumes.other(f"{stem}_path.mrk.json", "needle paths and skin entries", "mm", "LPS, named inside")
        write_markups(done.access, place)
    if done.fill is not None:
        volumes.amount(f"{stem}_cement.nii.gz", done.fill.grid, PERCENT * done.fill.saturation, CEMENT)
        volumes.amount(f"{stem}_sphere.nii.gz", done.fill.grid, PERCENT * done.fill.sphere, SPHERE)
        _meshes(stem, done.fill.saturation, done.fill.grid, volumes)
    if done.inflation is not None:
        bone = done.inflation.bone
        volumes.amount(f"{stem}_cavity.nii.gz", bone.field.grid, PERCENT * bone.cavity, CAVITY)
        inside = (bone.field.fill * bone.field.body >= 0.5) & (bone.cavity < 0.5)
        compaction = PERCENT * np.where(inside, done.inflation.compaction, 0)
        volumes.amount(f"{stem}_compaction.nii.gz", bone.field.grid, compaction, COMPACTION, np.int16)


def _meshes(stem: str, saturation: NDArray[np.floating], grid: Grid, volumes: VolumeFolder) -> None:
    vertices, triangles = surface(saturation, grid)
    if len(triangles):
        what = "surface of the cement where half of the pores are filled"
        write_stl(volumes.other(f"{stem}_cement_LPS.stl", what, "mm", "LPS"), vertices, triangles)
        write_gifti(volumes.other(f"{stem}_cement_RAS.gii", what, "mm", "RAS"), vertices, triangles)

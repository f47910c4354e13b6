"""Everything that the viewer of the workbench needs of a case, written into one folder in one step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from endplate.atomic import private_folder, write_text
from endplate.case import Case
from endplate.image.nifti import Meaning, write_volume
from endplate.image.orient import LPS_AXES, LPS_RAS
from endplate.report.rehearsal.surface import surface
from endplate.report.view.crop import Crop, spine_crop, write_amount, write_scans
from endplate.report.view.meshes import bone_mesh, endplate_mesh, together, write_mz3
from endplate.report.view.scene import levels, needles, write_strip
from endplate.report.view.walls import write_walls
from endplate.report.volume_folder import on_grid

SCENE, FORMAT = "scene.json", 1
ROI = Meaning(what="regions whose density was read, VerSe numbers", unit="", name="VerSe number", label=True)
STRAIN_STEPS = 10_000
"""Of a strain of 1: a byte then holds hundredths of a per cent up to 2.55 %, beyond which bone has failed."""
STRAIN = Meaning(what="effective strain at the last elastic point", unit="hundredths of a per cent", name="0.01 %")
CEMENT = Meaning(what="cement", unit="per cent of the pores", name="% of pores")
CAVITY = Meaning(what="cavity of the balloons", unit="per cent of the voxel", name="% of voxel")


def write_view(case: Case, folder: Path) -> dict[str, Any]:
    """Write scans, surfaces, places and walls into an existing empty folder; returns the scene.

    The scene (`scene.json`) names every file with its kind and what it shows; places are RAS mm. It is written last, so
    that a folder with a scene is whole.

    Raises
    ------
    OutputError : a file cannot be written.
    """
    private_folder(folder)
    crop = spine_crop(case)
    files = [{"name": name, "kind": kind} for name, kind in write_scans(case, crop, folder).items()]
    files += _regions(case, crop, folder) + _strains(case, crop, folder)
    files += _surfaces(case, folder) + _repairs(case, crop, folder)
    scene = {
        "format": FORMAT,
        "frame": "RAS",
        "levels": levels(case),
        "strip": write_strip(case, folder),
        "files": files,
        "needles": needles(case),
        "walls": _walls(case, folder),
        "shape": list(crop.grid.shape),
        "affine": (LPS_RAS @ crop.grid.affine).tolist(),
    }
    write_text(folder / SCENE, json.dumps(scene, allow_nan=False))
    return scene


def _regions(case: Case, crop: Crop, folder: Path) -> list[dict[str, Any]]:
    """The density regions of all levels as one label map."""
    if not case.densities:
        return []
    whole = np.zeros(case.labels.grid.shape, np.uint8)
    for density in case.densities:
        start = np.rint(case.labels.grid.to_index(density.grid.to_mm(np.zeros(3)))).astype(int)
        window = tuple(slice(int(a), int(a) + n) for a, n in zip(start, density.roi.shape, strict=True))
        whole[window][density.roi] = density.level.verse_id
    write_volume(folder / "regions.nii.gz", crop.grid, crop.of(whole), LPS_AXES, ROI)
    return [{"name": "regions.nii.gz", "kind": "regions"}]


def _strains(case: Case, crop: Crop, folder: Path) -> list[dict[str, Any]]:
    """The strain of every level that was loaded along its axis, as one volume: each voxel of the element it lies in."""
    axial = [one for one in case.strengths if one.load_case.startswith("axial")]
    found = [(one.strain, one.grid) for one in axial if one.strain is not None]
    if not found:
        return []
    whole = np.zeros(crop.grid.shape, np.uint8)
    for strain, grid in found:
        box, start = on_grid(strain * STRAIN_STEPS, grid, crop.grid, order=0)
        window = tuple(slice(int(a), int(a) + n) for a, n in zip(start, box.shape, strict=True))
        whole[window] = np.maximum(whole[window], np.clip(np.rint(box), 0, 255).astype(np.uint8))
    write_volume(folder / "strain.nii.gz", crop.grid, whole, LPS_AXES, STRAIN)
    return [{"name": "strain.nii.gz", "kind": "strain"}]


def _surfaces(case: Case, folder: Path) -> list[dict[str, Any]]:
    files, plates = [], []
    for vertebra in case.spine.vertebrae if case.spine else ():
        name = f"{vertebra.level}.mz3"
        write_mz3(folder / name, bone_mesh(vertebra))
        files.append({"name": name, "kind": "bone", "level": str(vertebra.level)})
        found = [plate for plate in (vertebra.superior, vertebra.inferior) if plate is not None]
        plates += [endplate_mesh(vertebra, plate) for plate in found]
    if plates:
        write_mz3(folder / "endplates.mz3", together(plates))
        files.append({"name": "endplates.mz3", "kind": "endplates"})
    return files


def _repairs(case: Case, crop: Crop, folder: Path) -> list[dict[str, Any]]:
    """Cement and cavity of every rehearsed procedure."""
    files: list[dict[str, Any]] = []
    for rehearsal in case.rehearsals:
        for done in rehearsal.nominal:
            about = {"level": str(rehearsal.level), "procedure": done.procedure}
            stem = f"{rehearsal.level}_{done.procedure}"
            if done.fill is not None:
                write_amount(folder / f"{stem}_cement.nii.gz", crop, done.fill.grid, 100 * done.fill.saturation, CEMENT)
                files.append({"name": f"{stem}_cement.nii.gz", "kind": "cement"} | about)
                vertices, triangles = surface(done.fill.saturation, done.fill.grid)
                if len(triangles):
                    write_mz3(folder / f"{stem}_cement.mz3", (vertices, triangles))
                    files.append({"name": f"{stem}_cement.mz3", "kind": "cement surface"} | about)
            if done.inflation is not None:
                bone = done.inflation.bone
                write_amount(folder / f"{stem}_cavity.nii.gz", crop, bone.field.grid, 100 * bone.cavity, CAVITY)
                files.append({"name": f"{stem}_cavity.nii.gz", "kind": "cavity"} | about)
    return files


def _walls(case: Case, folder: Path) -> dict[str, list[str]]:
    """Sides of each level on which a needle can be judged."""
    if case.spine is None:
        return {}
    found = {}
    for vertebra in case.spine.vertebrae:
        if not vertebra.cut_by_field and vertebra.level not in case.spine.distrusted:
            sides = write_walls(case.spine, vertebra, folder / f"walls_{vertebra.level}.npz")
            if sides:
                found[str(vertebra.level)] = [str(side) for side in sides]
    return found

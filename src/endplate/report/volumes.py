"""Result volumes of every level as NIfTI: body and arch, density region, strain; and the labels as they were used."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from endplate.biomechanics.result import Strength
from endplate.case import Case
from endplate.image.nifti import write_labels, write_volume
from endplate.report.rehearsal.volumes import write_rehearsals

BODY, ARCH = 1, 2


def write_volumes(case: Case, folder: Path) -> list[Path]:
    """Write what the case holds into an existing folder; returns the paths.

    `labels.nii.gz` (VerSe numbers) and per level `L1_vertebra.nii.gz` (1 body, 2 arch), `L1_body.nii.gz`,
    `L1_density_roi.nii.gz`, `L1_strain.nii.gz` and `L1_plastic_strain.nii.gz` (fractions, on the solver's grid); and
    what `write_rehearsals` writes.

    Raises
    ------
    OutputError : a file cannot be written.
    """
    paths = [folder / "labels.nii.gz"]
    write_labels(paths[0], case.labels)
    for vertebra in case.spine.vertebrae if case.spine else ():
        parts = np.where(vertebra.arch, ARCH, 0).astype(np.uint8)
        parts[vertebra.body] = BODY
        paths += [folder / f"{vertebra.level}_vertebra.nii.gz", folder / f"{vertebra.level}_body.nii.gz"]
        write_volume(paths[-2], vertebra.grid, parts)
        write_volume(paths[-1], vertebra.grid, vertebra.body)
    for density in case.densities:
        paths.append(folder / f"{density.level}_density_roi.nii.gz")
        write_volume(paths[-1], density.grid, density.roi)
    for strength in case.strengths:
        paths += _strains(strength, folder)
    return paths + write_rehearsals(case, folder)


def _strains(strength: Strength, folder: Path) -> list[Path]:
    """Strain volumes of one solve; a second load case carries its name in the file name."""
    stem = f"{strength.level}" if strength.load_case.startswith("axial") else f"{strength.level}_{strength.load_case}"
    paths = []
    for name, field in (("strain", strength.strain), ("plastic_strain", strength.plastic_strain)):
        if field is not None:
            paths.append(folder / f"{stem.replace(' ', '_')}_{name}.nii.gz")
            write_volume(paths[-1], strength.grid, field)
    return paths

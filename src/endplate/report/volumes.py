"""Result volumes of every level as NIfTI: body and arch, density region, strain; and the labels as they were used."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from endplate.biomechanics.result import Strength
from endplate.case import Case
from endplate.image.nifti import Meaning
from endplate.report.rehearsal.volumes import add_rehearsals
from endplate.report.volume_folder import VolumeFolder

BODY, ARCH = 1, 2
PARTS = Meaning(what="vertebra: 1 body, 2 arch", unit="", name="body 1, arch 2", label=True)
MASK = Meaning(what="vertebral body: 1 inside", unit="", name="mask", label=True)
REGION = Meaning(what="region whose trabecular density was read: 1 inside", unit="", name="mask", label=True)
STRAIN = Meaning(what="effective strain at the last elastic point", unit="mm/mm", name="mm/mm")
PLASTIC = Meaning(what="plastic strain at the end of the load path", unit="mm/mm", name="mm/mm")


def write_volumes(case: Case, folder: Path, crop: bool = False) -> list[Path]:
    """Write what the case holds into an existing folder; returns the paths.

    Every volume has the grid and the axis order of the CT, or of the label map where there is no CT: `labels.nii.gz`
    (VerSe numbers) and per level `L1_vertebra.nii.gz` (1 body, 2 arch), `L1_body.nii.gz`, `L1_density_roi.nii.gz`,
    `L1_strain.nii.gz` and `L1_plastic_strain.nii.gz` (mm/mm, of the finite element in which a voxel's centre lies);
    what `add_rehearsals` adds; and `README.txt`, which lists all with meaning, unit and frame.

    Parameters
    ----------
    crop : whether a volume of one level holds only the box round it; its voxels stay those of the CT.

    Raises
    ------
    OutputError : a file cannot be written.
    """
    volumes = VolumeFolder.of(case, folder, crop)
    volumes.labels(
        case.labels, f"vertebra labels as they were given, numbering {case.labels.scheme!r} brought to VerSe"
    )
    for vertebra in case.spine.vertebrae if case.spine else ():
        parts = np.where(vertebra.arch, ARCH, 0).astype(np.uint8)
        parts[vertebra.body] = BODY
        volumes.mask(f"{vertebra.level}_vertebra.nii.gz", vertebra.grid, parts, PARTS)
        volumes.mask(f"{vertebra.level}_body.nii.gz", vertebra.grid, vertebra.body, MASK)
    for density in case.densities:
        volumes.mask(f"{density.level}_density_roi.nii.gz", density.grid, density.roi, REGION)
    for strength in case.strengths:
        _add_strains(strength, volumes)
    add_rehearsals(case, volumes)
    return volumes.end()


def _add_strains(strength: Strength, volumes: VolumeFolder) -> None:
    """Strain volumes of one solve; a second load case carries its name in the file name."""
    stem = f"{strength.level}" if strength.load_case.startswith("axial") else f"{strength.level}_{strength.load_case}"
    for name, field, meaning in (
        ("strain", strength.strain, STRAIN),
        ("plastic_strain", strength.plastic_strain, PLASTIC),
    ):
        if field is not None:
            volumes.sampled(f"{stem.replace(' ', '_')}_{name}.nii.gz", strength.grid, field, meaning)

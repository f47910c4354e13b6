"""The list in the folder of volumes: each file, what it holds, in which unit, in which frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import nibabel as nib
import numpy as np

from endplate.image.orient import LPS_RAS, StoredAxes
from endplate.image.volume import Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One file: its name, what it holds, unit of its numbers, and its frame where that is not the header's."""

    name: str
    what: str
    unit: str
    frame: str = ""


def readme(lines: Sequence[Line], grid: Grid, axes: StoredAxes, source: str, crop: bool) -> str:
    """The text of the list."""
    shape = axes.stored_shape(grid.shape)
    affine = LPS_RAS @ axes.stored_affine(grid.shape, grid.affine)
    codes = "".join(nib.aff2axcodes(affine))
    edges = " x ".join(f"{edge:.4g}" for edge in np.linalg.norm(affine[:3, :3], axis=0))
    whole = "Each volume covers the whole scan." if not crop else "Volumes of one level are cut to the box round it."
    head = [
        "Volumes and meshes written by endplate. Research software, not for diagnosis or treatment.",
        "",
        f"Grid of the volumes (.nii.gz): {source}.",
        f"{' x '.join(map(str, shape))} voxels of {edges} mm, axis codes {codes}. {whole}",
        "World of a NIfTI header: RAS mm (right, anterior, superior positive). Left is the patient's left.",
        "Meshes and markups name their own frame: _RAS for viewers of NIfTI (NiiVue, FSLeyes, MRIcroGL), _LPS for 3D",
        "Slicer and ITK. LPS is RAS with the first two coordinates negated.",
        "Outside of what a volume is about its voxels are 0.",
        "",
    ]
    width = max((len(line.name) for line in lines), default=0)
    rows = [
        f"{line.name:<{width}}  {line.what}; unit: {line.unit}" + (f"; frame: {line.frame}" if line.frame else "")
        for line in lines
    ]
    return "\n".join([*head, *rows, ""])

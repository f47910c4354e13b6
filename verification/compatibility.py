"""The published benchmark vertebra as it was solved there, bins and one-bin shift included.

The published generator cuts densities to whole mg/cm3, sorts them into 128 bins from -31 to the largest value, counts
bins from 1, and looks them up in a table that counts from 0: every voxel receives the density of the next bin.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import nibabel
import numpy as np
from numpy.typing import NDArray

from endplate.biomechanics.model import ARCH, BODY, LOWER, NONE, UPPER, BoneModel, properties
from endplate.bone.material import density_law
from endplate.cited import cited
from endplate.errors import ImageError
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.numerics.voxel.connected_components import largest_piece

BINS = cited(128, "1", "the published generator of the models: number of material bins", "verified", cite="walle_2025")
LOWEST_MG_CM3 = cited(
    -31.0,
    "mg/cm3",
    "floor of the bins, in the published generator and in the source code of Ogo",
    "verified",
    cite=("walle_2025", "ogo"),
)
Binning = Literal["none", "whole", "bins", "shifted"]


def read_benchmark_model(folder: Path | str, binning: Binning = "none", level: Level = Level.L2) -> BoneModel:
    """The model of a benchmark folder with one `*_im.nii.gz` (mg/cm3 K2HPO4) and one `*_seg.nii.gz`.

    Parameters
    ----------
    binning : "none" keeps the densities; "whole" cuts them to whole mg/cm3; "bins" is the generator with the table
    put right; "shifted" is as published.

    Raises
    ------
    ImageError : the folder does not hold one image and one segmentation.
    """
    density, labels, affine, voxel_mm = _read(Path(folder))
    material = np.full(labels.shape, NONE, np.uint8)
    # Labels of the benchmark: body core and shell, process core and shell, caps below and above.
    for label, code in enumerate((BODY, BODY, ARCH, ARCH, LOWER, UPPER), start=1):
        material[labels == label] = code
    i, j, kk = labels.shape
    keep, dropped = largest_piece(material > NONE)
    if binning == "whole":
        density = np.trunc(density)
    elif binning != "none":
        density = _binned(density, labels > 0, shift=1 if binning == "shifted" else 0)
    material[~keep] = NONE
    modulus, strength = properties(material, density, np.ones_like(density), density_law("kopperdahl"), "pmma")
    k = np.nonzero((material >= LOWER).any(axis=(0, 1)))[0]
    return BoneModel(
        level=level,
        grid=Grid(shape=(i, j, kk), affine=affine),
        voxel_mm=voxel_mm,
        material=material,
        modulus_mpa=modulus,
        yield_mpa=strength,
        height_mm=float(k[-1] - k[0] + 1) * voxel_mm,
        law="kopperdahl",
        layer="pmma",
        density_mg_cm3=float(density[material == BODY].mean()),
        density_sd_mg_cm3=0.0,
        notes=(f"benchmark of Walle, Matheson & Boyd 2025, densities: {binning}; {dropped} loose voxels left out",),
    )


def _read(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float64], float]:
    """Density, labels, affine in LPS and voxel size."""
    images, masks = sorted(folder.glob("*_im.nii.gz")), sorted(folder.glob("*_seg.nii.gz"))
    if len(images) != 1 or len(masks) != 1:
        raise ImageError(f"{folder} holds no benchmark vertebra", "one image and one segmentation are needed", "")
    image: Any = nibabel.load(images[0])
    mask: Any = nibabel.load(masks[0])
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    density = np.asarray(image.dataobj, dtype=np.float32)
    labels = np.asarray(mask.dataobj).astype(np.uint8)
    return density, labels, affine, float(np.linalg.norm(affine[:3, 0]))


def _binned(density: NDArray[np.float32], bone: NDArray[np.bool_], shift: int) -> NDArray[np.float32]:
    """Centres of the bins that the densities fall in, `shift` bins too high."""
    lowest = LOWEST_MG_CM3
    whole = np.maximum(np.trunc(density), lowest)
    width = (float(whole[bone].max()) - lowest) / BINS
    place = np.clip(np.floor((whole - lowest) / width), 0, BINS - 1)
    return (lowest + (place + shift + 0.5) * width).astype(np.float32)

"""Metal and cement in and about the vertebrae: one check for every quantity that stands on the same voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.bone.depth import depth_mm
from endplate.bone.inclusion import MM3_PER_ML, inclusion_caution, inclusion_ml
from endplate.cited import cited
from endplate.finding import Caution
from endplate.image.volume import Volume

METAL_HU = cited(
    2500.0, "[hnsf'U]", "Own choice: metal saturates the 12-bit scale (3071); dense cortex stays below 2000", "design"
)
METAL_ML = cited(0.05, "mL", "Own choice: a ball of 4.6 mm; a clip or a dense speck is less", "design")
STREAK_MM = cited(
    40.0, "mm", "Own choice: streaks run within the slices of the metal, across a whole vertebra", "design"
)
NEAR_MM = cited(5.0, "mm", "Own choice: partial volume and blur of metal reach this far from slice to slice", "design")
DENSER_BY_HU = cited(
    250.0, "[hnsf'U]", "Own choice: above the body's own bone by more than any pattern of trabeculae", "design"
)
LEAST_DENSE_HU = cited(
    400.0, "[hnsf'U]", "Own choice: trabecular bone of young adults ends near 300; cement and sclerosis begin", "design"
)
DEEP_MM = cited(5.0, "mm", "Own choice: sclerosis of worn endplates lies shallower", "design")
DENSE_ML = cited(0.5, "mL", "Own choice: a ball of 10 mm; bone islands are smaller, cement fills millilitres", "design")
INSET_OF_BONE_MM = cited(2.0, "mm", "Own choice: clear of the shell and its blur", "design")
OWN_PERCENTILE = cited(
    25, "%", "Own choice: the body's own bone, also where cement fills up to three quarters of it", "design"
)
SMOOTHING_MM = cited(1.5, "mm", "Own choice: as the trabecular region; noise grains are narrower", "design")


def foreign_cautions(vertebrae: Sequence[Vertebra], volume: Volume) -> tuple[Caution, ...]:
    """What of metal and cement is in the scan, level by level.

    Codes: `metal` (in the label or in the same slices near it), `dense_inclusion` (cement or metal deep in the body),
    `dense_core` (a core too dense for trabecular bone that may be cement or sclerosis). What each voids is in
    `endplate.bone.voids`.
    """
    metal = _metal_mm(volume)
    cautions = []
    for vertebra in vertebrae:
        hu = _hu_on(vertebra, volume)
        if hu is None:
            continue
        text = _near(vertebra, metal)
        if text:
            cautions.append(Caution(code="metal", level=vertebra.level, text=text))
        inclusion = inclusion_ml(vertebra, hu)
        if inclusion:
            cautions.append(inclusion_caution(vertebra.level, inclusion))
            continue
        core_ml = dense_core_ml(vertebra, hu)
        if core_ml:
            text = (
                f"{core_ml:.1f} mL deep in the body of {vertebra.level} are denser than its bone by over "
                f"{DENSER_BY_HU:g} HU: cement of low contrast or sclerosis, which cannot be told apart"
            )
            cautions.append(Caution(code="dense_core", level=vertebra.level, text=text))
    return tuple(cautions)


def dense_core_ml(vertebra: Vertebra, hu: NDArray[np.floating]) -> float:
    """Volume of pieces deep in a body that are far denser than the rest of it, mL; 0 where there is none."""
    spacing = vertebra.grid.spacing_mm
    depth = depth_mm(vertebra)
    weight = ndimage.gaussian_filter(vertebra.body.astype(np.float32), SMOOTHING_MM / spacing)
    smooth = ndimage.gaussian_filter(np.where(vertebra.body, hu, 0).astype(np.float32), SMOOTHING_MM / spacing)
    smooth = smooth / np.maximum(weight, 1e-3)
    inside = depth > INSET_OF_BONE_MM
    if not inside.any():
        return 0.0
    own = float(np.percentile(smooth[inside], float(OWN_PERCENTILE)))
    # Only what lies deep counts: the shell and worn endplates hang together with it.
    dense = (smooth > max(own + DENSER_BY_HU, LEAST_DENSE_HU)) & vertebra.body & (depth > DEEP_MM)
    pieces, count = ndimage.label(dense)
    if not count:
        return 0.0
    volumes = np.bincount(pieces.ravel())[1:] * vertebra.grid.voxel_mm3 / MM3_PER_ML
    return float(volumes[volumes >= DENSE_ML].sum())


def _metal_mm(volume: Volume) -> NDArray[np.float64]:
    """World points (n, 3) of the voxels of every piece of metal in the image."""
    dense = volume.hu >= METAL_HU
    if not dense.any():
        return np.zeros((0, 3))
    pieces, _ = ndimage.label(dense)
    sizes = np.bincount(pieces.ravel()) * volume.grid.voxel_mm3 / MM3_PER_ML
    sizes[0] = 0
    return volume.grid.to_mm(np.argwhere((sizes >= METAL_ML)[pieces]))


def _near(vertebra: Vertebra, metal_mm: NDArray[np.float64]) -> str:
    """That metal lies in the slices of a body near enough for its streaks, or nothing."""
    if not len(metal_mm):
        return ""
    along = vertebra.axis_along
    body = np.argwhere(vertebra.body)
    index = vertebra.grid.to_index(metal_mm)
    edge = float(vertebra.grid.spacing_mm[along])
    low, high = body[:, along].min() - NEAR_MM / edge, body[:, along].max() + NEAR_MM / edge
    here = metal_mm[(index[:, along] >= low) & (index[:, along] <= high)]
    if not len(here):
        return ""
    normal = vertebra.grid.affine[:3, along] / edge
    away = here - vertebra.centroid_mm
    away = np.linalg.norm(away - np.outer(away @ normal, normal), axis=1)
    if away.min() > STREAK_MM:
        return ""
    return (
        f"metal in the slices of {vertebra.level}, {away.min():.0f} mm from the middle of its body: streaks and lost "
        "signal alter its HU"
    )


def _hu_on(vertebra: Vertebra, volume: Volume) -> NDArray[np.floating] | None:
    """The CT on the vertebra's crop; None where the crop is not part of the CT's grid."""
    first = np.rint(volume.grid.to_index(vertebra.grid.to_mm(np.zeros(3)))).astype(int)
    stop = first + vertebra.grid.shape
    if np.any(first < 0) or np.any(stop > volume.hu.shape):
        return None
    return volume.hu[first[0] : stop[0], first[1] : stop[1], first[2] : stop[2]]

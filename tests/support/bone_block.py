"""A block of even bone between two layers of PMMA: a model whose changes can be foretold."""

from __future__ import annotations

import numpy as np

from endplate.biomechanics.model import BODY, LOWER, UPPER, BoneModel
from endplate.image.volume import Grid
from endplate.level import Level

BONE_MPA = 200.0
BONE_YIELD_MPA = 1.5


def bone_block(side: int = 10, height: int = 10, voxel_mm: float = 2.0) -> BoneModel:
    """`side` x `side` x `height` voxels of bone with a layer of two voxels on either end."""
    material = np.zeros((side + 2, side + 2, height + 6), np.uint8)
    inside = slice(1, -1)
    material[inside, inside, 1:-1] = UPPER
    material[inside, inside, 1 : 3 + height] = BODY
    material[inside, inside, 1:3] = LOWER
    layer = material >= LOWER
    modulus = np.where(layer, 2500.0, np.where(material == BODY, BONE_MPA, 0.0)).astype(np.float32)
    strength = np.where(layer, 70.0, np.where(material == BODY, BONE_YIELD_MPA, 0.0)).astype(np.float32)
    i, j, k = material.shape
    return BoneModel(
        level=Level.L1,
        grid=Grid(shape=(i, j, k), affine=np.diag([voxel_mm] * 3 + [1.0])),
        voxel_mm=voxel_mm,
        material=material,
        modulus_mpa=modulus,
        yield_mpa=strength,
        height_mm=(height + 4) * voxel_mm,
        law="kopperdahl",
        layer="pmma",
        density_mg_cm3=76.0,
        density_sd_mg_cm3=12.0,
    )


def middle(model: BoneModel, share: float = 0.5) -> np.ndarray:
    """Saturation 1 in the middle `share` of the bone's width and depth, over its whole height."""
    out = np.zeros(model.material.shape, np.float32)
    bone = np.argwhere(model.material == BODY)
    low, high = bone.min(axis=0), bone.max(axis=0) + 1
    trim = np.rint((high - low) * (1 - share) / 2).astype(int)
    trim[2] = 0
    i, j, k = (slice(a + t, b - t) for a, b, t in zip(low, high, trim, strict=True))
    out[i, j, k] = 1
    return out

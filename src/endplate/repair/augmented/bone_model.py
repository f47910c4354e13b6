"""A vertebra as a finite element model: softened where broken, empty where there is a cavity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endplate.biomechanics.model import ARCH, BODY, BoneModel, ModelSettings, model_from_field
from endplate.biomechanics.shell_words import NOT_LOOKED_FOR
from endplate.bone.material import MODULUS_FLOOR_MPA
from endplate.errors import OptionError
from endplate.repair.site.bone import Bone


def bone_model(
    bone: Bone, settings: ModelSettings | None = None, filled: NDArray[np.float32] | None = None
) -> BoneModel:
    """The bone as a model for `solve_strength`: softened where broken, empty where there is a cavity.

    Parameters
    ----------
    settings : law, layers and how the shell counts; the voxel size is that of the bone.
    filled : (I, J, K) share 0..1 of the cavity that something else (cement) fills, so that the model keeps those
        voxels as body; what it puts there still has to be given its stiffness. None leaves cavities empty.

    Notes
    -----
    `Bone.softening` is the factor on the modulus; strength falls by its square root, so that a modulus of 30-50 %
    goes with a strength of 55-71 %, as a broken zone is assumed to keep.
    """
    # The edge comes from an affine: without rounding, a voxel of the largest size would be refused as larger.
    voxel_mm = round(float(bone.field.grid.spacing_mm[0]), 9)
    settings = replace(settings or ModelSettings(), voxel_mm=voxel_mm, align="vertebra")
    if not np.allclose(bone.field.grid.spacing_mm, voxel_mm):
        raise OptionError("the bone does not lie on cubes", "the model needs them", "sample it with repair_bone")
    empty = bone.cavity if filled is None else bone.cavity * (1 - np.clip(filled, 0, 1))
    solid = np.clip(bone.field.fill - empty, 0, 1).astype(np.float32)
    kept = settings.cortex == "kept"
    notes = (NOT_LOOKED_FOR,) if kept and bone.shell is None else ()
    field, shell = replace(bone.field, fill=solid), bone.shell if kept else None
    model = model_from_field(bone.level, field, settings, bone.density_sd_mg_cm3, notes, shell)
    own = (model.material == BODY) | (model.material == ARCH)
    modulus, strength = model.modulus_mpa.copy(), model.yield_mpa.copy()
    modulus[own] = np.maximum(modulus[own] * bone.softening[own], np.float32(MODULUS_FLOOR_MPA))
    strength[own] *= np.sqrt(bone.softening[own])
    return replace(model, modulus_mpa=modulus, yield_mpa=strength)

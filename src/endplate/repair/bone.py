"""The bone that a repair works on: sampled once on the model's own grid, and turned into a model that can be loaded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.model import ARCH, BODY, VOXEL_MM, BoneModel, ModelSettings, model_from_field, own_grid
from endplate.biomechanics.sampling import BoneField, sample_bone
from endplate.bone.material import MODULUS_FLOOR_MPA
from endplate.bone.result import Calibration
from endplate.errors import LabelError, OptionError
from endplate.image.volume import Volume
from endplate.repair.result import Bone, FractureZone


def repair_bone(
    vertebra: Vertebra,
    volume: Volume,
    calibration: Calibration,
    voxel_mm: float = float(VOXEL_MM),
    zone: FractureZone | None = None,
) -> Bone:
    """The bone of one vertebra on cubes along its own axes, sound and without a cavity.

    Parameters
    ----------
    voxel_mm : edge of the cubes. zone : kept with the bone; `endplate.repair.zone.find_zone` also softens it.

    Raises
    ------
    LabelError : the scan border cuts the body, or the mask holds none.
    OptionError : a voxel size for which the model has no meaning.
    """
    settings = ModelSettings(voxel_mm=voxel_mm)
    if vertebra.cut_by_field:
        raise LabelError(
            f"the border of the scan cuts the body of {vertebra.level}",
            "a repair of a part is not that of the whole",
            "use a scan that holds the whole body",
        )
    field = sample_bone(vertebra, volume, calibration, own_grid(vertebra, voxel_mm), settings.smoothing_mm)
    if not (inside_body(field) >= 0.5).any():
        raise LabelError(
            f"the mask of {vertebra.level} holds no body", "nothing can be repaired", "check the labels of this level"
        )
    return Bone(
        level=vertebra.level,
        field=field,
        density_sd_mg_cm3=calibration.sd_mg_cm3,
        softening=np.ones(field.grid.shape, np.float32),
        cavity=np.zeros(field.grid.shape, np.float32),
        zone=zone,
    )


def inside_body(field: BoneField) -> NDArray[np.float32]:
    """(I, J, K) share of each voxel that lies inside the body's outer surface, cavities included."""
    return np.clip(field.fill, 0, 1) * np.clip(field.body, 0, 1)


def centres_mm(bone: Bone, voxels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Centres (n, 3) of marked voxels (I, J, K) in the frame of the large-strain model, mm."""
    return np.asarray((np.argwhere(voxels) + 0.5) * float(bone.field.grid.spacing_mm[0]), dtype=np.float64)


def body_ml(bone: Bone) -> float:
    """Volume inside the body's outer surface, mL."""
    return float(inside_body(bone.field).sum(dtype=np.float64)) * bone.field.grid.voxel_mm3 / 1000


def bone_model(
    bone: Bone, settings: ModelSettings | None = None, filled: NDArray[np.float32] | None = None
) -> BoneModel:
    """The bone as a model for `solve_strength`: softened where broken, empty where there is a cavity.

    Parameters
    ----------
    settings : law and layers; the voxel size is that of the bone.
    filled : (I, J, K) share 0..1 of the cavity that something else (cement) fills, so that the model keeps those
        voxels as body; what it puts there still has to be given its stiffness. None leaves cavities empty.

    Notes
    -----
    `Bone.softening` is the factor on the modulus; strength falls by its square root, so that a modulus of 30-50 %
    goes with a strength of 55-71 %, as a broken zone is assumed to keep.
    """
    voxel_mm = float(bone.field.grid.spacing_mm[0])
    settings = replace(settings or ModelSettings(), voxel_mm=voxel_mm, align="vertebra")
    if not np.allclose(bone.field.grid.spacing_mm, voxel_mm):
        raise OptionError("the bone does not lie on cubes", "the model needs them", "sample it with repair_bone")
    empty = bone.cavity if filled is None else bone.cavity * (1 - np.clip(filled, 0, 1))
    solid = np.clip(bone.field.fill - empty, 0, 1).astype(np.float32)
    model = model_from_field(bone.level, replace(bone.field, fill=solid), settings, bone.density_sd_mg_cm3)
    own = (model.material == BODY) | (model.material == ARCH)
    modulus, strength = model.modulus_mpa.copy(), model.yield_mpa.copy()
    modulus[own] = np.maximum(modulus[own] * bone.softening[own], np.float32(MODULUS_FLOOR_MPA))
    strength[own] *= np.sqrt(bone.softening[own])
    return replace(model, modulus_mpa=modulus, yield_mpa=strength)

"""The porotic box as a fracture leaves it, with and without a cleft."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from endplate.repair.site.bone import Bone, inside_body
from verification.bodies import local_mm
from verification.box_body import box_bone, box_vertebra


def crushed_box(voxel_mm: float) -> Bone:
    """The porotic box with a plastic strain that grows from nothing at the back to 0.6 at the front."""
    bone = box_bone(box_vertebra(), voxel_mm, 60.0)
    local = local_mm(box_vertebra(), bone)
    strain = 0.6 * np.clip((local[..., 1] + 15) / 30, 0, 1)
    return replace(bone, crushed=np.where(inside_body(bone.field) > 0, strain, 0).astype(np.float32))


def cleft_box(voxel_mm: float) -> Bone:
    """The same with a cleft of 3 mm, one coarse voxel, that runs out through front and sides."""
    bone = crushed_box(voxel_mm)
    local = local_mm(box_vertebra(), bone)
    empty = (np.abs(local[..., 2] - 9) < 1.5) & (local[..., 1] > -6)
    return replace(bone, cavity=np.where(empty, inside_body(bone.field), 0).astype(np.float32))

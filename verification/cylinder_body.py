"""A vertebral body of known shape for checks of the cement: an oval cylinder with a shell, on cubes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.sampling import BoneField
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.repair.access.needle_tip import NeedleTip
from endplate.repair.device.needle import NEEDLES
from endplate.repair.site.bone import Bone

HALF_WIDTH_MM, HALF_DEPTH_MM, HALF_HEIGHT_MM = 22.0, 16.0, 14.0
SHELL_MM, SHELL_MG_CM3, CORE_MG_CM3 = 2.0, 350.0, 80.0
AXES = np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]])
Pattern = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Factor on the density of the core at points (..., 3) of (left, posterior, superior) mm."""


def cylinder_body(voxel_mm: float = 1.0, pattern: Pattern | None = None) -> tuple[Vertebra, Bone]:
    """The vertebra and its bone; voxels are symmetrical about its middle."""
    half = np.array([HALF_WIDTH_MM, HALF_DEPTH_MM, HALF_HEIGHT_MM])
    i, j, k = (2 * int(np.ceil((n + 3) / voxel_mm)) for n in half)
    shape = (i, j, k)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = -voxel_mm * (np.array(shape) - 1) / 2
    grid = Grid(shape=shape, affine=affine)
    at = grid.to_mm(np.moveaxis(np.indices(shape), 0, -1))
    depth = _depth(at)
    fill = np.clip(depth / voxel_mm + 0.5, 0, 1).astype(np.float32)
    core = CORE_MG_CM3 * (1.0 if pattern is None else pattern(at))
    density = np.where(depth < SHELL_MM, SHELL_MG_CM3, core).astype(np.float32)
    body = fill >= 0.5
    vertebra = Vertebra(
        level=Level.L2,
        grid=grid,
        body=body,
        arch=np.zeros(shape, bool),
        fill=fill,
        centroid_mm=np.zeros(3),
        axes=AXES,
        superior=None,
        inferior=None,
        left=None,
        right=None,
        cut_by_field=False,
        cut_arch=False,
    )
    bone = Bone(
        level=Level.L2,
        field=BoneField(grid=grid, fill=fill, body=(fill > 0).astype(np.float32), density_mg_cm3=density),
        density_sd_mg_cm3=10.0,
        softening=np.ones(shape, np.float32),
        cavity=np.zeros(shape, np.float32),
    )
    return vertebra, bone


def _depth(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth below the surface, mm, negative outside; near the surface only, which is all that is needed."""
    radius = np.hypot(at[..., 0] / HALF_WIDTH_MM, at[..., 1] / HALF_DEPTH_MM)
    slope = np.hypot(at[..., 0] / HALF_WIDTH_MM**2, at[..., 1] / HALF_DEPTH_MM**2) / np.maximum(radius, 1e-9)
    side = (1 - radius) / np.maximum(slope, 1 / HALF_WIDTH_MM)
    return np.minimum(side, HALF_HEIGHT_MM - np.abs(at[..., 2]))


def tip_at(left_mm: float, anterior_mm: float, superior_mm: float, gauge: str = "11G") -> NeedleTip:
    """A needle from behind whose tip lies there."""
    at = np.array([left_mm, -anterior_mm, superior_mm])
    return NeedleTip(at_mm=at, needle=NEEDLES[gauge], entry_mm=at + np.array([left_mm / 2, 40.0, 5.0]))


def with_gap(bone: Bone, centre_mm: tuple[float, float, float], radius_mm: float) -> Bone:
    """The bone without its shell within a radius of a point (left, posterior, superior)."""
    field = bone.field
    at = field.grid.to_mm(np.moveaxis(np.indices(field.grid.shape), 0, -1))
    bare = np.linalg.norm(at - np.array(centre_mm), axis=-1) <= radius_mm
    density = np.where(bare, np.minimum(field.density_mg_cm3, np.float32(CORE_MG_CM3)), field.density_mg_cm3)
    return replace(bone, field=replace(field, density_mg_cm3=density.astype(np.float32)))

"""The shell of a body: how much mineral lies in it beyond the bone beneath, at every voxel of the surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.repair.site.bone import Bone, inside_body

DEPTH_MM = cited(3.0, "mm", "A shell of half a millimetre is smeared over about this by a clinical CT", "design")
STEP_MM = cited(0.5, "mm", "Fine beside the smoothing of the density, 1.5 mm", "design")
BENEATH_MM = cited(5.0, "mm", "Here the density is that of the bone beneath the shell", "design")
NORMAL_MM = cited(2.0, "mm", "Smooths the steps of voxels out of the surface's direction", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shell:
    """The surface of a body.

    Attributes
    ----------
    voxels : (n, 3) indices of its voxels. outward : (n, 3) unit normals along (left, posterior, superior).
    excess : (n,) mineral beyond the bone beneath, mg/cm3 mm: density times thickness of the shell.
    """

    voxels: NDArray[np.int64]
    outward: NDArray[np.float64]
    excess: NDArray[np.float64]


def find_shell(bone: Bone) -> Shell:
    """The surface of the body and the mineral in its shell.

    Depths count from the surface itself, half a voxel outside the centres of its voxels, so that a thin place is one on
    every grid.
    """
    voxel_mm = float(bone.field.grid.spacing_mm[0])
    share = inside_body(bone.field)
    body = share >= 0.5
    depth = ndimage.distance_transform_edt(np.pad(body, 1))[1:-1, 1:-1, 1:-1]
    surface = body & (depth <= 1)
    smooth = ndimage.gaussian_filter(share.astype(float), NORMAL_MM / voxel_mm)
    inward = np.stack(np.gradient(smooth), axis=-1)[surface]
    inward /= np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-9)
    voxels = np.argwhere(surface)
    deep = body & (depth > BENEATH_MM / voxel_mm)
    usual = float(np.median(bone.field.density_mg_cm3[deep if deep.any() else body]))
    half_mm = voxel_mm / 2
    beneath = np.minimum(_density(bone, voxels, inward, BENEATH_MM - half_mm), usual)
    excess = np.zeros(len(voxels))
    for depth_mm in np.arange(STEP_MM / 2, DEPTH_MM, STEP_MM):
        excess += STEP_MM * (_density(bone, voxels, inward, max(depth_mm - half_mm, 0.0)) - beneath)
    return Shell(voxels=voxels, outward=-inward, excess=excess)


def _density(
    bone: Bone, voxels: NDArray[np.int64], inward: NDArray[np.float64], below_mm: float
) -> NDArray[np.float64]:
    """Density this far below the centres of surface voxels, mg/cm3."""
    at = voxels + inward * below_mm / float(bone.field.grid.spacing_mm[0])
    return np.asarray(ndimage.map_coordinates(bone.field.density_mg_cm3, at.T, order=1, mode="nearest"), float)

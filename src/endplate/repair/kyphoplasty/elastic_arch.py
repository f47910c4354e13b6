"""Pedicles and the front of the lamina as elastic points: they close the ring behind the body, as in life."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.numerics.mpm.foam import ELASTIC, FoamLaw
from endplate.numerics.mpm.particles import Particles, fill_cloud
from endplate.repair.site.bone import Bone, inside_body

REACH_MM = cited(
    14.0, "mm", "Own choice: pedicles and the front of the lamina; what lies farther behind holds no wall", "design"
)
MIN_MPA = cited(20.0, "MPa", "Own choice: marrow of the arch still hangs together", "design")
MIN_SHARE = cited(0.05, "1", "Own choice: less bone in a voxel makes points of no weight", "design")
MIN_DENSITY_G_CM3 = cited(0.01, "g/cm3", "Own choice: marrow without bone still takes part, at 24 MPa", "design")


def arch_points(bone: Bone, law: FoamLaw, taken: NDArray[np.bool_], edge_mm: float) -> Particles | None:
    """Elastic points of the arch near the body, None without an arch.

    Parameters
    ----------
    law : whose modulus the density of the arch gives. taken : (I, J, K) voxels of discs and plates.
    """
    field = bone.field
    inside = inside_body(field)
    body = inside >= 0.5
    if not body.any():
        return None
    share = np.clip(np.clip(field.fill, 0, 1) - inside, 0, 1)
    away_mm = ndimage.distance_transform_edt(~body) * edge_mm
    share[taken | (away_mm > float(REACH_MM)) | (share < float(MIN_SHARE))] = 0
    # A partial voxel of the body's own surface is no arch: only what hangs together with arch proper counts.
    proper = (field.fill >= 0.5) & (field.body < 0.5)
    share[~ndimage.binary_dilation(proper, np.ones((3, 3, 3)))] = 0
    if not (share > 0).any():
        return None
    density = np.maximum(field.density_mg_cm3 / 1000, float(MIN_DENSITY_G_CM3))
    modulus = np.maximum(law.modulus(density, np.zeros(1)), float(MIN_MPA))
    kind = np.full(share.shape, ELASTIC, np.int8)
    return fill_cloud(np.zeros_like(share), share, edge_mm, kind=kind, modulus_mpa=modulus)

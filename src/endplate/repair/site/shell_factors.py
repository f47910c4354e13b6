"""What the mineral of the shell makes of the points of a body: a layer of its own thickness in its outermost voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.biomechanics.shell_layer import in_layer
from endplate.numerics.mpm.foam import FoamLaw
from endplate.repair.site.bone import Bone


def shell_factors(
    bone: Bone, share: NDArray[np.float32], law: FoamLaw
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Density of each voxel (I, J, K), g/cm3, with the mineral of its shell, and what the shell makes of E and of Y.

    A layer of the shell's thickness keeps its own density, so that its stiffness and strength do not depend on how
    large the voxels are that it lies in.
    """
    density = bone.field.density_mg_cm3.astype(float) / 1000
    ones = np.ones_like(density)
    if bone.shell is None:
        return density, ones, ones
    found = in_layer(bone.shell, density, share)
    nothing = np.zeros(1)

    def factor(of: str) -> NDArray[np.float64]:
        def value(rho: NDArray[np.float64]) -> NDArray[np.float64]:
            return law.modulus(rho, nothing) if of == "modulus" else law.strength(rho, rho, nothing)

        return np.where(found.has, found.mean(value) / value(np.maximum(found.mixed, 1e-3)), 1.0)

    return found.mixed, factor("modulus"), factor("strength")

"""The mineral of a shell that a sampled density lacks, as a layer of its own thickness in the voxels of the surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.bone.material import DensityLaw
from endplate.cited import cited
from endplate.short_repr import short_repr

THICKNESS_MM = cited(
    0.5,
    "mm",
    "own choice: a vertebral shell is 0.38 +- 0.06 mm thick on micro-CT (13 vertebrae, abstract); its upper end",
    "design",
    cite="eswaran_2007",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShellMineral:
    """Mineral of the shell, on the grid of the bone: what lies in each voxel beyond its sampled density.

    Attributes
    ----------
    missing_mg : (I, J, K) mineral to add, mg. area_mm2 : (I, J, K) outer surface of the body in each voxel.
    excess_mg_cm3_mm : median over the surface of the mineral to add, per area: density times thickness.
    voxel_mm3 : volume of a voxel.
    """

    missing_mg: NDArray[np.float32]
    area_mm2: NDArray[np.float32]
    excess_mg_cm3_mm: float
    voxel_mm3: float

    __repr__ = short_repr


@dataclass(frozen=True, slots=True)
class InLayer:
    """Bone with its shell in it, voxel by voxel.

    Attributes
    ----------
    has : (I, J, K) whether a voxel holds shell. share : (I, J, K) part of its bone that is the layer, 0 to 1.
    under, layer, mixed : (I, J, K) density beside the layer, in it, and of both together, g/cm3.
    """

    has: NDArray[np.bool_]
    share: NDArray[np.float64]
    under: NDArray[np.float64]
    layer: NDArray[np.float64]
    mixed: NDArray[np.float64]

    def mean(self, value: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Mean (I, J, K) of a property of the density over layer and bone beside it: both give way together."""
        return value(self.layer) * self.share + value(self.under) * (1 - self.share)


def in_layer(shell: ShellMineral, density_g_cm3: NDArray[np.float64], share: NDArray[np.floating]) -> InLayer:
    """The missing mineral laid into the surface; the mineral of every voxel is what was sampled and what was missing.

    Parameters
    ----------
    density_g_cm3 : (I, J, K) sampled density of the filled part. share : (I, J, K) filled part of each voxel, 0 to 1.
    """
    volume = np.maximum(share * shell.voxel_mm3, 1e-6)
    layer = np.minimum(shell.area_mm2 * float(THICKNESS_MM), volume)
    has = (shell.missing_mg > 0) & (layer > 0) & (share > 0)
    under = np.maximum(density_g_cm3, 1e-3)
    mixed = np.where(has, under + shell.missing_mg / volume, density_g_cm3)
    dense = np.where(has, under + shell.missing_mg / np.maximum(layer, 1e-6), under)
    return InLayer(has=has, share=layer / volume, under=under, layer=dense, mixed=mixed)


def with_shell(
    law: DensityLaw, density_mg_cm3: NDArray[np.float32], share: NDArray[np.floating], shell: ShellMineral | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Modulus and yield stress (I, J, K), MPa, of the filled part of each voxel, with its shell where there is one.

    Parameters
    ----------
    density_mg_cm3 : (I, J, K) as sampled. share : (I, J, K) filled part of each voxel, 0 to 1. shell : None for none.
    """
    plain = law.properties(density_mg_cm3)
    if shell is None:
        return plain
    found = in_layer(shell, density_mg_cm3.astype(float) / 1000, share)
    stiff = found.mean(lambda rho: law.properties(1000 * rho)[0])
    strong = found.mean(lambda rho: law.properties(1000 * rho)[1])
    return np.where(found.has, stiff, plain[0]), np.where(found.has, strong, plain[1])

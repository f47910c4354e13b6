"""How easily cement runs through this bone: density to porosity to permeability, clefts and cavities wide open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.bone.material import ASH_OFFSET_G_CM3, ASH_PER_APPARENT, ASH_SLOPE
from endplate.cited import cited
from endplate.repair.site.bone import Bone, inside_body

TISSUE_G_CM3 = cited(
    2.0, "g/cm3", "Wet density of trabecular bone tissue, 1.9-2.1 g/cm3", "knowledge", cite="carter_hayes_1977"
)
REFERENCE_K_MM2 = cited(
    0.03,
    "mm2",
    "k0 = 3e-8 m2: near Kozeny-Carman 4.5e-8 and Baroud 2004 SI 4.45 +- 1.72 (x 1e-8 m2)",
    "recomputed",
    cite="baroud_2004",
)
REFERENCE_POROSITY = cited(0.90, "1", "own choice: porosity at which k0 holds", "design")
ACROSS_PER_ALONG = cited(
    0.78, "1", "34 vertebral cores: AP permeability is 78 % of SI (abstract)", "verified", cite="baroud_2004"
)
DISPLACED = cited(0.9, "1", "own choice: share of the marrow that cement displaces, 0.8-0.95", "design")
MIN_SOLID = cited(0.02, "1", "Thinnest trabecular bone, BV/TV; keeps Kozeny's law away from its pole", "design")
MAX_SOLID = cited(0.90, "1", "Cortical bone is not quite solid; keeps its permeability above zero", "design")
CAVITY_MM = cited(
    5.0, "mm", "A cavity flows as a slit of this width: over 50 times its rim, effectively open", "design"
)
CLEFT_MM = cited(1.0, "mm", "Width of a cleft whose opening could not be measured: one voxel", "design")
MIN_INSIDE = cited(0.25, "1", "Voxels with less of the body in them take no cement, as in the model", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pores:
    """What cement may fill, on the grid of the bone, all (I, J, K).

    Attributes
    ----------
    inside : share of each voxel within the body's surface. porosity : pores per volume in there, cavity included.
    uptake : share of those pores that cement can take. permeability_mm2 : along the vertebra's axis; across it
    `ACROSS_PER_ALONG` of that.
    """

    inside: NDArray[np.float32]
    porosity: NDArray[np.float32]
    uptake: NDArray[np.float32]
    permeability_mm2: NDArray[np.float32]

    def volume_ml(self, voxel_mm3: float) -> float:
        """All that cement can take, mL."""
        return float((self.inside * self.porosity * self.uptake).sum(dtype=np.float64)) * voxel_mm3 / 1000


def porosity_of(density_mg_cm3: NDArray[np.floating]) -> NDArray[np.float64]:
    """Pores per volume from K2HPO4-equivalent density, through ash and apparent density (Keyak 1994, Knowles 2016)."""
    ash = ASH_SLOPE * np.asarray(density_mg_cm3, float) / 1000 + ASH_OFFSET_G_CM3
    solid = ash / ASH_PER_APPARENT / TISSUE_G_CM3
    return 1 - np.clip(solid, MIN_SOLID, MAX_SOLID)


def permeability_of(porosity: NDArray[np.floating]) -> NDArray[np.float64]:
    """Permeability along the vertebra's axis, mm2: Kozeny's phi^3 / (1 - phi)^2 through the reference point."""
    reference = REFERENCE_POROSITY**3 / (1 - REFERENCE_POROSITY) ** 2
    return REFERENCE_K_MM2 * porosity**3 / (1 - porosity) ** 2 / reference


def pores(bone: Bone, opened: NDArray[np.bool_], factor: float = 1.0) -> Pores:
    """The pores of a bone.

    Parameters
    ----------
    opened : (I, J, K) voxels of the openings in its surface: no shell there, as porous as the reference bone at least.
    factor : on the permeability of bone, for its uncertainty (a factor of 3 either way).
    """
    inside = inside_body(bone.field)
    inside = np.where(inside >= MIN_INSIDE, inside, 0)
    porosity = porosity_of(bone.field.density_mg_cm3)
    porosity = np.where(opened, np.maximum(porosity, REFERENCE_POROSITY), porosity)
    permeability = permeability_of(porosity) * factor
    hollow = np.clip(bone.cavity.astype(float), 0, 1)
    wide = np.full_like(permeability, _slit(CAVITY_MM))
    if bone.zone is not None:
        hollow = np.where(bone.zone.cleft, 1.0, hollow)
        wide = np.where(bone.zone.cleft, _slit(bone.zone.opening_mm or CLEFT_MM), wide)
    both = (1 - hollow) * porosity + hollow
    taken = (1 - hollow) * porosity * DISPLACED + hollow
    return Pores(
        inside=inside.astype(np.float32),
        porosity=both.astype(np.float32),
        uptake=(taken / both).astype(np.float32),
        permeability_mm2=((1 - hollow) * permeability + hollow * np.maximum(wide, permeability)).astype(np.float32),
    )


def _slit(width_mm: float) -> float:
    """Permeability of a slit, mm2."""
    return width_mm**2 / 12

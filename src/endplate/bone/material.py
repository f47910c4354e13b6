"""Density to modulus and yield stress, by named published laws that know which density they were written for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import OptionError

DensityType = Literal["k2hpo4", "ash", "apparent"]
"""What a law's density means: QCT K2HPO4-equivalent, ash, or wet apparent, all in g/cm3."""

ASH_SLOPE = cited(
    1.06,
    "1",
    "Keyak 1994, in the Ogo source: ash = 1.06 K2HPO4 + 0.0389 g/cm3",
    "secondary",
    cite=("keyak_1994", "ogo"),
)
ASH_OFFSET_G_CM3 = cited(
    0.0389,
    "g/cm3",
    "Keyak 1994, in the Ogo source: ash = 1.06 K2HPO4 + 0.0389 g/cm3",
    "secondary",
    cite=("keyak_1994", "ogo"),
)
ASH_PER_APPARENT = cited(
    0.60, "1", "Knowles, J Exp Orthop 2016, Table 1: apparent = ash / 0.60", "verified", cite="knowles_2016"
)
MODULUS_FLOOR_MPA = cited(0.1, "MPa", "Ogo source: floor at an equivalent modulus of 0.1 MPa", "verified", cite="ogo")
YIELD_STRAIN_FLOOR = cited(
    0.0057,
    "1",
    "Kopperdahl 2002 power laws at 0.1 g/cm3; yield of voxels at the floor",
    "design",
    cite="kopperdahl_2002",
)
YIELD_STRAIN_VERTEBRA = cited(
    0.0084, "1", "Kopperdahl & Keaveny, J Biomech 1998: vertebral compression", "knowledge", cite="kopperdahl_1998"
)
TRANSVERSE_MODULUS = cited(
    0.333,
    "1",
    "transverse over axial modulus of vertebral trabecular bone, as used with the density law of Crawford 2003",
    "knowledge",
    cite="crawford_2003",
)
POISSON = cited(0.3, "1", "isotropic in bone and caps", "verified", cite="walle_2025")

KOPPERDAHL_E = cited(
    2980.0,
    "MPa",
    "Kopperdahl 2002, power law, in the Ogo source: E = 2980 rho^1.05",
    "secondary",
    cite=("kopperdahl_2002", "ogo"),
)
KOPPERDAHL_E_POWER = cited(
    1.05,
    "1",
    "Kopperdahl 2002, power law, in the Ogo source: E = 2980 rho^1.05",
    "secondary",
    cite=("kopperdahl_2002", "ogo"),
)
KOPPERDAHL_Y = cited(
    37.4,
    "MPa",
    "Kopperdahl 2002, power law, in the Ogo source: 37.4 rho^1.39",
    "secondary",
    cite=("kopperdahl_2002", "ogo"),
)
KOPPERDAHL_Y_POWER = cited(
    1.39,
    "1",
    "Kopperdahl 2002, power law, in the Ogo source: 37.4 rho^1.39",
    "secondary",
    cite=("kopperdahl_2002", "ogo"),
)
LINEAR_E = cited(
    3230.0,
    "MPa",
    "Kopperdahl 2002, linear law, in the Ogo source: 3230 rho - 34.7",
    "secondary",
    cite=("kopperdahl_2002", "ogo"),
)
LINEAR_E_OFFSET = cited(
    -34.7,
    "MPa",
    "Kopperdahl 2002, linear law, in the Ogo source: 3230 rho - 34.7",
    "secondary",
    cite=("kopperdahl_2002", "ogo"),
)
LINEAR_Y = cited(
    24.9, "MPa", "Kopperdahl 2002, linear law: yield = -0.75 + 24.9 rho", "knowledge", cite="kopperdahl_2002"
)
LINEAR_Y_OFFSET = cited(
    -0.75, "MPa", "Kopperdahl 2002, linear law: yield = -0.75 + 24.9 rho", "knowledge", cite="kopperdahl_2002"
)
MORGAN_E = cited(
    4730.0,
    "MPa",
    "Morgan 2003, vertebra, in the Ogo source: E = 4730 rho_app^1.56",
    "secondary",
    cite=("morgan_2003", "ogo"),
)
MORGAN_E_POWER = cited(
    1.56,
    "1",
    "Morgan 2003, vertebra, in the Ogo source: E = 4730 rho_app^1.56",
    "secondary",
    cite=("morgan_2003", "ogo"),
)
POOLED_E = cited(8920.0, "MPa", "Morgan 2003, all sites pooled: E = 8920 rho_app^1.83", "knowledge", cite="morgan_2003")
POOLED_E_POWER = cited(
    1.83, "1", "Morgan 2003, all sites pooled: E = 8920 rho_app^1.83", "knowledge", cite="morgan_2003"
)
KELLER_E = cited(
    10500.0,
    "MPa",
    "Keller 1994, pooled, in Knowles 2016 Table 1: E = 10500 rho_ash^2.29",
    "secondary",
    cite=("keller_1994", "knowles_2016"),
)
KELLER_E_POWER = cited(
    2.29,
    "1",
    "Keller 1994, pooled, in Knowles 2016 Table 1: E = 10500 rho_ash^2.29",
    "secondary",
    cite=("keller_1994", "knowles_2016"),
)
KELLER_Y = cited(
    117.0, "MPa", "Keller 1994, pooled, ultimate strength = 117 rho_ash^1.93", "knowledge", cite="keller_1994"
)
KELLER_Y_POWER = cited(
    1.93, "1", "Keller 1994, pooled, ultimate strength = 117 rho_ash^1.93", "knowledge", cite="keller_1994"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """scale * rho ** power + offset, in MPa with rho in g/cm3."""

    scale: float
    power: float = 1.0
    offset: float = 0.0

    def __call__(self, density_g_cm3: NDArray[np.float64]) -> NDArray[np.float64]:
        """MPa at densities (...) in g/cm3 >= 0."""
        return self.scale * density_g_cm3**self.power + self.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityLaw:
    """A published law from density to modulus and yield stress.

    Attributes
    ----------
    density : which density the law was fitted to; K2HPO4-equivalent input is converted to it first.
    modulus : E in MPa. yield_stress : in MPa; None where the source gives none, then a yield strain is used.
    """

    name: str
    density: DensityType
    modulus: Curve
    yield_stress: Curve | None
    source: str

    def properties(self, k2hpo4_mg_cm3: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Modulus and yield stress (MPa, same shape) of K2HPO4-equivalent densities in mg/cm3.

        Densities below zero count as zero; modulus and yield are floored (`MODULUS_FLOOR_MPA`).
        """
        rho = convert_density(np.maximum(np.asarray(k2hpo4_mg_cm3, float), 0) / 1000, self.density)
        modulus = np.maximum(self.modulus(rho), MODULUS_FLOOR_MPA)
        strength = modulus * YIELD_STRAIN_VERTEBRA if self.yield_stress is None else self.yield_stress(rho)
        floor = MODULUS_FLOOR_MPA * YIELD_STRAIN_FLOOR
        return modulus, np.maximum(strength, floor)


def convert_density(k2hpo4_g_cm3: NDArray[np.floating], to: DensityType) -> NDArray[np.float64]:
    """K2HPO4-equivalent density (g/cm3) as ash or wet apparent density (g/cm3); same shape.

    Source: Keyak 1994 (ash), Knowles 2016 Table 1 (apparent). The ash intercept is why laws disagree most in weak bone.
    """
    density = np.asarray(k2hpo4_g_cm3, float)
    if to == "k2hpo4":
        return density
    ash = ASH_SLOPE * density + ASH_OFFSET_G_CM3
    return ash if to == "ash" else ash / ASH_PER_APPARENT


def _curve(scale: float, power: float = 1.0, offset: float = 0.0) -> Curve:
    return Curve(scale=float(scale), power=float(power), offset=float(offset))


_LAWS = (
    DensityLaw(
        name="kopperdahl",
        density="k2hpo4",
        modulus=_curve(KOPPERDAHL_E, KOPPERDAHL_E_POWER),
        yield_stress=_curve(KOPPERDAHL_Y, KOPPERDAHL_Y_POWER),
        source="Kopperdahl, Morgan & Keaveny, J Orthop Res 2002, power laws (as in the Ogo source)",
    ),
    DensityLaw(
        name="kopperdahl-linear",
        density="k2hpo4",
        modulus=_curve(LINEAR_E, offset=LINEAR_E_OFFSET),
        yield_stress=_curve(LINEAR_Y, offset=LINEAR_Y_OFFSET),
        source="Kopperdahl, Morgan & Keaveny, J Orthop Res 2002, linear laws (yield from knowledge)",
    ),
    DensityLaw(
        name="morgan",
        density="apparent",
        modulus=_curve(MORGAN_E, MORGAN_E_POWER),
        yield_stress=None,
        source="Morgan, Bayraktar & Keaveny, J Biomech 2003, vertebra; yield strain 0.84 % (Kopperdahl & Keaveny 1998)",
    ),
    DensityLaw(
        name="morgan-pooled",
        density="apparent",
        modulus=_curve(POOLED_E, POOLED_E_POWER),
        yield_stress=None,
        source="Morgan, Bayraktar & Keaveny, J Biomech 2003, pooled; yield strain 0.84 % (Kopperdahl & Keaveny 1998)",
    ),
    DensityLaw(
        name="keller",
        density="ash",
        modulus=_curve(KELLER_E, KELLER_E_POWER),
        yield_stress=_curve(KELLER_Y, KELLER_Y_POWER),
        source="Keller, J Biomech 1994, pooled (strength is ultimate, from knowledge)",
    ),
)
LAWS: dict[str, DensityLaw] = {law.name: law for law in _LAWS}


def density_law(name: str) -> DensityLaw:
    """The law of that name.

    Raises
    ------
    OptionError : no such law; the message lists those known.
    """
    if name not in LAWS:
        raise OptionError(f"unknown density law {name!r}", "it decides the strength", f"choose {', '.join(LAWS)}")
    return LAWS[name]

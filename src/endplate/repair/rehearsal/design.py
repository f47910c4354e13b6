"""What the scan does not hold, between which ends it lies, and the balanced design that spans the ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endplate.cited import citation_of, cited
from endplate.errors import OptionError
from endplate.repair.rehearsal.result import Unknown

Mobility = Literal["rigid", "mobile"]

DENSITY_SDS = cited(
    1.0,
    "1",
    "Two runs at plus and minus one SD have the mean and the spread of a normal distribution: the calibration's own SD",
    "design",
)
PERMEABILITY_FACTOR = cited(
    3.0,
    "1",
    "Baroud 2004: lognormal uncertainty of factor 3, density is a weak predictor (abstract)",
    "verified",
    cite="baroud_2004",
)
INTERFACE_NOMINAL = cited(
    0.8, "1", "Kinzl 2012b: frictionless contact costs 20 % of stiffness (abstract)", "verified", cite="kinzl_2012b"
)
INTERFACE_LOW = cited(
    0.6,
    "1",
    "Kinzl 2012b: contact and shrinkage damage together, 0.8 x 0.76 (abstract)",
    "verified",
    cite="kinzl_2012b",
)
INTERFACE_HIGH = cited(1.0, "1", "fully bonded cement: the upper bound by definition", "design")
PRELOAD_NOMINAL_N = cited(
    100.0, "N", "preload of in-vitro height studies", "verified", cite=("kruger_2015", "height_cadaver_2022")
)
PRELOAD_LOW_N = cited(0.0, "N", "own bracket: no load at all", "design")
PRELOAD_HIGH_N = cited(
    250.0, "N", "own bracket: the upper end; prone trunk load is 100-115 N", "design", cite="wilke_1999"
)
VISCOSITY_FACTOR = cited(
    2.0,
    "1",
    "published start viscosities spread by a factor of about 2 either way (50-100, 200-500 Pa.s)",
    "knowledge",
    cite=("farrar_rose_2001", "baroud_yahia_2004"),
)

SPRING_NOMINAL_N_PER_MM = cited(150.0, "N/mm", "Middle of free and 300 N/mm; unmeasured in patients", "design")
SPRING_LOW_N_PER_MM = cited(0.0, "N/mm", "own bracket: neighbours free", "design")
SPRING_HIGH_N_PER_MM = cited(300.0, "N/mm", "own bracket: neighbours held by 100-300 N/mm", "design")

NAMES = ("density", "permeability", "interface", "mobility", "preload", "surroundings", "start viscosity")
"""The unknowns in the order of the columns of a design."""
SIZES = (2**3, 2**4, 2 * 2**4)
"""Members of a balanced design: powers of two that hold seven columns."""
TWO_POINT = 2
"""Members that only span the gain of height: see `two_point_design`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """One set of values of the unknowns.

    Attributes
    ----------
    density_sd : shift of the density in SD of the calibration. permeability, viscosity : factors on the nominal.
    interface : share of the cement's stiffness that the bone feels. mobility : is the fracture loose or healed.
    preload_n : compression held throughout. spring_n_per_mm : how stiffly the neighbours hold the body back.
    """

    density_sd: float = 0.0
    permeability: float = 1.0
    interface: float = INTERFACE_NOMINAL
    mobility: Mobility = "mobile"
    preload_n: float = PRELOAD_NOMINAL_N
    spring_n_per_mm: float = SPRING_NOMINAL_N_PER_MM
    viscosity: float = 1.0


def unknowns(
    density_sd_mg_cm3: float, nominal: ParameterSet, looseness: tuple[Mobility, Mobility] = ("rigid", "mobile")
) -> tuple[Unknown, ...]:
    """What is unknown, with its ends; the mobility counts 0 for rigid and 1 for mobile.

    Parameters
    ----------
    looseness : low and high end of the mobility, alike where the age of the fracture decides it.
    """
    loose = [float(end == "mobile") for end in looseness]
    why = "the scan cannot show whether the fracture is loose" if loose[0] < loose[1] else "by the fracture's age"
    factor, thick = float(PERMEABILITY_FACTOR), float(VISCOSITY_FACTOR)
    spread = float(DENSITY_SDS) * density_sd_mg_cm3
    rows = (
        ("mg/cm3", nominal.density_sd * density_sd_mg_cm3, -spread, spread, "shift of the whole calibration, one SD"),
        ("1", nominal.permeability, 1 / factor, factor, citation_of(PERMEABILITY_FACTOR).source),
        ("1", nominal.interface, float(INTERFACE_LOW), float(INTERFACE_HIGH), citation_of(INTERFACE_LOW).source),
        ("1", float(nominal.mobility == "mobile"), loose[0], loose[1], why),
        ("N", nominal.preload_n, float(PRELOAD_LOW_N), float(PRELOAD_HIGH_N), citation_of(PRELOAD_HIGH_N).source),
        (
            "N/mm",
            nominal.spring_n_per_mm,
            SPRING_LOW_N_PER_MM,
            SPRING_HIGH_N_PER_MM,
            citation_of(SPRING_HIGH_N_PER_MM).source,
        ),
        ("1", nominal.viscosity, 1 / thick, thick, citation_of(VISCOSITY_FACTOR).source),
    )
    return tuple(
        Unknown(name=name, unit=unit, nominal=middle, low=low, high=high, source=source)
        for name, (unit, middle, low, high, source) in zip(NAMES, rows, strict=True)
    )


def two_point_design(
    nominal: ParameterSet, looseness: tuple[Mobility, Mobility] = ("rigid", "mobile"), *, extended: bool
) -> tuple[ParameterSet, ParameterSet]:
    """Ends to span the height that a balloon gains: a healed fracture under load, and a loose one under none.

    Neighbours that were extended on the table pull the front open, the more the stiffer they hold; others hold it down
    (row R30.1 found the order reversed while both were taken to hold down). That nothing in between gains less or more
    is likely and unproven.

    Parameters
    ----------
    nominal : what the ends share otherwise.
    looseness : of the fracture, low and high end.
    extended : whether the neighbours are extended on the table.
    """
    soft, stiff = float(SPRING_LOW_N_PER_MM), float(SPRING_HIGH_N_PER_MM)
    held, free = (soft, stiff) if extended else (stiff, soft)
    tight = replace(nominal, mobility=looseness[0], preload_n=float(PRELOAD_HIGH_N), spring_n_per_mm=held)
    loose = replace(nominal, mobility=looseness[1], preload_n=float(PRELOAD_LOW_N), spring_n_per_mm=free)
    return tight, loose


def corner(signs: NDArray[np.int8], looseness: tuple[Mobility, Mobility] = ("rigid", "mobile")) -> ParameterSet:
    """The draw at one end of every unknown: -1 low, +1 high."""
    high = dict(zip(NAMES, signs > 0, strict=True))
    factor, thick = PERMEABILITY_FACTOR, VISCOSITY_FACTOR
    return ParameterSet(
        density_sd=DENSITY_SDS * (1 if high["density"] else -1),
        permeability=factor if high["permeability"] else 1 / factor,
        interface=float(INTERFACE_HIGH if high["interface"] else INTERFACE_LOW),
        mobility=looseness[1] if high["mobility"] else looseness[0],
        preload_n=float(PRELOAD_HIGH_N if high["preload"] else PRELOAD_LOW_N),
        spring_n_per_mm=float(SPRING_HIGH_N_PER_MM if high["surroundings"] else SPRING_LOW_N_PER_MM),
        viscosity=thick if high["start viscosity"] else 1 / thick,
    )


def balanced_design(members: int, seed: int) -> NDArray[np.int8]:
    """Signs (members, 7) of a two-level design in which every pair of columns is orthogonal.

    Every unknown stands as often at its low as at its high end, and so it does within each half of every other: the
    difference of the two halves is that unknown's own main effect. With 16 or 32 members columns of odd weight are
    taken, which no product of two others equals: main effects are then clear of interactions of two unknowns.

    Parameters
    ----------
    members : one of `SIZES`. seed : which columns, which end is called high in them, and the order of the rows.

    Raises
    ------
    OptionError : no balanced design of this size.

    References
    ----------
    Plackett & Burman 1946, Biometrika 33:305 (known, not read).
    """
    if members not in SIZES:
        raise OptionError(
            f"an ensemble of {members} members",
            "no balanced design has that size",
            f"choose one of {_listed()}, or 0; 2 span the height",
        )
    draw = np.random.default_rng(seed)
    matrix = hadamard(members)
    columns = np.arange(1, members)
    clear = np.array([column for column in columns if int(column).bit_count() % 2])
    pool = clear if len(clear) >= len(NAMES) else columns
    chosen = matrix[:, draw.permutation(pool)[: len(NAMES)]] * draw.choice(np.array([-1, 1], np.int8), len(NAMES))
    return np.asarray(chosen[draw.permutation(members)], np.int8)


def hadamard(order: int) -> NDArray[np.int8]:
    """Sylvester's Hadamard matrix of a power of two; its first column is ones."""
    matrix = np.ones((1, 1), np.int8)
    while len(matrix) < order:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def _listed() -> str:
    return ", ".join(map(str, SIZES))

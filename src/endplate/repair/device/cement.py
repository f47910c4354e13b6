"""Bone cements: how thick, how it thickens, how stiff when set."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.cited import cited, cited_table
from endplate.errors import OptionError

CONSISTENCY_PA_S = cited_table(
    "cement.consistency",
    "Pa.s",
    "Apparent viscosity at 1 /s when injection starts: 50-100 at 3-4 min, 200-500 at 6-8, 1000-2000 at 10-12 "
    "(Farrar & Rose 2001, Baroud; papers not read)",
    "knowledge",
    {"low viscosity PMMA": 75.0, "standard PMMA": 150.0, "high viscosity PMMA": 1000.0},
    cite=("farrar_rose_2001", "baroud_yahia_2004"),
)
SHEAR_EXPONENT = cited(
    0.5,
    "1",
    "Power law n 0.3-0.6 fresh (Krause 1982, Baroud; not read)",
    "knowledge",
    cite=("krause_1982", "baroud_yahia_2004"),
)
GROWTH_MIN = cited(
    2.0,
    "min",
    "K = K0 exp(t/tau), tau 1.5-2.5 min in room air, half of it at 37 C",
    "knowledge",
    cite=("baroud_yahia_2004", "nicholas_2007"),
)
BODY_WARMTH = cited(
    0.5,
    "1",
    "Times halve at 37 C against 25 C: curing rates quoted from Nicholas 2007",
    "verified",
    cite="nicholas_2007",
)
END_POINT_PA_S = cited(75_000.0, "Pa.s", "End point of handling, Nicholas 2007", "verified", cite="nicholas_2007")
MODULUS_MPA = cited(
    2000.0,
    "MPa",
    "vertebroplasty PMMA by ISO 5833, 1937 +- 478 MPa, rounded",
    "verified",
    cite="low_stiffness_cement_2013",
)
YIELD_MPA = cited(70.0, "MPa", "PMMA yield both ways, in the source code of Ogo", "verified", cite="ogo")
VOID_FRACTION = cited(
    0.10,
    "1",
    "own choice: void fraction of cement in bone; its porosity governs (Kinzl 2012a)",
    "design",
    cite="kinzl_2012a",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cement:
    """A cement as it is injected.

    Parameters
    ----------
    name : str
        Name in the catalogue, such as "standard PMMA", or your own.
    consistency_pa_s : float
        K of the power law ``eta = K * rate**(n - 1)`` when the injection starts: viscosity at 1 /s, Pa.s.
    shear_exponent : float, optional
        n of the power law; 1 is Newtonian.
    growth_min : float, optional
        Time constant of K at room temperature, ``K = K0 * exp(t / tau)``, min.
    modulus_mpa : float, optional
        Young's modulus when set, MPa.
    yield_mpa : float, optional
        Yield stress when set, tension and compression alike, MPa.
    void_fraction : float, optional
        Volume fraction of voids in the set cement, 0 to 1.
    """

    name: str
    consistency_pa_s: float
    shear_exponent: float = SHEAR_EXPONENT
    growth_min: float = GROWTH_MIN
    modulus_mpa: float = MODULUS_MPA
    yield_mpa: float = YIELD_MPA
    void_fraction: float = VOID_FRACTION


def choose_cement(choice: str | Cement) -> Cement:
    """A cement by its name in the catalogue, or one of your own as it is.

    Raises
    ------
    OptionError : no such name.
    """
    if isinstance(choice, Cement):
        return choice
    if choice not in CEMENTS:
        raise OptionError(f"cement {choice!r}", "no such cement in the catalogue", f"choose {', '.join(CEMENTS)}")
    return CEMENTS[choice]


CEMENTS = {name: Cement(name=name, consistency_pa_s=value) for name, value in CONSISTENCY_PA_S.items()}

"""Balloon tamps: nominal length, access, largest volume and pressure."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.cited import cited, cited_table
from endplate.errors import OptionError
from endplate.repair.device.needle import NEEDLES, Needle

MPA_PER_PSI = cited(
    6.894757e-3, "MPa/psi", "definition of the pound-force per square inch, 7 digits", "verified", cite="nist_sp811"
)

LENGTH_MM = cited_table(
    "balloon.length",
    "mm",
    "Medtronic Kyphon leaflets: the first number of the size is the length",
    "verified",
    {
        "Xpander 10/3": 10.0,
        "Xpander 15/3": 15.0,
        "Xpander 20/3": 20.0,
        "Xpander II 10/3": 10.0,
        "Xpander II 15/3": 15.0,
        "Xpander II 20/3": 20.0,
        "Express 10/2": 10.0,
        "Express 15/2": 15.0,
    },
    cite="medtronic_kyphon",
)
ACCESS_GAUGE = cited_table(
    "balloon.access",
    "1",
    "The second number of the size is that of the access: 3 for 8 G, 2 for 10 G cannulas; no instructions were read",
    "knowledge",
    {"3": 8.0, "2": 10.0},
    cite="medtronic_kyphon",
)
MAX_ML = cited_table(
    "balloon.volume",
    "mL",
    "4 mL for the 10 and 15 mm balloons, 6 mL for 20 mm; the instructions for use were not readable",
    "weak",
    {name: 6.0 if length > 15 else 4.0 for name, length in LENGTH_MM.items()},
    cite="medtronic_kyphon",
)
MAX_PSI = cited_table(
    "balloon.pressure",
    "psi",
    "400 psi for Xpander and Express, about 700 for Xpander II; the instructions for use were not readable",
    "weak",
    {name: 700.0 if name.startswith("Xpander II ") else 400.0 for name in LENGTH_MM},
    cite="medtronic_kyphon",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balloon:
    """An inflatable bone tamp.

    Parameters
    ----------
    name : str
        Name in the catalogue, such as "Xpander 15/3", or your own.
    access : str
        Gauge of the thinnest cannula that it passes, such as "8G".
    length_mm : float
        Nominal length, mm.
    max_ml : float
        Largest volume, mL.
    max_mpa : float
        Largest pressure, MPa.
    """

    name: str
    access: str
    length_mm: float
    max_ml: float
    max_mpa: float

    def passes(self, needle: Needle) -> bool:
        """Whether the balloon goes through a cannula.

        Parameters
        ----------
        needle : Needle
            The cannula; its outer diameter is compared with that of `access`.

        Returns
        -------
        bool
            True where the cannula is at least as thick as the access gauge.
        """
        return needle.outer_mm >= NEEDLES[self.access].outer_mm


BALLOONS = {
    name: Balloon(
        name=name,
        access=f"{ACCESS_GAUGE[name[-1]]:g}G",
        length_mm=LENGTH_MM[name],
        max_ml=MAX_ML[name],
        max_mpa=MAX_PSI[name] * MPA_PER_PSI,
    )
    for name in LENGTH_MM
}


def choose_balloon(choice: str | Balloon) -> Balloon:
    """A balloon by its name in the catalogue, or one of your own as it is.

    Raises
    ------
    OptionError : no such name.
    """
    if isinstance(choice, Balloon):
        return choice
    if choice not in BALLOONS:
        raise OptionError(f"balloon {choice}", "no such balloon in the catalogue", f"choose {', '.join(BALLOONS)}")
    return BALLOONS[choice]


DEFAULT = ("Xpander 15/3", "Express 15/2")
"""What is taken where none is named: the first, or where its cannula is too thick the next."""
SHORTER = ("Xpander 10/3", "Express 10/2")
"""What is tried where the usual length does not come to lie in a useful place."""

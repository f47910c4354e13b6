"""Balloon tamps, straight and curved, stents on balloons, and jacks: length, access, largest volume and pressure."""

from __future__ import annotations

import math
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
_STENT = (
    "Vertebral body stent on a balloon, three sizes; the maker's guide was readable to its contents only: lengths, "
    "volumes and 30 atm from memory"
)
STENT_LENGTH_MM = cited_table(
    "stent.length", "mm", _STENT, "weak", {"VBS small": 13.0, "VBS medium": 15.0, "VBS large": 20.0}, cite="rotter_2010"
)
STENT_MAX_ML = cited_table(
    "stent.volume", "mL", _STENT, "weak", {"VBS small": 4.0, "VBS medium": 4.5, "VBS large": 5.0}, cite="rotter_2010"
)
STENT_MAX_MPA = cited(3.04, "MPa", f"{_STENT}: 30 atm", "weak", cite="rotter_2010")
JACK_WIDTH_MM = cited_table(
    "jack.width",
    "mm",
    "Medscape answer 1145447-196588 of 2019: implants of 4.2, 5.0 and 5.8 mm that open craniocaudally",
    "secondary",
    {"SpineJack 4.2": 4.2, "SpineJack 5.0": 5.0, "SpineJack 5.8": 5.8},
    cite="medscape_spinejack",
)
JACK_HEIGHT_MM = cited_table(
    "jack.height",
    "mm",
    "height when open; from memory, no maker's table was readable",
    "weak",
    {"SpineJack 4.2": 12.5, "SpineJack 5.0": 15.5, "SpineJack 5.8": 17.0},
    cite="sakos_2019",
)
JACK_LENGTH_MM = cited(
    25.0, "mm", "length of the plates; from memory, no maker's table was readable", "weak", cite="sakos_2019"
)
JACK_N = cited(
    500.0,
    "N",
    "Medscape answer 1145447-196588 of 2019: up to 1000 N of expansion force; taken for a pair",
    "weak",
    cite="medscape_spinejack",
)
_CURVED = "Page of a hospital on an articulating balloon behind a steerable osteotome, through one pedicle"
CURVED_LENGTH_MM = cited_table(
    "curved.length",
    "mm",
    f"{_CURVED}: up to 30 mm, straight ones up to 20; lengths are not listed, two of the straight are taken",
    "weak",
    {"Curved 15": 15.0, "Curved 20": 20.0},
    cite="sircro_2022",
)
CURVED_MAX_ML = cited_table(
    "curved.volume",
    "mL",
    f"{_CURVED}: no volume; that of a straight balloon of this length is taken",
    "weak",
    {"Curved 15": MAX_ML["Xpander 15/3"], "Curved 20": MAX_ML["Xpander 20/3"]},
    cite="sircro_2022",
)
CURVED_MAX_PSI = cited(700.0, "psi", f"{_CURVED}: 700 psi", "weak", cite="sircro_2022")
CURVED_ACCESS_GAUGE = cited(11.0, "1", f"{_CURVED}: an 11 G introducer", "weak", cite="sircro_2022")
CURVED_BEND_DEG = cited(
    75.0,
    "deg",
    "Own choice: in an L2 of 30 mm depth it turns a needle of usual medial angle across the midline; no maker's "
    "drawing was readable",
    "design",
)
MOST_BEND_DEG = cited(
    120.0, "deg", "Own choice: beyond it the front end of a balloon from behind points backwards", "design"
)
OVERLENGTH = cited(
    1.45,
    "1",
    "Own trial: a 15 mm balloon of 4 mL modelled as an ellipsoid 22 mm long; no maker's drawing was read",
    "design",
)
STENT_ACCESS = "8G"
"""The thickest of the catalogue; the sleeve of a stent is thicker by about a millimetre."""


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
    stays : bool
        Whether it stays expanded: a jack, or a stent on a balloon that is emptied.
    plate_mm : tuple[float, float] or None
        Width and height when expanded, mm, of a jack that opens along the axis of the body; None for what is round.
    bend_deg : float
        Angle by which a curved balloon turns from the needle's axis over its nominal length, degrees; 0 for a straight
        one. It goes in through one pedicle and bends towards the midline.

    Raises
    ------
    OptionError : a bend that no balloon can have.
    """

    name: str
    access: str
    length_mm: float
    max_ml: float
    max_mpa: float
    stays: bool = False
    plate_mm: tuple[float, float] | None = None
    bend_deg: float = 0.0

    def __post_init__(self) -> None:
        if not self.bend_deg:
            return
        told = f"balloon {self.name} bent by {self.bend_deg:g} degrees"
        if not 0 < self.bend_deg <= MOST_BEND_DEG:
            raise OptionError(
                told, f"a bend lies between 0 and {float(MOST_BEND_DEG):g} degrees", "say 0 for a straight one"
            )
        if self.plate_mm is not None:
            raise OptionError(told, "a jack opens between straight plates", "leave its bend out")
        wide_mm = full_half_mm(self.length_mm, self.max_ml)[1]
        if wide_mm >= self.bend_radius_mm:
            raise OptionError(
                told,
                f"its arc of {self.bend_radius_mm:.1f} mm radius is no wider than the full balloon, {wide_mm:.1f} mm",
                "bend it less, or give it less volume",
            )

    @property
    def bend_radius_mm(self) -> float:
        """Radius of the arc on which it lies, mm; infinite for a straight one."""
        return float(self.length_mm) / math.radians(self.bend_deg) if self.bend_deg else math.inf

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


def full_half_mm(length_mm: float, volume_ml: float) -> tuple[float, float]:
    """Half length and radius, mm, of a round balloon of a nominal length, mm, when it holds a volume, mL."""
    half_mm = OVERLENGTH * (float(length_mm) / 2)
    return half_mm, math.sqrt(1000 * float(volume_ml) / (4 / 3 * math.pi * half_mm))


def _curved(name: str) -> Balloon:
    return Balloon(
        name=name,
        access=f"{CURVED_ACCESS_GAUGE:g}G",
        length_mm=CURVED_LENGTH_MM[name],
        max_ml=CURVED_MAX_ML[name],
        max_mpa=CURVED_MAX_PSI * MPA_PER_PSI,
        bend_deg=float(CURVED_BEND_DEG),
    )


def _jack(name: str) -> Balloon:
    """A jack as a flat ellipsoid that opens between its plates; its force over their area is its largest pressure."""
    length, width, height = float(JACK_LENGTH_MM), float(JACK_WIDTH_MM[name]), float(JACK_HEIGHT_MM[name])
    return Balloon(
        name=name,
        access=STENT_ACCESS,
        length_mm=length,
        max_ml=2 / 3 * (math.pi / 4) * length * width * height / 1000,
        max_mpa=float(JACK_N) / (math.pi / 4 * length * width),
        stays=True,
        plate_mm=(width, height),
    )


def _stent(name: str) -> Balloon:
    return Balloon(
        name=name,
        access=STENT_ACCESS,
        length_mm=STENT_LENGTH_MM[name],
        max_ml=STENT_MAX_ML[name],
        max_mpa=STENT_MAX_MPA,
        stays=True,
    )


BALLOONS = (
    {
        name: Balloon(
            name=name,
            access=f"{ACCESS_GAUGE[name[-1]]:g}G",
            length_mm=LENGTH_MM[name],
            max_ml=MAX_ML[name],
            max_mpa=MAX_PSI[name] * MPA_PER_PSI,
        )
        for name in LENGTH_MM
    }
    | {name: _stent(name) for name in STENT_LENGTH_MM}
    | {name: _jack(name) for name in JACK_WIDTH_MM}
    | {name: _curved(name) for name in CURVED_LENGTH_MM}
)


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

"""Needles: gauge, diameters, lengths."""

from __future__ import annotations

from dataclasses import dataclass, replace

from endplate.cited import cited_table
from endplate.errors import OptionError

_SOURCE = "Nominal regular-wall needle table, quoted at second hand"
OUTER_MM = cited_table(
    "needle.outer",
    "mm",
    _SOURCE,
    "secondary",
    {"8G": 4.19, "10G": 3.40, "11G": 3.05, "13G": 2.41, "15G": 1.83},
    cite="needle_gauge_table",
)
INNER_MM = cited_table(
    "needle.inner",
    "mm",
    _SOURCE,
    "secondary",
    {"8G": 3.43, "10G": 2.69, "11G": 2.39, "13G": 1.80, "15G": 1.37},
    cite="needle_gauge_table",
)
LENGTHS_MM = cited_table(
    "needle.length",
    "mm",
    "own choice among the usual working lengths of bone access needles, 100 to 150 mm; no maker's table was read",
    "design",
    {"short": 100.0, "usual": 120.0, "long": 150.0},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A straight access needle or cannula.

    Parameters
    ----------
    name : str
        Gauge, such as "11G", or a name of your own.
    outer_mm : float
        Outer diameter, mm.
    inner_mm : float
        Inner diameter, mm.
    length_mm : float
        Working length, mm.
    """

    name: str
    outer_mm: float
    inner_mm: float
    length_mm: float


NEEDLES = {
    gauge: Needle(name=gauge, outer_mm=OUTER_MM[gauge], inner_mm=INNER_MM[gauge], length_mm=LENGTHS_MM["usual"])
    for gauge in OUTER_MM
}


def choose_needle(choice: str | Needle) -> Needle:
    """A needle by its gauge in the catalogue, or one of your own as it is.

    Raises
    ------
    OptionError : no such gauge.
    """
    if isinstance(choice, Needle):
        return choice
    if choice not in NEEDLES:
        raise OptionError(f"needle {choice}", "no such gauge in the catalogue", f"choose {', '.join(NEEDLES)}")
    return NEEDLES[choice]


def reaching(needle: Needle, path_mm: float) -> Needle:
    """The needle in the shortest length that reaches along a path from the skin; the longest where none does."""
    lengths = sorted(LENGTHS_MM.values())
    return replace(needle, length_mm=next((length for length in lengths if length >= path_mm), lengths[-1]))

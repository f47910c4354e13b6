"""Balloon tamps: nominal length, largest volume and pressure."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.cited import Cited, cited, cited_table

MPA_PER_PSI = cited(6.894757e-3, "MPa/psi", "Definition of the pound per square inch (exact to 7 digits)", "verified")

LENGTH_MM = cited_table(
    "balloon.length",
    "mm",
    "Medtronic Kyphon leaflets: the first number of the size is the length",
    "verified",
    {"Xpander 10/3": 10.0, "Xpander 15/3": 15.0, "Xpander 20/3": 20.0, "Express 10/2": 10.0, "Express 15/2": 15.0},
)
MOST_ML = cited_table(
    "balloon.volume",
    "mL",
    "4 mL for the 10 and 15 mm balloons, 6 mL for 20 mm; the instructions for use were not readable",
    "weak",
    {"Xpander 10/3": 4.0, "Xpander 15/3": 4.0, "Xpander 20/3": 6.0, "Express 10/2": 4.0, "Express 15/2": 4.0},
)
MOST_PSI = cited_table(
    "balloon.pressure",
    "psi",
    "400 psi for Xpander and Express (Xpander II 700); the instructions for use were not readable",
    "weak",
    {
        "Xpander 10/3": 400.0,
        "Xpander 15/3": 400.0,
        "Xpander 20/3": 400.0,
        "Express 10/2": 400.0,
        "Express 15/2": 400.0,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balloon:
    """An inflatable bone tamp."""

    name: str
    length_mm: Cited
    most_ml: Cited
    most_mpa: float


BALLOONS = {
    name: Balloon(name=name, length_mm=LENGTH_MM[name], most_ml=MOST_ML[name], most_mpa=MOST_PSI[name] * MPA_PER_PSI)
    for name in LENGTH_MM
}

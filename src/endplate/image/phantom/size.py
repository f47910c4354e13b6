"""Sizes of the digital spine by level: heights, endplates, pedicles, discs and how neighbours lean."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from endplate.cited import cited, cited_table
from endplate.level import Level

_NORMALS = "Black, Panjabi and Zindrick family of normal values, +-1.5 mm; T11 interpolated"
_FAMILY = ("black_1991", "panjabi_1991", "panjabi_1992", "zindrick_1987")
_OWN = "digital spine: chosen so that bones, discs and canal fit together and look like a lumbar CT"

MALE_SIZE = cited(
    1.075, "1", "men 6-9 % larger than women, middle of the range", "weak", cite=("black_1991", "palm_2025")
)
CONCAVITY_REFERENCE_WIDTH_MM = cited(
    41.0, "mm", "endplate width of L1, to which the concavities refer", "weak", cite=("black_1991", "panjabi_1992")
)

_LEVELS = ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")


def _by_level(name: str, unit: str, source: str, trust: Literal["weak", "design"], *row: float) -> dict[str, float]:
    cite = _FAMILY if trust == "weak" else ()
    values = dict(zip(_LEVELS, row, strict=True))
    return {
        level: float(number)
        for level, number in cited_table(f"phantom.{name}", unit, source, trust, values, cite=cite).items()
    }


_TABLES = {
    "posterior_mm": _by_level("posterior", "mm", _NORMALS, "weak", 22, 23.5, 25, 26.5, 27.5, 27.5, 26.5, 24),
    "front_to_back": _by_level("ha_hp", "1", _NORMALS, "weak", 0.95, 0.94, 0.93, 0.95, 0.97, 1.0, 1.03, 1.15),
    "width_mm": _by_level("width", "mm", _NORMALS, "weak", 33, 36, 39, 41, 43, 45, 47, 48),
    "depth_mm": _by_level("depth", "mm", _NORMALS, "weak", 29, 30, 31, 33, 34, 35, 35, 35),
    "pedicle_width_mm": _by_level("pedicle_width", "mm", _NORMALS, "weak", 6, 7, 7.5, 7.7, 8.5, 9.7, 12.5, 16),
    "pedicle_height_mm": _by_level("pedicle_height", "mm", _NORMALS, "weak", 14, 15, 15, 15, 15, 14.5, 14.5, 14),
    "pedicle_deg": _by_level("pedicle_angle", "deg", _NORMALS, "weak", 5, 2, 0, 9, 11, 14, 18, 26),
    "canal_mm": _by_level("canal", "mm", _OWN, "design", 17, 18, 20, 22, 22.5, 23, 24, 26),
    "disc_mm": _by_level("disc", "mm", _OWN, "design", 4.5, 5, 6, 7, 8, 9, 9.5, 9.5),
    "disc_deg": _by_level("disc_wedge", "deg", _OWN, "design", 1, 0, -1, -4, -6, -8, -10.5, -14),
    "transverse_mm": _by_level("transverse", "mm", _OWN, "design", 14, 11, 9, 16, 19, 22, 20, 18),
    "spinous_drop_deg": _by_level("spinous", "deg", _OWN, "design", 35, 28, 18, 10, 8, 8, 8, 10),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSize:
    """Sizes of one level, mm and degrees; `disc_mm`, `disc_deg` (kyphosis positive) of the disc below it."""

    posterior_mm: float
    front_to_back: float
    width_mm: float
    depth_mm: float
    pedicle_width_mm: float
    pedicle_height_mm: float
    pedicle_deg: float
    canal_mm: float
    disc_mm: float
    disc_deg: float
    transverse_mm: float
    spinous_drop_deg: float


def level_size(level: Level, sex: Literal["female", "male"], size: float) -> LevelSize:
    """Sizes of a level of the digital spine; lengths times `size`, and larger for men."""
    scale = size * (MALE_SIZE if sex == "male" else 1)
    row = {}
    for entry in fields(LevelSize):
        number = _TABLES[entry.name][level.value]
        row[entry.name] = number * scale if entry.name.endswith("_mm") else number
    return LevelSize(**row)

"""Normal shape by level: how heights grow from one level to the next. Used as ratios, never as absolute limits."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np

from endplate.cited import cited, cited_table
from endplate.level import Level

Sex = Literal["female", "male"]
Triple = tuple[float, float, float]

_FAMILY = "Black, Panjabi, Zindrick family of normal values, +-1.5 mm; for ratios only"
POSTERIOR_MM = cited_table(
    "normal_posterior",
    "mm",
    _FAMILY,
    "weak",
    {"T4": 18, "T6": 19.5, "T8": 20.5, "T10": 22, "T12": 25, "L1": 26.5, "L2": 27.5, "L3": 27.5, "L4": 26.5, "L5": 24},
    cite=("black_1991", "panjabi_1991", "panjabi_1992"),
)
FRONT_TO_BACK = cited_table(
    "normal_front_to_back",
    "1",
    _FAMILY,
    "weak",
    {
        "T4": 0.96,
        "T6": 0.95,
        "T8": 0.95,
        "T10": 0.95,
        "T12": 0.93,
        "L1": 0.95,
        "L2": 0.97,
        "L3": 1,
        "L4": 1.03,
        "L5": 1.15,
    },
    cite=("black_1991", "panjabi_1991", "panjabi_1992"),
)
DEPTH_MM = cited_table(
    "normal_depth",
    "mm",
    _FAMILY,
    "weak",
    {"T4": 20, "T6": 24, "T8": 27, "T10": 29, "T12": 31, "L1": 33, "L2": 34, "L3": 35, "L4": 35, "L5": 35},
    cite=("black_1991", "panjabi_1991", "panjabi_1992"),
)
_PALM = "Palm et al., Sci Rep 2025 (262 adults, 3117 vertebrae): height gain a level from T9 to L1"
GROWTH_T9_L1 = cited_table("growth_T9_L1", "1", _PALM, "verified", {"female": 0.0663, "male": 0.0648}, cite="palm_2025")
MALE_FRONT_TO_BACK = cited(0.982, "1", "Ha/Hp of men 1.8 % smaller (abstract)", "verified", cite="cheng_1998")
MIDDLE_TO_MEAN = cited(
    0.93,
    "1",
    "Own choice: Hm over the mean of Ha and Hp, for a body with no intact neighbour to compare with",
    "design",
)
GRADED_RANGE = (Level.T4, Level.L5)


TRANSITIONAL_PLACE = cited_table(
    "transitional_place",
    "level",
    "Own choice: T13 is sized between T12 and L1, L6 as L5; the trend of its neighbours tells the rest",
    "design",
    {"T13": 0.5, "L6": 0.0},
)
"""Levels beyond the usual one above (T12, L5)."""


def has_normal(level: Level) -> bool:
    """Whether published level ratios exist: T4 to L5, without the transitional T13 and L6."""
    return level.usual and GRADED_RANGE[0].order <= level.order <= GRADED_RANGE[1].order


def has_trend(level: Level) -> bool:
    """Whether a height can be expected from neighbours: levels with ratios, and T13 and L6 by their trend."""
    return has_normal(level) or level.value in TRANSITIONAL_PLACE


def place_of(level: Level) -> float:
    """Place in the spine counted in usual levels; T13 lies half-way between T12 and L1, L6 one below L5."""
    if level.usual:
        return float(_usual().index(level))
    return {"T13": _usual().index(Level.T12) + 0.5, "L6": _usual().index(Level.L5) + 1.0}[level.value]


@cache
def normal_heights(level: Level, sex: Sex | None = None) -> Triple:
    """Relative (anterior, middle, posterior) heights of a normal body; only ratios between levels have a meaning.

    Parameters
    ----------
    level : T4 to L5, or a transitional one.
    sex : None takes the mean growth of both and the women's front-to-back ratio.

    Raises
    ------
    ValueError : a level without normal values.
    """
    if not has_trend(level):
        raise ValueError(f"no normal values for {level}")
    posterior = _posterior(level, sex)
    anterior = posterior * front_to_back(level, sex)
    return anterior, MIDDLE_TO_MEAN * (anterior + posterior) / 2, posterior


def front_to_back(level: Level, sex: Sex | None = None) -> float:
    """Normal anterior over posterior height of a level."""
    ratio = _at_level(level, "front_to_back")
    return ratio * MALE_FRONT_TO_BACK if sex == "male" else ratio


def normal_depth(level: Level) -> float:
    """Relative front-to-back depth of a normal body; only ratios between levels have a meaning."""
    return _at_level(level, "depth")


def _posterior(level: Level, sex: Sex | None) -> float:
    """Posterior height with the verified growth between T9 and L1 and the table's ratios above and below."""
    growth = float(np.mean(list(GROWTH_T9_L1.values()))) if sex is None else GROWTH_T9_L1[sex]
    below_t9 = min(max(_steps(level) - _steps(Level.T9), 0), _steps(Level.L1) - _steps(Level.T9))
    table = _at_level(level, "posterior")
    if level.order <= Level.T9.order:
        return table / _at_level(Level.T9, "posterior")
    lower = table / _at_level(Level.L1, "posterior") if level.order > Level.L1.order else 1
    return float((1 + growth) ** below_t9 * lower)


def _steps(level: Level) -> float:
    """Place in the tables: that of a usual level, or of a transitional one between or at its neighbours."""
    if level.usual:
        return float(_usual().index(level))
    above = Level.T12 if level is Level.T13 else Level.L5
    return _usual().index(above) + float(TRANSITIONAL_PLACE[level.value])


@cache
def _usual() -> tuple[Level, ...]:
    return tuple(level for level in Level if level.usual)


def _at_level(level: Level, table: Literal["posterior", "front_to_back", "depth"]) -> float:
    """A table's value at a level, linear between the levels that it lists."""
    values = {"posterior": POSTERIOR_MM, "front_to_back": FRONT_TO_BACK, "depth": DEPTH_MM}[table]
    places = [_steps(Level(name)) for name in values]
    return float(np.interp(_steps(level), places, [float(value) for value in values.values()]))

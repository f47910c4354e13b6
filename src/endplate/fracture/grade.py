"""Genant grade, shape, and the two separate answers: is the body deformed, and did bone break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from endplate.cited import cited, cited_table
from endplate.fracture.normals import Triple
from endplate.fracture.own_shape import beyond_variants
from endplate.fracture.result import Answer, Shape
from endplate.fracture.signs import Sign
from endplate.level import Level

_GENANT = "Genant 1993 as restated by Wang, QIMS 2019: mild 20-25 %, moderate 25-40 %, severe > 40 %"
MILD_FROM = cited(0.20, "1", _GENANT, "secondary", cite=("genant_1993", "genant_wang_2019"))
MODERATE_FROM = cited(0.25, "1", _GENANT, "secondary", cite=("genant_1993", "genant_wang_2019"))
SEVERE_ABOVE = cited(0.40, "1", _GENANT, "secondary", cite=("genant_1993", "genant_wang_2019"))
RATIO_BELOW = cited(
    0.80,
    "1",
    "Shapes after Genant 1993: crush, biconcave, wedge below 0.80, first match",
    "knowledge",
    cite="genant_1993",
)
ALSO_REDUCED_BELOW = cited(
    0.90, "1", "Own choice for 'Ha and Hm also reduced' in a crush: beyond two SD of a height ratio", "design"
)

_ASYMPTOMATIC = "Surg Radiol Anat 2011;33:223 (MRI, 115 asymptomatic adults): mean Ha/Hp less 2 SD"
MIN_PHYSIOLOGICAL = cited_table(
    "least_physiological_front_to_back",
    "1",
    _ASYMPTOMATIC,
    "verified",
    {"T10": 0.76, "T11": 0.76, "T12": 0.78, "L1": 0.77, "L2": 0.76},
    cite="matsumoto_2011",
)
EVEN_WITHIN = cited(
    0.08, "1", "Own choice: three losses within two SD (0.04) of each other are an evenly short body", "design"
)
SCHEUERMANN_DEG = cited(
    5, "deg", "Sorensen 1964: three adjacent vertebrae wedged by 5 degrees or more", "knowledge", cite="sorensen_1964"
)
SCHEUERMANN_RUN = cited(
    3, "1", "Sorensen 1964: three adjacent vertebrae wedged by 5 degrees or more", "knowledge", cite="sorensen_1964"
)

Kind = Literal["anterior", "middle", "posterior"]
Mimic = Literal["short vertebra", "Scheuermann-like wedging"]
KINDS: tuple[Kind, Kind, Kind] = ("anterior", "middle", "posterior")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Deformity, fracture and shape of one level, with the reason in words."""

    deformity: Answer
    fracture: Answer
    shape: Shape
    reason: str


def genant_grade(loss: float) -> int:
    """Grade 0-3 of a height loss (fraction): 1 from 0.20, 2 from 0.25 up to and with 0.40, 3 above."""
    if loss > SEVERE_ABOVE:
        return 3
    if loss >= MODERATE_FROM:
        return 2
    return 1 if loss >= MILD_FROM else 0


def worst_of(losses: Triple) -> Kind:
    """Which of the anterior, middle and posterior losses is the greatest; the foremost where two are equal."""
    return KINDS[losses.index(max(losses))]


def shape_of(heights_mm: Triple, losses: Triple, slack: float = 0.0) -> Shape:
    """Shape by the first test that matches: crush, biconcave, wedge; else `none`.

    `slack` : how far below its limit a ratio must lie to be told, where coarse labels leave it open.
    """
    front, middle, back = heights_mm
    lost_front, lost_middle, lost_back = losses
    limit = RATIO_BELOW - slack
    also = max(1 - lost_front, 1 - lost_middle)
    if 1 - lost_back < limit and also < ALSO_REDUCED_BELOW - slack:
        return "crush"
    if middle / back < limit and middle < front:
        return "biconcave"
    return "wedge" if front / back < limit else "none"


def physiological_wedge(level: Level, heights_mm: Triple) -> bool:
    """Whether Ha/Hp is below 0.80 yet within what asymptomatic adults show at T10 to L2."""
    ratio = heights_mm[0] / heights_mm[2]
    least = MIN_PHYSIOLOGICAL.get(level.value)
    return least is not None and least <= ratio < RATIO_BELOW


def short_vertebra(losses: Triple) -> bool:
    """Whether all three heights are reduced by about the same share."""
    return min(losses) > 0 and max(losses) - min(losses) <= EVEN_WITHIN


def scheuermann_like(wedges_deg: Sequence[float | None]) -> tuple[bool, ...]:
    """For levels in order, whether each lies in a run of three or more wedged by at least 5 degrees."""
    wedged = [angle is not None and angle >= SCHEUERMANN_DEG for angle in wedges_deg]
    flags, start = [False] * len(wedged), 0
    for end in range(len(wedged) + 1):
        if end < len(wedged) and wedged[end]:
            continue
        if end - start >= SCHEUERMANN_RUN:
            flags[start:end] = [True] * (end - start)
        start = end + 1
    return tuple(flags)


def read_shape(
    level: Level,
    heights_mm: Triple,
    losses: Triple,
    signs: Sequence[Sign],
    *,
    scheuermann: bool,
    alone_short: bool = False,
    slack: float = 0.0,
) -> Reading:
    """Deformity and fracture of a level, kept apart.

    Parameters
    ----------
    level, heights_mm : the body. losses : of the three heights against the expected, fractions.
    signs : what was found on endplates and cortex. scheuermann : the level lies in a run of wedged ones.
    alone_short : levels on both sides are normal, and no other body of this patient is short.
    slack : what coarse labels leave open of a ratio of heights.

    Notes
    -----
    Genant 1993, Jiang 2004. A deformity is a fracture only with an endplate or cortex sign, or where the loss against
    neighbours is too great for a variant. Physiological wedging, an evenly short body and Scheuermann-like wedging
    need an endplate sign; an evenly short body without one is left open, unless it alone is short between normal
    neighbours. No variant loses more than 40 % or has a front-to-back ratio over 3 SD below the level's mean.
    """
    grade = genant_grade(max(losses))
    shape = shape_of(heights_mm, losses, slack)
    if grade == 0 and physiological_wedge(level, heights_mm):
        return Reading(deformity="no", fracture="no", shape="none", reason="wedging within the physiological range")
    if grade == 0 and shape == "none":
        return Reading(deformity="no", fracture="no", shape="none", reason="height loss below 20 %")
    if grade == 0 and not signs and (shape == "biconcave" or not beyond_variants(level, heights_mm)):
        reason = f"height loss below 20 % and no sign; a {shape} ratio below 0.80 alone is a variant"
        return Reading(deformity="no", fracture="no", shape="none", reason=reason)
    shape = shape if shape != "none" else _by_worst(losses)
    excusable = max(losses) <= SEVERE_ABOVE and not beyond_variants(level, heights_mm)
    mimic = _mimic(losses, shape, scheuermann=scheuermann) if excusable else None
    if mimic == "short vertebra" and grade > 0 and alone_short:
        reason = "evenly compressed: neighbours on both sides are normal and no other body of this patient is short"
        return Reading(deformity="yes", fracture="yes", shape="crush", reason=reason)
    fracture, reason = _broken(grade, signs, mimic)
    return Reading(deformity="yes", fracture=fracture, shape=shape, reason=reason)


def _by_worst(losses: Triple) -> Shape:
    """Shape of a graded body that matches no ratio test: named after the height that lost most."""
    names: dict[Kind, Shape] = {"anterior": "wedge", "middle": "biconcave", "posterior": "crush"}
    return names[worst_of(losses)]


def _mimic(losses: Triple, shape: Shape, *, scheuermann: bool) -> Mimic | None:
    if short_vertebra(losses):
        return "short vertebra"
    return "Scheuermann-like wedging" if scheuermann and shape == "wedge" else None


def _broken(grade: int, signs: Sequence[Sign], mimic: Mimic | None) -> tuple[Answer, str]:
    """Whether bone broke, and why this is said."""
    if any(sign.where == "endplate" for sign in signs):
        return "yes", "deformity with an endplate sign"
    if mimic == "short vertebra" and grade > 0:
        return "indeterminate", "short without an endplate sign: variant or crush"
    if mimic is not None:
        severe = grade > 1
        said = "too great to rule a fracture out" if severe else "taken for a variant"
        return "indeterminate" if severe else "no", f"{mimic} without an endplate sign, {said}"
    if signs:
        return "yes", "deformity with a cortex sign"
    if grade > 1:
        return "yes", "height loss against neighbours beyond what variants show"
    return "indeterminate", "deformity without a sign on endplate or cortex"

"""How sure a grade is: what coarse labels leave open, when they cannot carry an answer, and what a reader is asked."""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, inf, sqrt

import numpy as np

from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.finding import BAND_SD, Caution
from endplate.fracture.expected import SUSPICIOUS
from endplate.fracture.grade import MILD_FROM, MODERATE_FROM, SEVERE_ABOVE
from endplate.fracture.height.coarse import EVEN_SD
from endplate.fracture.height.morphometry import drawn_in
from endplate.fracture.result import Fracture, Heights, Measured

QUESTION = "question_to_reader"
MAX_SD = cited(
    0.065,
    "1",
    "Own choice: a loss known to +-13 points cannot tell an intact level from grade 1 or 2 (20 and 25 %)",
    "design",
)
COARSE_SHARE = cited(
    0.03,
    "1",
    "Own choice: less of a height than a ratio's own SD; then few references, not the slices, are the cause",
    "design",
)
EVEN_LOSS_SD = cited(0.035, "1", "own study: usual SD of a height loss on digital spines of 1 mm", "design")
FINE_SD_MM = cited(
    0.45,
    "mm",
    "own study: repeatability of heights of fine labels: at most 0.4 mm on digital spines to 1.5 mm",
    "design",
)
FINE_RATIO = cited(0.045, "1", "own study: 1.96 SD of a ratio of two heights of 27 mm, each known to 0.45 mm", "design")
SETTLES = "an earlier image of the level, oedema on MRI (STIR) or uptake, or a reader's look at its endplates and walls"
THINNER = "thinner slices or finer labels, an earlier image, oedema on MRI (STIR) or uptake, or a reader's look"


def coarse_sd_mm(heights: Heights) -> float:
    """Repeatability of a level's heights beyond that of fine labels, mm."""
    known = [m.sd for m in (heights.anterior, heights.middle, heights.posterior) if m.sd is not None]
    return float(np.sqrt(max(float(np.mean(known)) ** 2 - float(FINE_SD_MM) ** 2, 0.0))) if known else 0.0


def _mean_mm(heights: Heights) -> float:
    known = [m.value for m in (heights.anterior, heights.middle, heights.posterior) if m.value is not None]
    return float(np.mean(known)) if known else 0.0


def ratio_slack(heights: Heights) -> float:
    """How far a ratio of heights must lie beyond its limit to be told, for labels coarser than fine ones; else 0."""
    front, back = heights.anterior, heights.posterior
    if front.sd is None or back.sd is None or not back.value:
        return 0.0
    return max(float(BAND_SD) * float(np.hypot(front.sd, back.sd)) / back.value - float(FINE_RATIO), 0.0)


def depth_slack(vertebra: Vertebra, depth_mm: float) -> float:
    """What the label's voxels leave open of a body's depth, as a share of it, beyond that of voxels of 1 mm."""
    along = np.abs(vertebra.axes[1] @ vertebra.grid.affine[:3, :3]) / vertebra.grid.spacing_mm
    edge = float(vertebra.edges_mm[int(along.argmax())])
    return float(BAND_SD) * float(EVEN_SD) * sqrt(2) * max(edge - 1.0, 0.0) / depth_mm


def too_coarse(loss: Measured, heights: Heights, vertebra: Vertebra) -> str:
    """Why a loss cannot carry a grade, or nothing: its band is too wide and holds 20 %.

    A band that ends below 20 %, with what another reader would draw, is grade 0 however wide it is.
    """
    if loss.value is None or loss.sd is None or heights.edge_mm is None or loss.sd <= MAX_SD:
        return ""
    low, high = loss.value - float(BAND_SD) * loss.sd, loss.value + float(BAND_SD) * (loss.shown_sd or loss.sd)
    if low >= MILD_FROM or high < MILD_FROM or coarse_sd_mm(heights) < float(COARSE_SHARE) * _mean_mm(heights):
        return ""
    return (
        f"{drawn_in(heights.edge_mm, vertebra)} cannot carry a grade: the height loss lies anywhere from "
        f"{max(low, 0):.0%} to {max(high, 0):.0%}"
    )


def surely_short(loss: Measured) -> bool:
    """Whether a loss is beyond what measuring again and a doubtful reference explain."""
    sd = max(loss.sd or 0.0, float(EVEN_LOSS_SD))
    return (loss.value or 0.0) - float(BAND_SD) * sd >= SUSPICIOUS


def chance_of_grade(loss: Measured, grade: int) -> float:
    """Chance 0..1 that the true loss lies within a grade, by the normal distribution of the loss's shown band."""
    limits = (-inf, float(MILD_FROM), float(MODERATE_FROM), float(SEVERE_ABOVE), inf)
    value, sd = loss.value or 0.0, loss.shown_sd
    if not sd:
        return 1.0
    below = [0.5 * (1 + erf((limit - value) / sd / sqrt(2))) for limit in limits[grade : grade + 2]]
    return below[1] - below[0]


def questions(fractures: Sequence[Fracture]) -> tuple[Caution, ...]:
    """What a reader is asked of levels whose fracture is open, with what would settle it; nothing follows from them."""
    asked = []
    for fracture in fractures:
        if fracture.fracture == "indeterminate" and fracture.genant_grade is not None:
            text = _question(str(fracture.level), "is it fractured", fracture.reason, SETTLES)
            asked.append(Caution(code=QUESTION, level=fracture.level, text=text))
    coarse = [f.level for f in fractures if f.genant_grade is None and f.height_loss.value is not None]
    if coarse:
        names, why = ", ".join(map(str, coarse)), "the image cannot carry a grade; the gaps give each loss"
        asked.append(Caution(code=QUESTION, text=_question(names, "which are fractured", why, THINNER)))
    return tuple(asked)


def _question(names: str, what: str, why: str, settles: str) -> str:
    return (
        f"question to a reader, {names}: {what}? It cannot be told here ({why}). What would settle it: {settles}; "
        "write the answer at the level in the record (fracture yes or no). Until then nothing is planned on it"
    )

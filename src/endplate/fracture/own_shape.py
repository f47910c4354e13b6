"""What a body tells without any neighbour: its own shape against the level's norm, its height against its size."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from endplate.cited import cited, cited_table
from endplate.fracture.normals import POSTERIOR_MM, Sex, Triple, front_to_back, has_normal, normal_depth, normal_heights
from endplate.level import Level

_ASYMPTOMATIC = "Surg Radiol Anat 2011;33:223 (MRI, 115 asymptomatic adults): Ha/Hp"
MEAN_FRONT_TO_BACK = cited_table(
    "asymptomatic_front_to_back",
    "1",
    f"{_ASYMPTOMATIC}, mean",
    "verified",
    {"T10": 0.92, "T11": 0.92, "T12": 0.90, "L1": 0.89, "L2": 0.90},
    cite="matsumoto_2011",
)
FRONT_TO_BACK_SD = cited_table(
    "asymptomatic_front_to_back_sd",
    "1",
    f"{_ASYMPTOMATIC}, SD",
    "verified",
    {"T10": 0.08, "T11": 0.08, "T12": 0.06, "L1": 0.06, "L2": 0.07},
    cite="matsumoto_2011",
)
OTHER_SD = cited(
    0.08, "1", f"{_ASYMPTOMATIC}: the widest SD, for levels without a published one", "verified", cite="matsumoto_2011"
)
MIN_MIDDLE = cited(
    0.80, "1", "Shapes after Genant 1993: biconcave where Hm/Hp is below 0.80", "knowledge", cite="genant_1993"
)
DOUBTFUL_SD = cited(2, "1", "Own choice: 1 of 40 intact bodies is beyond; it costs a reference, no finding", "design")
EXCUSED_SD = cited(
    3,
    "1",
    "Eastell 1991, McCloskey 1993: a ratio over 3 SD below the level mean is deformed",
    "knowledge",
    cite=("eastell_1991", "mccloskey_1993"),
)
SHORT_BELOW = cited(
    0.85,
    "1",
    "Own choice: posterior height over depth against the weak normals; 12 intact levels of VerSe'19 004, 014: 1.0-1.3",
    "design",
    cite="verse_2020",
)
LOW_BELOW = cited(
    0.80, "1", "Own choice: posterior height less 3 SD of the weak normals (1.5 mm), against no size of body", "design"
)
SIZE_SD = cited(
    0.11,
    "1",
    "posterior height over depth against the normals, SD at 12 intact levels of VerSe'19 004, 014",
    "recomputed",
    cite="verse_2020",
)
SHORT_SD = cited(0.25, "1", "Own choice: where the own posterior height looks lost, up to half may be", "design")
NOT_LARGE_BELOW = cited(0.95, "1", "Own choice: a small body is as high for its depth as any other", "design")


def min_front_to_back(level: Level, count_sd: float) -> float:
    """Ha/Hp so many SD below the mean of a level."""
    mean = MEAN_FRONT_TO_BACK.get(level.value)
    if mean is None:
        return front_to_back(level) - count_sd * OTHER_SD
    return float(mean) - count_sd * FRONT_TO_BACK_SD[level.value]


def misshapen(level: Level, heights_mm: Triple) -> bool:
    """Whether a body's own shape forbids taking it for intact: Ha/Hp beyond 2 SD, or Hm/Hp below 0.80."""
    front, middle, back = heights_mm
    return front / back < min_front_to_back(level, DOUBTFUL_SD) or middle / back < MIN_MIDDLE


def beyond_variants(level: Level, heights_mm: Triple) -> bool:
    """Whether no variant explains a body's own shape: Ha/Hp beyond 3 SD, or hollow with Hm/Hp below 0.80."""
    front, middle, back = heights_mm
    hollow = middle / back < MIN_MIDDLE and middle < front
    return hollow or (has_normal(level) and front / back < min_front_to_back(level, EXCUSED_SD))


def hidden_loss_sd(loss: float, *, short: bool) -> float:
    """SD of a loss read against the own posterior height, from what that height may itself have lost."""
    return (1 - loss) * float(SHORT_SD if short else SIZE_SD)


def short_levels(
    heights_mm: Mapping[Level, Triple], depths_mm: Mapping[Level, float], sex: Sex | None = None
) -> frozenset[Level]:
    """Levels whose posterior height is too low for the size of the body: no reference, and never surely intact.

    Parameters
    ----------
    heights_mm : (anterior, middle, posterior) by level. depths_mm : front to back by level, as far as known.
    sex : for the growth between levels.

    Notes
    -----
    Absolute normals are weak (+-1.5 mm) and the size of a person is not known, so heights are read over the median
    depth of all bodies, which a collapse does not lessen. Nothing is graded by this; it only withholds certainty.
    """
    known = {level: row[2] for level, row in heights_mm.items() if has_normal(level)}
    scales = [depth / normal_depth(level) for level, depth in depths_mm.items() if level in known]
    scale = median(scales) if scales else None
    return frozenset(level for level, back in known.items() if _short(back / _normal_posterior_mm(level, sex), scale))


def _short(share: float, scale: float | None) -> bool:
    """Whether a posterior height, as a share of the normal one, is short for a body of that relative depth."""
    if scale is None:
        return share < LOW_BELOW
    return share / scale < SHORT_BELOW or (share < LOW_BELOW and share / scale < NOT_LARGE_BELOW)


def _normal_posterior_mm(level: Level, sex: Sex | None) -> float:
    """Posterior height of a level in mm, from that of L1."""
    back = normal_heights(level, sex)[2] / normal_heights(Level.L1, sex)[2]
    return back * POSTERIOR_MM["L1"]

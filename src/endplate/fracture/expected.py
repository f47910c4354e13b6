"""What the heights of a body would be if it were intact: from intact neighbours and the level ratios."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from endplate.cited import cited
from endplate.fracture.normals import Sex, Triple, front_to_back, has_normal, has_trend, normal_heights, place_of
from endplate.fracture.own_shape import OTHER_SD, misshapen
from endplate.fracture.result import Basis
from endplate.level import Level

NEAREST = cited(
    2, "1", "own algorithm, docs/theory.md, morphometry step 7: nearest two intact above and below", "design"
)
FARTHEST = cited(4, "level", "Own choice: level ratios are not carried further than four levels", "design")
SUSPICIOUS = cited(
    0.15,
    "1",
    "Own choice: five points (two SD of a height ratio) below Genant grade 1; a doubtful level is no reference",
    "design",
)
RATIO_SD = cited(0.03, "1", "own target, docs/theory.md: SD of a height ratio", "design")
TREND_SD = cited(0.05, "1", "Own choice: transitional levels vary more in shape than any other", "design")
STEP_SD = cited(0.02, "1", "Own choice: how much a person's growth between two levels departs from the mean", "design")
TYPICAL = cited(
    75, "%", "Own choice: collapse only lessens a height, so the upper quarter of sizes tells the intact one", "design"
)

_BACK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Expected (anterior, middle, posterior) heights of a level, mm, with the SD of one height, and where from.

    Attributes
    ----------
    scaled_mm : what the level ratios alone predict; differs from `heights_mm` only where RDES230 was used.
    interpolated : intact levels lie on both sides.
    by : the intact levels that it stands on.
    basis : from the own posterior height alone no loss of that height can be told.
    """

    heights_mm: Triple
    sd_mm: float
    reference: str
    interpolated: bool
    scaled_mm: Triple
    basis: Basis = "neighbours"
    by: tuple[Level, ...] = ()

    @property
    def own(self) -> bool:
        """Whether no intact neighbour was there, only the own posterior height, whose loss then stays unknown."""
        return self.basis == "own posterior"

    def loss(self, heights_mm: Triple) -> Triple:
        """Fraction of each height that is lost against the expected; negative where it is higher."""
        return _losses(heights_mm, self.heights_mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A level with the heights measured on it, and whether it may serve as a reference.

    Attributes
    ----------
    usable : the whole body is in the field. short : too low for the body's size to be surely intact.
    sd_mm : repeatability of one height beyond that of a fine label, mm.
    """

    level: Level
    heights_mm: Triple
    usable: bool = True
    short: bool = False
    sd_mm: float = 0.0


def expected_heights(rows: Sequence[Row], sex: Sex | None = None) -> tuple[dict[Level, Expected], frozenset[Level]]:
    """Expected heights of every level, and the levels left out as deformed.

    A level whose own shape or height over depth is out of range never serves as a reference, so that deformed levels
    cannot define the normal, however many they are. A first, robust look compares the others with their typical size.
    Then the nearest intact levels are used, and the set of intact levels is worked out again until it no longer
    changes.

    Parameters
    ----------
    rows : measured levels from head to foot.
    sex : for the level ratios; None takes the mean.
    """
    usable = [row for row in rows if row.usable and has_normal(row.level)]
    alone = frozenset(row.level for row in usable if row.short or misshapen(row.level, row.heights_mm))
    deformed = alone | _first_look([row for row in usable if row.level not in alone], sex)
    seen: list[frozenset[Level]] = []
    while deformed not in seen:
        seen.append(deformed)
        expected = {row.level: _expected(row, rows, deformed, sex) for row in rows}
        deformed = alone | frozenset(
            row.level
            for row in usable
            if (there := expected[row.level]) is not None and _suspicious(_worst(row, there.scaled_mm))
        )
    if deformed != seen[-1]:
        deformed = frozenset().union(*seen[seen.index(deformed) :])
    final = {row.level: _expected(row, rows, deformed, sex) for row in rows}
    return {level: there for level, there in final.items() if there is not None}, deformed


def _first_look(rows: Sequence[Row], sex: Sex | None) -> frozenset[Level]:
    """Levels that stand out from the typical size of the spine, each height on its own."""
    if len(rows) <= 2:
        return frozenset()
    sizes = np.array([np.divide(row.heights_mm, normal_heights(row.level, sex)) for row in rows])
    worst = (1 - sizes / np.percentile(sizes, TYPICAL, axis=0)).max(axis=1)
    return frozenset(row.level for row, loss in zip(rows, worst, strict=True) if _suspicious(loss))


def _expected(row: Row, rows: Sequence[Row], deformed: Collection[Level], sex: Sex | None) -> Expected | None:
    if not has_trend(row.level):
        return None
    above, below = neighbours(row.level, rows, deformed)
    if not above and not below:
        return _from_own_posterior(row, sex) if has_normal(row.level) else None
    scaled, sd = _scaled(row.level, above + below, sex)
    by = tuple(other.level for other in (*reversed(above), *below))
    both = bool(above) and bool(below)
    how = "level ratios" if row.level.usual else "their trend (a transitional level has no ratios of its own)"
    if not row.level.usual:
        sd = float(np.hypot(sd, float(TREND_SD) * np.mean(scaled)))
    result = Expected(
        heights_mm=scaled,
        sd_mm=sd,
        reference=f"intact {', '.join(map(str, by))} with {how}",
        interpolated=both,
        scaled_mm=scaled,
        by=by,
    )
    nearest = (above or below)[0]
    if both or row.level not in deformed or not _run_of_deformed(row.level, nearest.level, rows, deformed):
        return result
    return _by_nearest_or_own_posterior(result, row, nearest)


def neighbours(level: Level, rows: Sequence[Row], deformed: Collection[Level]) -> tuple[list[Row], list[Row]]:
    """Intact levels above and below, nearest first, at most two on each side."""
    fit = [row for row in rows if row.usable and has_normal(row.level) and row.level not in deformed]
    near = [row for row in fit if 0 < _distance(row.level, level) <= FARTHEST]
    above = [row for row in reversed(near) if row.level.order < level.order]
    below = [row for row in near if row.level.order > level.order]
    return above[: int(NEAREST)], below[: int(NEAREST)]


def _scaled(level: Level, others: Sequence[Row], sex: Sex | None) -> tuple[Triple, float]:
    """Neighbours brought to this level by the level ratios, near ones weighing more; SD of one height, mm."""
    own = np.array(normal_heights(level, sex))
    predicted = np.array([np.array(row.heights_mm) * own / normal_heights(row.level, sex) for row in others])
    far = np.array([_distance(row.level, level) for row in others])
    weight = 1 / far / (1 / far).sum()
    mean = weight @ predicted
    spread = np.sqrt(weight @ ((predicted - mean) ** 2)).mean() / np.sqrt(len(others))
    if len(others) == 1:  # a lone reference shows no spread, and errs as much as any other
        spread = RATIO_SD * mean.mean()
    signed = np.array([np.sign(row.level.order - level.order) for row in others]) * far
    # What thick slices leave open of each reference carries over; that of a fine label is in the spread and the floor.
    measured = float(np.sqrt((weight**2) @ np.array([row.sd_mm for row in others]) ** 2))
    drift = STEP_SD * abs(float(weight @ signed)) * mean.mean()
    floor = RATIO_SD * mean.mean() / np.sqrt(len(others))
    return _triple(mean), float(np.sqrt(spread**2 + drift**2 + floor**2 + measured**2))


def _run_of_deformed(level: Level, nearest: Level, rows: Sequence[Row], deformed: Collection[Level]) -> bool:
    """Whether deformed levels, and not the end of the field alone, stand where a reference is missing."""
    beyond = [row.level for row in rows if (row.level.order - level.order) * (nearest.order - level.order) < 0]
    low, high = sorted((level.order, nearest.order))
    between = [row.level for row in rows if low < row.level.order < high]
    return any(other in deformed for other in (*beyond, *between))


def _by_nearest_or_own_posterior(scaled: Expected, row: Row, nearest: Row) -> Expected:
    """RDES230: anterior and middle against the nearest normal vertebra or the own posterior height, the larger."""
    front, middle, back = scaled.heights_mm
    own = row.heights_mm[_BACK]
    larger = (
        max(front, nearest.heights_mm[0], own),
        max(middle, nearest.heights_mm[1], own),
        back,
    )
    shift = max(larger[0] - front, larger[1] - middle)
    return replace(
        scaled,
        heights_mm=larger,
        sd_mm=float(np.hypot(scaled.sd_mm, shift)),
        reference=f"deformed neighbours on one side: larger of {nearest.level} and own posterior height (RDES230)",
        basis="nearest or own posterior",
    )


def _from_own_posterior(row: Row, sex: Sex | None) -> Expected:
    """No intact neighbour: anterior and middle from the own posterior height; its own loss stays unknown."""
    own = row.heights_mm[_BACK]
    front = own * front_to_back(row.level, sex)
    normal = normal_heights(row.level, sex)
    heights = (front, own * normal[1] / normal[_BACK], own)
    return Expected(
        heights_mm=heights,
        sd_mm=float(np.hypot(RATIO_SD, OTHER_SD) * own),
        reference="own posterior height with the level's normal shape; no intact neighbour",
        interpolated=False,
        scaled_mm=heights,
        basis="own posterior",
    )


def _losses(heights_mm: Triple, expected_mm: Triple) -> Triple:
    return _triple(1 - np.array(heights_mm) / np.array(expected_mm))


def _worst(row: Row, expected_mm: Triple) -> float:
    return max(_losses(row.heights_mm, expected_mm))


@cache
def _suspicious(loss: float) -> bool:
    """Whether a level lost too much to be a reference; rounded, so that a loss at the limit does not hang on size."""
    return round(loss, 9) >= SUSPICIOUS


def _distance(one: Level, other: Level) -> float:
    """Number of usual levels from one to the other."""
    return abs(place_of(one) - place_of(other))


def _triple(values: np.ndarray) -> Triple:
    one, two, three = (float(value) for value in values)
    return one, two, three

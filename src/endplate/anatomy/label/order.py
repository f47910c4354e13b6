"""Do the levels follow each other as a spine does: none skipped, none out of order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.finding import Caution, Gap
from endplate.level import Level

DOUBLE_STEP = cited(1.6, "1", "Own choice: between one and two usual distances; levels differ by some 10 %", "design")
HALF_STEP = cited(0.45, "1", "Own choice: two bodies cannot be this close; a crushed pair keeps 60 %", "design")


def check_order(levels: list[Level], centres_mm: list[NDArray[np.float64]]) -> tuple[list[Caution], list[Gap]]:
    """Cautions and gaps on the order of levels (head to foot by name) and their places.

    Parameters
    ----------
    levels : sorted from head to foot by name. centres_mm : centroid (3,) LPS mm of each label.
    """
    cautions: list[Caution] = []
    gaps: list[Gap] = []
    if len(levels) < 2:
        return cautions, gaps
    steps = np.diff(np.stack(centres_mm), axis=0)
    distance = np.linalg.norm(steps, axis=1)
    usual = _usual_step(levels, distance)
    for upper, lower, length in zip(levels[:-1], levels[1:], distance, strict=True):
        if not lower.follows(upper):
            cautions.append(_skipped(upper, lower, float(length), usual))
        elif usual is not None and length > DOUBLE_STEP * usual:
            text = f"{upper} and {lower} lie {length:.0f} mm apart, room for a vertebra between them that has no label"
            cautions.append(Caution(code="missing_level", level=lower, text=text))
    for level, text in _contradictions(levels, steps, distance, usual):
        cautions.append(Caution(code="order_contradicts_spine", level=level, text=text))
        gaps.append(Gap(code="vertebra", level=level, reason=text))
    return cautions, gaps


def _usual_step(levels: list[Level], distance: NDArray[np.float64]) -> float | None:
    """Median distance for each level passed by name; None for a single pair, which has nothing to compare with."""
    if len(distance) < 2:
        return None
    passed = np.array([_names_passed(a, b) for a, b in pairwise(levels)])
    return float(np.median(distance / passed))


def _names_passed(upper: Level, lower: Level) -> int:
    return sum(1 for level in Level if upper.order < level.order <= lower.order and (level.usual or level is lower))


def _skipped(upper: Level, lower: Level, length: float, usual: float | None) -> Caution:
    named = f"the labels go from {upper} to {lower}"
    if usual is not None and length < DOUBLE_STEP * usual:
        text = f"{named} but they lie only {length:.0f} mm apart: numbers are wrong above or below this step"
        return Caution(code="misnumbered_levels", level=lower, text=text)
    return Caution(code="skipped_level", level=lower, text=f"{named}: the levels between have no label")


def _contradictions(
    levels: list[Level], steps: NDArray[np.float64], distance: NDArray[np.float64], usual: float | None
) -> list[tuple[Level, str]]:
    """Levels whose place the curve of the spine contradicts, with the reason."""
    found: dict[Level, str] = {}
    down = steps.sum(axis=0)
    down = down / max(float(np.linalg.norm(down)), 1e-6)
    for upper, lower, step, length in zip(levels[:-1], levels[1:], steps, distance, strict=True):
        if step @ down <= 0:
            text = f"{lower} lies above {upper} although its name is lower"
            found[upper] = found[lower] = text
        elif usual is not None and length < HALF_STEP * usual:
            text = f"{upper} and {lower} lie only {length:.0f} mm apart: one body may carry two labels"
            found[upper] = found[lower] = text
    return list(found.items())

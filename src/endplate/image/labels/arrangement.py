"""Which label scheme do the numbers mean? Told by how the labelled bodies lie along the spine.

VerSe numbers grow from head to foot, TotalSegmentator's from foot to head: the same numbers in the same places can
be read in one way only, as soon as there are two vertebrae.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.labels.scheme import Scheme, guessable_schemes
from endplate.image.volume import Grid
from endplate.level import Level

MIN_STEP_MM = cited(7.0, "mm", "a child's cervical vertebrae are about 10 mm apart, collapse can take a part", "design")
MAX_STEP_MM = cited(
    65.0, "mm", "the tallest lumbar levels are about 45 mm apart; cropped arches shift centroids", "design"
)
MIN_STEEPNESS = cited(0.4, "1", "cosine of 66 degrees: no lordosis or kyphosis leans a lying spine more", "design")
GOOD_FRACTION = cited(
    0.66, "1", "most steps must fit; one exchanged pair is a label error, not another scheme", "design"
)
CLEAR_MARGIN = cited(0.1, "1", "two schemes that fit this closely cannot be told apart", "design")
FAR_FEWER = cited(3.0, "1", "organs lie like three vertebrae in a row by chance only once in thousands", "design")
SUBREGION_LABELS = range(41, 51)


@dataclass(frozen=True, slots=True)
class _Fit:
    scheme: Scheme
    good: int  # steps between neighbouring levels that a spine could have
    steps: int

    @property
    def fraction(self) -> float | None:
        """Of all steps; None where a single level leaves nothing to test."""
        return self.good / self.steps if self.steps else None


def guess_scheme(labels: dict[int, NDArray[np.float64]], grid: Grid, name: str) -> Scheme:
    """The one scheme under which the labels are a spine.

    Parameters
    ----------
    labels : label to its centroid, fractional index (3,).
    grid : the grid of those indices.
    name : what to call the file in a message.

    Raises
    ------
    LabelError : no scheme fits, or several do; the message names the candidates.
    """
    numbers = sorted(labels)
    known = [scheme for scheme in guessable_schemes() if scheme.knows(numbers)]
    if not known:
        raise LabelError(f"{name} has labels that no known scheme has: {_told(numbers)}", "", _advice(numbers))
    if numbers == [1]:
        raise LabelError(
            f"{name} holds only label 1", "it may be a mask of anything", "name it vertebrae_L1.nii.gz or give --scheme"
        )
    fits = [_fit(scheme, labels, grid) for scheme in known]
    tested = sorted((fit for fit in fits if fit.fraction is not None), key=lambda fit: -_sure(fit))
    if not tested:
        return _only(fits, name, numbers)
    best = tested[0]
    if _sure(best) < GOOD_FRACTION:
        raise LabelError(
            f"{name}: the labels {_told(numbers)} do not lie like vertebrae in any known scheme"
            f" (tried {', '.join(fit.scheme.name for fit in fits)})",
            "an upside-down header, parts of one vertebra or other structures look like this",
            _advice(numbers),
        )
    close = [fit for fit in tested if _sure(best) - _sure(fit) < CLEAR_MARGIN]
    most = max(fit.good for fit in close)
    # A scheme that explains a whole column beats one that calls most of it organs (VerSe's T13 is another's L4).
    close = [fit for fit in close if fit.good * int(FAR_FEWER) > most]
    return _only(close, name, numbers)


def _sure(fit: _Fit) -> float:
    return -1.0 if fit.fraction is None else fit.fraction


def _only(fits: list[_Fit], name: str, numbers: list[int]) -> Scheme:
    if len(fits) == 1:
        return fits[0].scheme
    candidates = " or ".join(f"{fit.scheme.name} ({_told_levels(fit.scheme, numbers)})" for fit in fits)
    raise LabelError(
        f"{name}: the labels {_told(numbers)} could be {candidates}",
        "the numbers alone cannot tell",
        "say which with --scheme " + " or --scheme ".join(fit.scheme.name for fit in fits),
    )


def _fit(scheme: Scheme, labels: dict[int, NDArray[np.float64]], grid: Grid) -> _Fit:
    """Fraction of neighbouring levels whose centroids lie one below the other at a vertebra's distance."""
    levels = scheme.levels_of(sorted(labels))
    ordered = sorted(levels, key=lambda number: levels[number].order)
    if len(ordered) < 2:
        return _Fit(scheme, 0, 0)
    good = [
        _is_step(grid.to_mm(labels[upper]), grid.to_mm(labels[lower]), levels[upper], levels[lower])
        for upper, lower in pairwise(ordered)
    ]
    return _Fit(scheme, sum(good), len(good))


def _is_step(upper_mm: NDArray[np.float64], lower_mm: NDArray[np.float64], upper: Level, lower: Level) -> bool:
    levels_apart = sum(1 for level in Level if level.usual and upper.order < level.order <= lower.order) or 1
    step_mm = float(np.linalg.norm(lower_mm - upper_mm)) / levels_apart
    drop_mm = float(upper_mm[2] - lower_mm[2])
    steep = drop_mm > MIN_STEEPNESS * float(np.linalg.norm(lower_mm - upper_mm))
    return steep and MIN_STEP_MM <= step_mm <= MAX_STEP_MM


def _told(numbers: list[int]) -> str:
    shown = ", ".join(str(n) for n in numbers[:12])
    return shown + (f" and {len(numbers) - 12} more" if len(numbers) > 12 else "")


def _told_levels(scheme: Scheme, numbers: list[int]) -> str:
    levels = sorted(scheme.levels_of(numbers).values(), key=lambda level: level.order)
    return str(levels[0]) if len(levels) == 1 else f"{levels[0]}-{levels[-1]}"


def _advice(numbers: list[int]) -> str:
    if all(n in SUBREGION_LABELS for n in numbers):
        return "this is a TPTBox sub-region map: give it beside the vertebra mask, in one folder"
    return "give the numbering with --scheme NAME or a --scheme FILE of lines such as L1 = 20"

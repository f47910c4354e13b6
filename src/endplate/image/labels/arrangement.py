"""Which label scheme do the numbers mean? Told by how the labelled bodies lie along the spine.

VerSe numbers grow from head to foot, TotalSegmentator's from foot to head: the same numbers in the same places can
be read in one way only, as soon as there are two vertebrae and it is certain where the head is. The header alone is no
proof of that: a lost sign turns one scheme into the other. Either the vertebrae themselves show it, or only one scheme
fits whichever way is up; else the user is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.labels.numbering import Scheme
from endplate.image.labels.scheme import guessable_schemes, last_schemes
from endplate.image.labels.upright import Standing
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


def guess_scheme(
    labels: dict[int, NDArray[np.float64]],
    grid: Grid,
    name: str,
    look: Callable[[list[int]], Standing] = lambda labels: Standing(stand="upright"),
) -> Scheme:
    """The one scheme under which the labels are a spine.

    Parameters
    ----------
    labels : label to its centroid, fractional index (3,).
    grid : the grid of those indices.
    name : what to call the file in a message.
    look : how the given labels stand by their own shape; without it the header's axes are believed.

    Raises
    ------
    LabelError : no scheme fits, or several do; the message names the candidates. Or the labels stand on their heads.
    """
    numbers = sorted(labels)
    known = [scheme for scheme in guessable_schemes() if scheme.knows(numbers)]
    later = [scheme for scheme in last_schemes() if scheme.knows(numbers)]
    if not known and not later:
        raise LabelError(f"{name} has labels that no known scheme has: {_listed(numbers)}", "", _advice(numbers))
    if numbers == [1]:
        raise LabelError(
            f"{name} holds only label 1", "it may be a mask of anything", "name it vertebrae_L1.nii.gz or give --scheme"
        )
    fits = [_fit(scheme, labels, grid) for scheme in known or later]
    close = _best(fits)
    if not close and known and later:
        fits = [*fits, *(_fit(scheme, labels, grid) for scheme in later)]
        close = _best(fits)
    if not close and any(fit.fraction is not None for fit in fits):
        raise LabelError(
            f"{name}: the labels {_listed(numbers)} do not lie like vertebrae in any known scheme"
            f" (tried {', '.join(fit.scheme.name for fit in fits)})",
            "neighbouring levels must lie one below the other by the header's axes, a vertebra's height apart",
            _advice(numbers),
        )
    chosen = _only(close or fits, name, numbers)
    if close:
        _check_standing(close[0], fits, labels, grid, name, look(sorted(chosen.levels_of(numbers))))
    return chosen


def _best(fits: list[_Fit]) -> list[_Fit]:
    """The fits that are good and cannot be told apart, best first."""
    tested = sorted((fit for fit in fits if fit.fraction is not None), key=lambda fit: -_sure(fit))
    if not tested or _sure(tested[0]) < float(GOOD_FRACTION):
        return []
    close = [fit for fit in tested if _sure(tested[0]) - _sure(fit) < float(CLEAR_MARGIN)]
    most = max(fit.good for fit in close)
    # A scheme that explains a whole column beats one that calls most of it organs (VerSe's T13 is another's L4).
    return [fit for fit in close if fit.good * int(FAR_FEWER) > most]


def _check_standing(
    best: _Fit, fits: list[_Fit], labels: dict[int, NDArray[np.float64]], grid: Grid, name: str, found: Standing
) -> None:
    """Refuse a numbering that stands or falls with an orientation that is not proven."""
    if found.stand == "upright":
        return
    turned = _best([_fit(fit.scheme, labels, grid, upward=-1) for fit in fits])
    numbers = sorted(labels)
    if found.stand == "upside down":
        candidates = [f"{fit.scheme.name} ({_level_span(fit.scheme, numbers)})" for fit in turned]
        raise LabelError(
            f"{name}: by their shape the labels {_listed(numbers)} stand on their heads: in {found.agree} of "
            f"{found.seen} the spinous process points up by the header's axes",
            f"read as they lie they would be {best.scheme.name} ({_level_span(best.scheme, numbers)})"
            + (f", turned round {' or '.join(candidates)}" if candidates else ""),
            "correct the z axis in the header of CT and labels and give them again",
        )
    if turned:
        either = [fit.scheme for fit in (best, *turned)]
        raise LabelError(
            f"{name}: the labels {_listed(numbers)} could be "
            + " or ".join(f"{scheme.name} ({_level_span(scheme, numbers)})" for scheme in either),
            "that depends on where the head is, and the labels' own shape does not show it",
            "say which with --scheme " + " or --scheme ".join(dict.fromkeys(scheme.name for scheme in either)),
        )


def _sure(fit: _Fit) -> float:
    return -1.0 if fit.fraction is None else fit.fraction


def _only(fits: list[_Fit], name: str, numbers: list[int]) -> Scheme:
    if len(fits) == 1:
        return fits[0].scheme
    candidates = " or ".join(f"{fit.scheme.name} ({_level_span(fit.scheme, numbers)})" for fit in fits)
    raise LabelError(
        f"{name}: the labels {_listed(numbers)} could be {candidates}",
        "the numbers alone cannot tell",
        "say which with --scheme " + " or --scheme ".join(fit.scheme.name for fit in fits),
    )


def _fit(scheme: Scheme, labels: dict[int, NDArray[np.float64]], grid: Grid, upward: int = 1) -> _Fit:
    """Fraction of neighbouring levels whose centroids lie one below the other at a vertebra's distance.

    `upward` -1 takes the header's z axis to run to the foot.
    """
    levels = scheme.levels_of(sorted(labels))
    ordered = sorted(levels, key=lambda number: levels[number].order)
    if len(ordered) < 2:
        return _Fit(scheme, 0, 0)
    good = [
        _is_step(grid.to_mm(labels[upper]), grid.to_mm(labels[lower]), levels[upper], levels[lower], upward)
        for upper, lower in pairwise(ordered)
    ]
    return _Fit(scheme, sum(good), len(good))


def _is_step(
    upper_mm: NDArray[np.float64], lower_mm: NDArray[np.float64], upper: Level, lower: Level, upward: int
) -> bool:
    levels_apart = sum(1 for level in Level if level.usual and upper.order < level.order <= lower.order) or 1
    step_mm = float(np.linalg.norm(lower_mm - upper_mm)) / levels_apart
    drop_mm = upward * float(upper_mm[2] - lower_mm[2])
    steep = drop_mm > float(MIN_STEEPNESS) * float(np.linalg.norm(lower_mm - upper_mm))
    return steep and float(MIN_STEP_MM) <= step_mm <= float(MAX_STEP_MM)


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(str(n) for n in numbers[:12])
    return shown + (f" and {len(numbers) - 12} more" if len(numbers) > 12 else "")


def _level_span(scheme: Scheme, numbers: list[int]) -> str:
    levels = sorted(scheme.levels_of(numbers).values(), key=lambda level: level.order)
    return str(levels[0]) if len(levels) == 1 else f"{levels[0]}-{levels[-1]}"


def _advice(numbers: list[int]) -> str:
    if all(n in SUBREGION_LABELS for n in numbers):
        return (
            "numbers 41-50 are also the sub-regions of TPTBox: give such a map beside the vertebra mask, in one folder;"
            " else say --scheme NAME or FILE"
        )
    return "give the numbering with --scheme NAME or a --scheme FILE of lines such as L1 = 20"

"""How far grades and heights agree with an expert's: weighted kappa, sensitivity, specificity, Bland-Altman."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from endplate.cohort.extra import needs
from endplate.cohort.truth import HEIGHTS, Truth
from endplate.finding import BAND_SD
from endplate.level import Level

GRADES = (0, 1, 2, 3)
CODES = {"anterior_mm": "anterior_height", "middle_mm": "middle_height", "posterior_mm": "posterior_height"}
FEWEST = 3
"""Pairs below which a spread says nothing."""
NOTE = "Levels of one case are not independent; the intervals over levels take them as such and are too narrow for it."

Measured = Mapping[tuple[str, Level], Mapping[str, float]]
"""By case and level: `genant_grade` and heights, of what was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A share or coefficient with its 95 % interval and what it rests on; None with the reason where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    count: int = 0
    method: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlandAltman:
    """Measured minus expert, mm: mean with its 95 % interval, limits of agreement, and the pairs (mean, difference)."""

    kind: str
    count: int
    bias: Estimate
    low: float | None
    high: float | None
    pairs: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Everything on the agreement with an expert.

    Parameters
    ----------
    table : rows by expert grade, columns by measured grade.
    graded, silent, absent : levels with both grades; with the expert's alone because no grade was given; because the
        level was not found or its case failed.
    """

    table: tuple[tuple[int, ...], ...]
    graded: int
    silent: int
    absent: int
    kappa: Estimate
    sensitivity: Estimate
    specificity: Estimate
    heights: tuple[BlandAltman, ...]
    note: str = NOTE

    def document(self) -> dict[str, Any]:
        """Plain JSON values, without the pairs."""
        whole = asdict(self)
        for one in whole["heights"]:
            del one["pairs"]
        return whole


def agreement(truth: Truth, measured: Measured, found: set[tuple[str, Level]]) -> Agreement:
    """Compare level by level; a level without a measured grade is counted, never taken as intact.

    Parameters
    ----------
    truth : as of `read_truth`. measured : see `Measured`. found : levels that were found in the labels.
    """
    graded = {key: expert.grade for key, expert in truth.items() if expert.grade is not None}
    both = [(grade, int(measured[key]["genant_grade"])) for key, grade in graded.items() if _has_grade(measured, key)]
    without = [key for key in graded if not _has_grade(measured, key)]
    table = np.zeros((len(GRADES), len(GRADES)), int)
    for expert, ours in both:
        table[expert, ours] += 1
    broken, intact = table[1:], table[:1]
    return Agreement(
        table=tuple(tuple(int(n) for n in row) for row in table),
        graded=len(both),
        silent=sum(key in found for key in without),
        absent=sum(key not in found for key in without),
        kappa=_kappa(table),
        sensitivity=_share(int(broken[:, 1:].sum()), int(broken.sum()), "levels that the expert grades 1 to 3"),
        specificity=_share(int(intact[:, 0].sum()), int(intact.sum()), "levels that the expert grades 0"),
        heights=tuple(_bland_altman(kind, _pairs(kind, truth, measured)) for kind in HEIGHTS if _asked(kind, truth)),
    )


def _has_grade(measured: Measured, key: tuple[str, Level]) -> bool:
    return "genant_grade" in measured.get(key, {})


def _kappa(table: np.ndarray[Any, Any]) -> Estimate:
    """Cohen's kappa with linear weights, and its interval by the large-sample variance (statsmodels)."""
    count, method = int(table.sum()), "Cohen's kappa, linear weights (statsmodels cohens_kappa)"
    used = (table.sum(axis=0) > 0) | (table.sum(axis=1) > 0)
    if count < FEWEST or used.sum() < 2:
        return Estimate(value=None, count=count, method=method, reason="fewer than two grades occur")
    rater = needs("statsmodels.stats.inter_rater")
    found = rater.cohens_kappa(table, wt="linear")
    low, high = max(-1.0, float(found.kappa_low)), min(1.0, float(found.kappa_upp))
    return Estimate(value=float(found.kappa), low=low, high=high, count=count, method=method)


def _share(part: int, whole: int, of: str) -> Estimate:
    method = f"of {of}; Wilson interval (statsmodels proportion_confint)"
    if whole == 0:
        return Estimate(value=None, method=method, reason=f"there are no {of}")
    low, high = needs("statsmodels.stats.proportion").proportion_confint(part, whole, method="wilson")
    return Estimate(value=part / whole, low=float(low), high=float(high), count=whole, method=method)


def _asked(kind: str, truth: Truth) -> bool:
    return any(kind in expert.heights for expert in truth.values())


def _pairs(kind: str, truth: Truth, measured: Measured) -> list[tuple[float, float]]:
    """Expert and measured height of each level that has both."""
    code = CODES[kind]
    return [
        (expert.heights[kind], measured[key][code])
        for key, expert in truth.items()
        if kind in expert.heights and code in measured.get(key, {})
    ]


def _bland_altman(kind: str, pairs: Sequence[tuple[float, float]]) -> BlandAltman:
    """Bland and Altman's mean difference and limits of agreement, by statsmodels' descriptive statistics."""
    method = "mean difference, interval by Student's t (statsmodels DescrStatsW); limits at 1.96 SD"
    if len(pairs) < FEWEST:
        empty = Estimate(value=None, count=len(pairs), method=method, reason=f"fewer than {FEWEST} pairs")
        return BlandAltman(kind=kind, count=len(pairs), bias=empty, low=None, high=None, pairs=())
    given = np.array(pairs)
    differences, means = given[:, 1] - given[:, 0], given.mean(axis=1)
    stats = needs("statsmodels.stats.weightstats").DescrStatsW(differences, ddof=1)
    low, high = stats.tconfint_mean()
    bias = Estimate(value=float(stats.mean), low=float(low), high=float(high), count=len(pairs), method=method)
    reach = float(BAND_SD) * float(stats.std)
    return BlandAltman(
        kind=kind,
        count=len(pairs),
        bias=bias,
        low=float(stats.mean) - reach,
        high=float(stats.mean) + reach,
        pairs=tuple((float(m), float(d)) for m, d in zip(means, differences, strict=True)),
    )

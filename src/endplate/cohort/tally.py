"""What the page of a study shows, gathered case by case in little memory."""

from __future__ import annotations

import random
import re
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from endplate.cohort.stamp import Stamp
from endplate.level import Level

SHOWN = (
    "height_loss", "anterior_height", "middle_height", "posterior_height", "trabecular_density", "trabecular_hu",
    "failure_load", "failure_load_linear", "stiffness", "load_to_strength", "regional_kyphosis",
)  # fmt: skip
"""Findings whose distributions are drawn."""
SEXES = ("female", "male")
UNKNOWN = -1.0
EXAMPLES = 5
Row = dict[str, Any]


@dataclass(slots=True)
class Series:
    """Values of one finding at one level over the cases, with age (-1 where not known) and sex (2 where not known)."""

    values: array[float] = field(default_factory=lambda: array("d"))
    ages: array[float] = field(default_factory=lambda: array("d"))
    sexes: array[int] = field(default_factory=lambda: array("b"))


@dataclass(slots=True)
class Failure:
    """Cases that failed for one reason."""

    kind: str
    reason: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """Counts and distributions of a study.

    Parameters
    ----------
    seed : int
        Of the choice of cases for the contact sheet.
    """

    seed: int = 0
    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    grades: dict[str, Counter[str]] = field(default_factory=dict)
    series: dict[tuple[str, str], Series] = field(default_factory=dict)
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    failures: dict[tuple[str, str], Failure] = field(default_factory=dict)
    people: Counter[str] = field(default_factory=Counter)
    ages: array[float] = field(default_factory=lambda: array("d"))

    def add(self, stamp: Stamp, rows: Sequence[Row]) -> None:
        """Count a case."""
        if stamp.status == "failed":
            self._fail(stamp)
            return
        self.done += 1
        self.seconds += stamp.seconds or 0.0
        self.people[stamp.sex or "not known"] += 1
        if stamp.age_yr is not None:
            self.ages.append(float(stamp.age_yr))
        for level, _, _, grade in stamp.marks:
            self.grades.setdefault(level, Counter())[grade] += 1
        for _, ruleset, status, _ in stamp.verdicts:
            self.verdicts.setdefault(ruleset, Counter())[status] += 1
        for row in rows:
            if row["code"] in SHOWN and row["value"] is not None and not row["condition"]:
                self._measure(stamp, row)

    def _measure(self, stamp: Stamp, row: Row) -> None:
        one = self.series.setdefault((row["code"], row["level"] or ""), Series())
        one.values.append(float(row["value"]))
        one.ages.append(UNKNOWN if stamp.age_yr is None else float(stamp.age_yr))
        one.sexes.append(SEXES.index(stamp.sex) if stamp.sex in SEXES else len(SEXES))

    def _fail(self, stamp: Stamp) -> None:
        self.failed += 1
        general = general_reason(stamp.reason, stamp.id)
        one = self.failures.setdefault((stamp.kind, general), Failure(stamp.kind, general))
        one.count += 1
        if len(one.examples) < EXAMPLES:
            one.examples.append(stamp.id)

    def levels(self) -> list[str]:
        """Levels that were found, from head to foot."""
        return sorted(self.grades, key=lambda name: Level(name).order)


def general_reason(reason: str, case: str) -> str:
    """A reason without what differs from case to case: its name, paths and numbers."""
    text = reason.replace(case, "the case") if case else reason
    text = re.sub(r"(?:[A-Za-z]:)?[^\s'\",;]*[/\\][^\s'\",;]*", "PATH", text)
    return re.sub(r"(?<![\w.])[-+]?\d[\d.,]*(?!\w)", "N", text)


def chosen_for_sheet(ids: Sequence[str], most: int, seed: int) -> set[str]:
    """Cases of the contact sheet: all, or so many at random."""
    return set(ids) if len(ids) <= most else set(random.Random(seed).sample(sorted(ids), most))

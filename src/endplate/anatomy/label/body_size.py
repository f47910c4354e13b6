"""Are the bodies as large as those of people: a lost spacing, or names of other levels, makes them what nobody has.

Cross-sections, and how far neighbouring bodies lie apart, are held against adults' at the same level, sex and stature.
Fractures cannot decide: they take no cross-section, and of several steps from body to body the larger ones count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from endplate.anatomy.label.neighbours import section_mm2
from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited, cited_table
from endplate.finding import Caution, Gap
from endplate.level import Level

_FAMILY = "Black, Panjabi, Zindrick family of normal values of women, +-1.5 mm; for plausibility only"
_LEVELS = ("T4", "T6", "T8", "T10", "T12", "L1", "L2", "L3", "L4", "L5")


def _by_level(name: str, *row: float) -> dict[str, float]:
    values = dict(zip(_LEVELS, row, strict=True))
    return dict(cited_table(name, "mm", _FAMILY, "weak", values, cite=("black_1991", "panjabi_1991", "panjabi_1992")))


HEIGHT_MM = _by_level("body_size.height", 18, 19.5, 20.5, 22, 25, 26.5, 27.5, 27.5, 26.5, 24)
WIDTH_MM = _by_level("body_size.width", 25, 27, 30, 33, 39, 41, 43, 45, 47, 48)
DEPTH_MM = _by_level("body_size.depth", 20, 24, 27, 29, 31, 33, 34, 35, 35, 35)
OVAL = cited(0.8, "1", "a body's section over width times depth: an ellipse has 0.785", "design")
MALE = cited(1.075, "1", "men 6-9 % larger than women, middle of the range", "weak", cite=("black_1991", "palm_2025"))
STATURE_CM = cited(161.0, "cm", "own reference: stature of the women whose sizes the table gives", "design")
ADULT_YR = cited(18.0, "a", "bodies grow until then: adults' sizes say nothing", "design")
DISC_MM = {
    level: float(number)
    for level, number in cited_table(
        "body_size.disc", "mm", "own choice, as in the digital spine: bones and discs fit together", "design",
        dict(zip(_LEVELS, (3.5, 3.5, 4, 4.5, 6, 7, 8, 9, 9.5, 9.5), strict=True)),
    ).items()
}  # fmt: skip
# Median root of section over the table's: 0.89-1.19 on five masks of people. Upper quartile of the steps from body to
# body over the table's: 0.87-0.99, and 0.60-0.69 of the same with a slice distance 1.5 times too small.
SECTION_POSSIBLE = (
    cited(0.8, "1", "10 % below the smallest of five spines measured", "design"),
    cited(1.3, "1", "10 % above the largest of five spines measured", "design"),
)
SECTION_USUAL = (
    cited(0.87, "1", "the smallest of five spines measured", "design"),
    cited(1.22, "1", "the largest of five spines measured", "design"),
)
STEP_POSSIBLE = (
    cited(0.76, "1", "upper quartile, between the smallest measured and what a lost slice distance leaves", "design"),
    cited(1.2, "1", "median, a fifth above the largest of five spines measured", "design"),
)
SHAPE_POSSIBLE = (
    cited(0.72, "1", "upper quartile of steps over root of section, 0.83-1.05 measured", "design"),
    cited(1.2, "1", "median of steps over root of section, 0.80-1.05 measured", "design"),
)
FEWEST = cited(2.0, "1", "steps of which the larger is taken as hardly fractured", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of whose spine it is; None is unknown."""

    sex: Literal["female", "male"] | None = None
    stature_cm: float | None = None
    age_yr: float | None = None


def check_body_sizes(
    vertebrae: Sequence[Vertebra], doubtful: set[Level | None], person: Person
) -> tuple[list[Caution], list[Gap]]:
    """Cautions and gaps where the bodies are larger or smaller than a person's.

    Parameters
    ----------
    vertebrae : of the spine, head to foot. doubtful : levels that another check distrusts. person : whose spine it is.
    """
    if person.age_yr is not None and person.age_yr < float(ADULT_YR):
        return [], []
    usable = [
        vertebra
        for vertebra in vertebrae
        if not vertebra.cut_by_field and vertebra.level not in doubtful and has_size(vertebra.level)
    ]
    if not usable:
        return [], []
    usual = expected_share(person)
    sections = [_section_share(vertebra) / usual for vertebra in usable]
    # A transitional level between two others makes their step one of two bodies.
    beside = [(u, v) for u, v in pairwise(vertebrae) if u in usable and v in usable and v.level.follows(u.level)]
    steps = [_step_share(upper, lower) / usual for upper, lower in beside]
    section = float(np.median(sections))
    found = _impossible(section, steps)
    if found:
        text = f"{found} at {_names(usable)}: the voxel size or the level names cannot be right"
        return [Caution(code="size_impossible", text=text)], [Gap(code="vertebra", reason=text)]
    if not float(SECTION_USUAL[0]) <= section <= float(SECTION_USUAL[1]):
        text = (
            f"the bodies are {section:.2f} times as wide and deep as usual at their levels ({_names(usable)}): check "
            "voxel size and level names"
        )
        return [Caution(code="size_unusual", text=text)], []
    return [], []


def has_size(level: Level) -> bool:
    """Whether sizes are known: T4 to L5, without the transitional T13 and L6."""
    return level.usual and Level.T4.order <= level.order <= Level.L5.order


def expected_share(person: Person) -> float:
    """Size of a person's bodies over the table's: by stature, else by sex, else 1."""
    if person.stature_cm is not None:
        return person.stature_cm / float(STATURE_CM)
    return float(MALE) if person.sex == "male" else 1.0


def at_level(table: dict[str, float], level: Level) -> float:
    """A value of a table, interpolated between the levels that it names."""
    return float(np.interp(level.order, [Level(name).order for name in table], list(table.values())))


def _section_share(vertebra: Vertebra) -> float:
    usual = float(OVAL) * at_level(WIDTH_MM, vertebra.level) * at_level(DEPTH_MM, vertebra.level)
    return float(np.sqrt(section_mm2(vertebra) / usual))


def _step_share(upper: Vertebra, lower: Vertebra) -> float:
    """How far two neighbours' bodies lie apart over what is usual: half of each height and the disc between."""
    heights = [at_level(HEIGHT_MM, vertebra.level) for vertebra in (upper, lower)]
    usual = sum(heights) / 2 + at_level(DISC_MM, upper.level)
    return float(np.linalg.norm(upper.centroid_mm - lower.centroid_mm)) / usual


def _impossible(section: float, steps: list[float]) -> str:
    """What cannot be a person's, in words; nothing where all can."""
    low, high = SECTION_POSSIBLE
    if not low <= section <= high:
        return f"the bodies are {section:.2f} times as wide and deep as adults' ({low:g} to {high:g} are possible)"
    if len(steps) < FEWEST:
        return ""
    large, middle = float(np.percentile(steps, 75)), float(np.median(steps))
    low, high = STEP_POSSIBLE
    if large < low or middle > high:
        return f"neighbouring bodies lie {middle:.2f} times as far apart as adults' ({low:g} to {high:g} are possible)"
    low, high = SHAPE_POSSIBLE
    if large / section < low or middle / section > high:
        return (
            f"neighbouring bodies lie {middle:.2f} times as far apart as adults', and are {section:.2f} times as wide "
            "and deep"
        )
    return ""


def _names(vertebrae: list[Vertebra]) -> str:
    first, last = vertebrae[0].level, vertebrae[-1].level
    return str(first) if first is last else f"{first}-{last}"

"""Expected courses as fractions of the score at the start, from the trials; a band, never a promise."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

from endplate.cited import cited, cited_table
from endplate.patient.health import RepairKind
from endplate.patient.scale.change import WORST

Procedure = Literal["none"] | RepairKind
Scale = Literal["nrs", "rmdq", "odi"]

DAYS = cited_table(
    "recovery.day",
    "d",
    "own choice: the times at which most of the trials asked",
    "design",
    {"1 d": 1.0, "1 wk": 7.0, "1 mo": 30.0, "3 mo": 91.0, "6 mo": 182.0, "12 mo": 365.0},
)
CHRONIC_FROM_DAYS = cited(91.0, "d", "enrolled fractures older than 3 months", "verified", cite="vertos5_2023")
MAX = {scale: WORST[scale] for scale in ("nrs", "rmdq", "odi")}
"""Upper ends of the scales."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseModel:
    """An expected course.

    Attributes
    ----------
    fractions : of the score at the start, by the names of `DAYS`. sd_points : between patients, in points.
    basis : the trials it was read from.
    """

    name: str
    scale: Scale
    procedure: Procedure
    fractions: dict[str, float]
    sd_points: float
    basis: str


BASES = {
    "EVOLVE (open, one arm)": ("evolve_2019",),
    "midway between the open and the blinded trials": ("vertos2_2010", "vertos4_2018", "vapour_2016", "invest_2009"),
    "VERTOS V (blinded)": ("vertos5_2023",),
    "control arms": ("vertos2_2010", "vertos4_2018", "free_2009"),
    "CAFE at 1 month (open, cancer)": ("cafe_2011",),
    "INVEST at 1 month (blinded) and Trout 2005 (open)": ("invest_2009", "trout_2005"),
}
"""What a track was read from, in words, and its publications."""


def _track(
    name: str, scale: Scale, procedure: Procedure, fractions: tuple[float, ...], sd: float, basis: str
) -> CourseModel:
    times = list(DAYS)[-len(fractions) :]
    source = f"{name}: own reading of {basis}"
    key = f"recovery.{name}"
    return CourseModel(
        name=name,
        scale=scale,
        procedure=procedure,
        fractions=cited_table(key, "1", source, "design", dict(zip(times, fractions, strict=True)), cite=BASES[basis]),
        sd_points=cited(sd, "1", source, "design", name=f"{key}.sd", cite=BASES[basis]),
        basis=basis,
    )


TRACKS = (
    _track(
        "pain after kyphoplasty",
        "nrs",
        "kyphoplasty",
        (0.50, 0.40, 0.38, 0.31, 0.29, 0.28),
        2.5,
        "EVOLVE (open, one arm)",
    ),
    _track(
        "pain after vertebroplasty, fracture under 3 months old",
        "nrs",
        "vertebroplasty",
        (0.55, 0.50, 0.43, 0.38, 0.36, 0.35),
        2.7,
        "midway between the open and the blinded trials",
    ),
    _track(
        "pain after vertebroplasty, fracture over 3 months old",
        "nrs",
        "vertebroplasty",
        (0.65, 0.62, 0.58, 0.55, 0.53, 0.51),
        2.8,
        "VERTOS V (blinded)",
    ),
    _track("pain without a procedure", "nrs", "none", (0.90, 0.82, 0.65, 0.57, 0.53, 0.51), 2.8, "control arms"),
    _track(
        "function after kyphoplasty (RMDQ)",
        "rmdq",
        "kyphoplasty",
        (0.60, 0.52, 0.48, 0.46, 0.45),
        6.0,
        "CAFE at 1 month (open, cancer)",
    ),
    _track(
        "function after vertebroplasty (RMDQ)",
        "rmdq",
        "vertebroplasty",
        (0.70, 0.66, 0.62, 0.60, 0.58),
        6.3,
        "INVEST at 1 month (blinded) and Trout 2005 (open)",
    ),
    _track("function without a procedure (RMDQ)", "rmdq", "none", (0.92, 0.82, 0.72, 0.66, 0.62), 6.4, "control arms"),
    _track(
        "function after kyphoplasty (ODI)",
        "odi",
        "kyphoplasty",
        (0.52, 0.44, 0.43, 0.43),
        18.0,
        "EVOLVE (open, one arm)",
    ),
)


def course_models_for(
    procedure: Procedure, scale: Scale, fracture_days: float | None = None
) -> tuple[CourseModel, ...]:
    """The tracks that fit; none for techniques that no trial followed so.

    An unknown age of the fracture keeps both of vertebroplasty; none may exist (ODI).
    """
    found = [track for track in TRACKS if track.procedure == procedure and track.scale == scale]
    if len(found) == 2 and fracture_days is not None:
        found = [found[1] if fracture_days >= CHRONIC_FROM_DAYS else found[0]]
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The score to expect on a day: middle, and one SD to each side, clipped to the scale."""

    day: float
    middle: float
    low: float
    high: float


def expected(track: CourseModel, baseline: float, day: float) -> Expected | None:
    """The band on a day since the start; None before it and beyond the last time that was asked.

    Between two times the fraction runs straight; it starts from 1 on day 0.
    """
    points = [(0.0, 1.0), *((DAYS[name], float(value)) for name, value in track.fractions.items())]
    for (first, a), (last, b) in itertools.pairwise(points):
        if first <= day <= last:
            middle = baseline * (a + (b - a) * (day - first) / (last - first))
            sd = float(track.sd_points) if day > 0 else 0.0
            most = MAX[track.scale]
            return Expected(day=day, middle=middle, low=max(0.0, middle - sd), high=min(most, middle + sd))
    return None


def course(track: CourseModel, baseline: float) -> tuple[Expected, ...]:
    """The band at the start and at every time that was asked."""
    days = [0.0, *(DAYS[name] for name in track.fractions)]
    return tuple(band for day in days if (band := expected(track, baseline, day)) is not None)

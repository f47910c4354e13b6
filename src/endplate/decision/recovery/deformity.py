"""Two scans of one patient: which levels are new or worse, with the error of measuring taken in.

Works on findings (or the documents made of them), so that years may lie between the two runs. The error of a height is
that between readers (one reader's SD of 1.0 mm, `vertebral_severity`), of a difference the root of both squares. Where
one reader or network drew both scans its habit cancels, so that this is wider than need be. How much of the 1.0 mm is
habit and how much is scatter from case to case the 2,971 pairs do not tell, and a document does not tell who drew its
masks. The repeatability of a label (moved by half a voxel) holds no scatter of drawing at all: it would be too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from endplate.cited import cited
from endplate.finding import BAND_SD

LOSS_SHARE = cited(
    0.20,
    "1",
    "Incident fracture: a height 20 % and 4 mm below the prior study (Genant convention)",
    "knowledge",
    cite="genant_1993",
)
LOSS_MM = cited(
    4.0,
    "mm",
    "Incident fracture: a height 20 % and 4 mm below the prior study (Genant convention)",
    "knowledge",
    cite="genant_1993",
)
TREATED_SHARE = cited(
    0.15, "1", "recollapse of a treated level: 15 % of height or 10 degrees", "verified", cite="yu_2017"
)
TREATED_DEG = cited(
    10.0, "deg", "recollapse of a treated level: 15 % of height or 10 degrees", "verified", cite="yu_2017"
)

HEIGHTS = ("anterior_height", "middle_height", "posterior_height")
ANGLE = "wedge_angle"

NO_ERROR = "a scan does not tell the error of its measurement"

Answer = Literal["yes", "no", "indeterminate"]
RANK: dict[Answer, int] = {"no": 0, "indeterminate": 1, "yes": 2}
"""From the least grave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One level between two scans.

    Attributes
    ----------
    worse : whether the rule of this level is met; indeterminate where the band of the change straddles it.
    change, sd : of the height that changed most, mm; share of the earlier height.
    against : day of the earlier scan, where it is known.
    """

    level: str
    worse: Answer
    rule: str
    what: str
    change: float | None
    sd: float | None
    share: float | None
    reason: str = ""
    against: date | None = None


def compare(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    treated: Iterable[str] = (),
    straightened: Iterable[str] = (),
) -> tuple[Change, ...]:
    """Compare two documents (`case.json`) level by level.

    Parameters
    ----------
    before, after : documents of one patient. treated : levels that were augmented in between or before.
    straightened : those augmented in between, whose wedge is meant to become less.
    """
    first, second = measured(before), measured(after)
    levels = [level for level in before.get("levels", []) if level in set(after.get("levels", []))]
    repaired, corrected = set(treated), set(straightened)
    return tuple(_change(level, first, second, level in repaired, level in corrected) for level in levels)


Table = dict[tuple[str, str], tuple[float, float | None]]


def measured(document: Mapping[str, Any]) -> Table:
    """(level, code) to value and SD; None where a scan does not tell its error."""
    out: Table = {}
    for finding in document.get("findings", []):
        if finding["code"] in (*HEIGHTS, ANGLE) and finding["level"]:
            low, high = finding.get("low"), finding.get("high")
            sd = None if low is None or high is None else (high - low) / (2 * BAND_SD)
            out[finding["level"], finding["code"]] = (float(finding["value"]), sd)
    return out


def _change(level: str, first: Table, second: Table, treated: bool, straightened: bool) -> Change:
    found = [_height(level, code, first, second, treated) for code in HEIGHTS]
    if treated:
        found.append(_angle(level, first, second, straightened))
    known = [change for change in found if change is not None]
    if not known:
        rule = _rule(treated)
        return Change(
            level=level, worse="indeterminate", rule=rule, what="", change=None, sd=None, share=None,
            reason="no height was measured in both scans",
        )  # fmt: skip
    return max(known, key=lambda change: (RANK[change.worse], -(change.change or 0.0)))


def _rule(treated: bool) -> str:
    if treated:
        return "treated level: at least 15 % of height or 10 degrees (Yu 2017)"
    return "at least 20 % and 4 mm lower than before (Genant convention)"


def _height(level: str, code: str, first: Table, second: Table, treated: bool) -> Change | None:
    if (level, code) not in first or (level, code) not in second:
        return None
    (old, old_sd), (new, new_sd) = first[level, code], second[level, code]
    loss, sd = old - new, _together(old_sd, new_sd)
    limit = TREATED_SHARE * old if treated else max(LOSS_SHARE * old, LOSS_MM)
    return Change(
        level=level,
        worse=_beyond(loss, sd, limit),
        rule=_rule(treated),
        what=code,
        change=-loss,
        sd=sd,
        share=-loss / old if old else None,
        reason=NO_ERROR if sd is None else "",
    )


def _angle(level: str, first: Table, second: Table, straightened: bool) -> Change | None:
    if (level, ANGLE) not in first or (level, ANGLE) not in second:
        return None
    (old, old_sd), (new, new_sd) = first[level, ANGLE], second[level, ANGLE]
    sd = _together(old_sd, new_sd)
    # A wedge that became less between scans before and after its repair is the aim of the repair, no recollapse.
    size = new - old if straightened else abs(new - old)
    return Change(
        level=level,
        worse=_beyond(size, sd, TREATED_DEG),
        rule=_rule(True),
        what=ANGLE,
        change=new - old,
        sd=sd,
        share=None,
        reason=NO_ERROR if sd is None else "",
    )


def _together(first: float | None, second: float | None) -> float | None:
    """The error of a difference; unknown where one of the two is."""
    return None if first is None or second is None else math.hypot(first, second)


def _beyond(size: float, sd: float | None, limit: float) -> Answer:
    """Whether a change reaches a limit: yes and no need the whole 95 % band on one side of it, or no error at all."""
    if sd is None:
        return "indeterminate"
    low, high = size - BAND_SD * sd, size + BAND_SD * sd
    if low >= limit:
        return "yes"
    return "no" if high < limit else "indeterminate"

"""How near the treated vertebra is to collapsing further: load over strength before and after a repair.

An estimated load on the level in daily life over its failure load, as the assessment gives it, for the activities that
the comparison needs: standing and bent forward. Unknown without body mass (bending needs stature too).
"""

from __future__ import annotations

from dataclasses import dataclass

from endplate.biomechanics.loading import ACTIVITIES, estimate_loads, spinal_load, weight_above
from endplate.biomechanics.result import LoadToStrength
from endplate.level import Level
from endplate.patient import PatientRecord
from endplate.repair.augmented.augmented_bone import BeforeAfter
from endplate.repair.augmented.motion_segment import LoadCase
from endplate.repair.band import Band

ACTIVITY: dict[LoadCase, str] = {"standing": ACTIVITIES[0].name, "flexed": ACTIVITIES[1].name}
"""The activity of the load estimate behind each load case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadMargin:
    """Load over failure load of the treated vertebra in one load case, with 95 % bands.

    Attributes
    ----------
    before, after : below 1 the bone carries the load; unknown with a reason. change : after / before, in which the load
    and most of the error of the strength cancel: it is the inverse of the ratio of the failure loads.
    load_n : the estimated load; None where it is not known.
    """

    level: Level
    load_case: LoadCase
    load_n: float | None
    before: Band
    after: Band
    change: Band


def load_margins(record: PatientRecord | None, repaired: BeforeAfter) -> tuple[LoadMargin, ...]:
    """Load-to-strength before and after a repair, standing and bent forward.

    Parameters
    ----------
    record : mass and stature decide the load; None where there is none. repaired : from `strength_before_after`.
    """
    level = repaired.before.level
    estimates = [estimate_loads(record, level, strength) for strength in (repaired.before, repaired.after)]
    return tuple(_margin(record, repaired, case, estimates) for case in ACTIVITY)


def _margin(
    record: PatientRecord | None,
    repaired: BeforeAfter,
    case: LoadCase,
    estimates: list[tuple[LoadToStrength, ...]],
) -> LoadMargin:
    level = repaired.before.level
    activity = next(item for item in ACTIVITIES if item.name == ACTIVITY[case])
    load = spinal_load(record, level, activity)
    bands = []
    for strength, found in zip((repaired.before, repaired.after), estimates, strict=True):
        ratio = next((item for item in found if item.activity == activity.name), None)
        if ratio is None:
            reason = _unknown(record, level, load) or strength.reason or "the curve gave no failure load"
            bands.append(Band(value=None, reason=reason))
        else:
            bands.append(Band(value=ratio.ratio, low=ratio.low, high=ratio.high))
    return LoadMargin(
        level=level,
        load_case=case,
        load_n=load,
        before=bands[0],
        after=bands[1],
        change=_inverse(repaired.failure_ratio),
    )


def _unknown(record: PatientRecord | None, level: Level, load: float | None) -> str:
    """Why there is no load, or nothing."""
    if load is not None:
        return ""
    if record is None or record.mass_kg is None:
        return "body mass is not known; give it in the patient record"
    if weight_above(level) is None:
        return "the share of body weight above this level is only tabulated from T8 to L5"
    return "stature is not known; the load of bending forward needs it"


def _inverse(ratio: Band) -> Band:
    """One over a positive ratio."""
    if ratio.value is None:
        return ratio
    low, high = (None if end is None else 1 / end for end in (ratio.high, ratio.low))
    return Band(value=1 / ratio.value, low=low, high=high)

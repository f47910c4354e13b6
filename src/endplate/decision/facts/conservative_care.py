"""Conservative care of a record: what was tried, and for how long drugs and supervised exercise lasted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from endplate.patient import PatientRecord
from endplate.patient.episode import Treatment

DRUGS = ("analgesia step 1", "analgesia step 2", "analgesia step 3")
STRONGER = ("analgesia step 2", "analgesia step 3")
EARLY_DRUGS = ("analgesia step 1", "analgesia step 2")
MOVEMENT = ("physiotherapy", "mobilisation")


def care_facts(record: PatientRecord) -> Iterator[tuple[str, Any]]:
    """What the list of treatments tells; a measure that was contraindicated was not tried."""
    treatments, today = record.care.treatments, record.recorded_on
    if treatments is None:
        return
    refused = {one.measure for one in treatments if one.outcome == "contraindicated"}
    tried = [one for one in treatments if one.outcome != "contraindicated"]
    measures = {one.measure for one in tried}
    yield "analgesic_step2_tried", not measures.isdisjoint(STRONGER)
    yield "analgesics_contraindicated", not refused.isdisjoint(EARLY_DRUGS)
    yield "mobilisation_offered", not measures.isdisjoint(MOVEMENT)
    yield "nsm_days", _lasted(tried, today)
    yield "drug_days", _lasted([one for one in tried if one.measure in DRUGS], today)
    yield "bed_rest_days", _lasted([one for one in tried if one.measure == "bed rest"], today)
    exercise = [one for one in tried if one.measure == "physiotherapy" and one.supervised is not False]
    # Physiotherapy of which nobody says whether it was supervised may or may not count.
    unsure = any(one.supervised is None for one in exercise)
    yield "exercise_days", None if unsure else _lasted(exercise, today)


def _lasted(treatments: Sequence[Treatment], today: date | None) -> float | None:
    """Days covered by treatments together, 0 without any; None where that hangs on a date that is not known.

    Days without dates may overlap the dated ones: the larger of the two counts.
    """
    ends = [_span(one, today) for one in treatments]
    undated = [one.days for one in treatments if one.started_on is None and one.days is not None]
    if len(ends) > len(undated) + sum(span is not None for span in ends):
        return None
    least, most = ([(start, end[place]) for start, *end in filter(None, ends)] for place in (0, 1))
    covered = [max([0, *undated, _covered(spans)]) for spans in (least, most)]
    return covered[0] if covered[0] == covered[1] else None


def _span(treatment: Treatment, today: date | None) -> tuple[date, date, date] | None:
    """First day, and the earliest and latest last day; None without dates.

    A measure that was not tolerated ended on a day that nobody wrote down.
    """
    start, stop = treatment.started_on, treatment.stopped_on
    if start is not None and treatment.days is not None:
        stop = start + timedelta(min(treatment.days, (date.max - start).days))
    latest = stop or today
    if start is None or latest is None or latest < start:
        return None
    open_end = stop is None and treatment.outcome == "not tolerated"
    return start, start if open_end else latest, latest


def _covered(spans: Iterable[tuple[date, date]]) -> int:
    """Days under any of the spans, a day under several counted once."""
    total, reached = 0, date.min
    for start, end in sorted(spans):
        total += max((end - max(start, reached)).days, 0)
        reached = max(reached, end)
    return total

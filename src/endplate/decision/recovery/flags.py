"""Flags of a course: which rule is met, since when, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from endplate.cited import cited
from endplate.decision.recovery.reading import Reading
from endplate.decision.recovery.tracks import Procedure, expected, tracks_for

RESPONSE_FROM_DAYS = cited(30.0, "d", "Own rule of the clinical reference 7.3: judged from 1 month on", "design")
GAIN_POINTS = cited(2.0, "1", "Farrar 2001: 2 points or 30 %", "knowledge")
GAIN_SHARE = cited(0.30, "1", "Farrar 2001: 2 points or 30 %", "knowledge")
RELAPSE_POINTS = cited(2.0, "1", "Own rule of the clinical reference 7.3: 2 points and 30 % above the nadir", "design")
RELAPSE_SHARE = cited(0.30, "1", "Own rule of the clinical reference 7.3: 2 points and 30 % above the nadir", "design")
RELAPSE_APART_DAYS = cited(2.0, "d", "Own rule of the clinical reference 7.3: two readings 48 h apart", "design")
RELAPSE_AT_ONCE = cited(4.0, "1", "Own rule of the clinical reference 7.3: or one rise of 4 points", "design")
RMDQ_RISE = cited(5.0, "1", "Stratford 1996: MDC90 4-5 points", "verified")
RMDQ_TOO_HIGH = cited(20.0, "1", "Stratford 1996: above 20 a worsening cannot be told", "verified")
STATURE_CM = cited(
    2.0, "cm", "ISCD 2007: prospective height loss above 2 cm in women (3 in men); own rule takes >= 2", "verified"
)

Urgency = Literal["same day", "soon", "next visit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A rule of the follow-up that is met."""

    code: str
    since: date
    text: str
    action: str
    urgency: Urgency
    source: str


Rule = Callable[[Procedure, Reading, Sequence[Reading], float | None], Iterator[Flag]]

RECHECK = "recheck the level, cement leak, a fracture beside it, the sacrum and the facet joints"
AGAIN = "MRI with STIR: look for a new fracture"


def flags(
    procedure: Procedure, start: Reading, readings: Sequence[Reading], fracture_days: float | None = None
) -> tuple[Flag, ...]:
    """All flags of a course, most urgent first.

    Parameters
    ----------
    procedure : what was done at the start, "none" for conservative care. start : the day it was done, or of the onset.
    readings : later visits, any order. fracture_days : age of the fracture at the start.
    """
    later = sorted((reading for reading in readings if reading.on >= start.on), key=lambda reading: reading.on)
    rules: tuple[Rule, ...] = (_emergency, _relapse, _rmdq, _stature, _response, _trajectory)
    found = [flag for rule in rules for flag in rule(procedure, start, later, fracture_days)]
    order = {"same day": 0, "soon": 1, "next visit": 2}
    return tuple(sorted(found, key=lambda flag: (order[flag.urgency], flag.since)))


def _emergency(procedure: Procedure, start: Reading, later: Sequence[Reading], age: float | None) -> Iterator[Flag]:
    for reading in later:
        signs = [
            name
            for name, present in (
                ("new neurological deficit", reading.deficit),
                ("fever", reading.fever),
                ("breathlessness or chest pain", reading.breathless),
            )
            if present
        ]
        if signs:
            after = " after cement: possible complication" if procedure != "none" else ""
            yield Flag(
                code="cement_complication" if procedure != "none" else "emergency",
                since=reading.on,
                text=", ".join(signs) + after,
                action="see the patient the same day",
                urgency="same day",
                source="clinical reference 7.3, own rule",
            )


def _relapse(procedure: Procedure, start: Reading, later: Sequence[Reading], age: float | None) -> Iterator[Flag]:
    rated = [reading for reading in (start, *later) if reading.nrs is not None]
    for place, reading in enumerate(rated):
        nadir = min((float(r.nrs) for r in rated[:place] if r.nrs is not None), default=None)
        if nadir is None or reading.nrs is None:
            continue
        at_once = reading.nrs - nadir >= float(RELAPSE_AT_ONCE)
        again = [r for r in rated[:place] if _above(r, rated, nadir) and _apart(r, reading)]
        if at_once or (_high(reading.nrs, nadir) and again):
            yield _relapsed(reading, f"pain {reading.nrs:g} against a nadir of {nadir:g}")
            return
    for reading in later:
        if reading.new_focal_pain:
            yield _relapsed(reading, "pain at a new level")
            return


def _high(nrs: float, nadir: float) -> bool:
    """Far enough above the nadir: by points and by share of it."""
    return nrs - nadir >= float(RELAPSE_POINTS) and nrs >= nadir * (1 + float(RELAPSE_SHARE))


def _above(reading: Reading, rated: Sequence[Reading], nadir: float) -> bool:
    """Whether an earlier reading was itself high, and came after the nadir."""
    low = [r.on for r in rated if r.nrs == nadir]
    return reading.nrs is not None and reading.on > min(low) and _high(reading.nrs, nadir)


def _apart(first: Reading, second: Reading) -> bool:
    return (second.on - first.on).days >= float(RELAPSE_APART_DAYS)


def _relapsed(reading: Reading, text: str) -> Flag:
    return Flag(
        code="relapse",
        since=reading.on,
        text=text,
        action=AGAIN,
        urgency="soon",
        source="clinical reference 7.3, own rule",
    )


def _rmdq(procedure: Procedure, start: Reading, later: Sequence[Reading], age: float | None) -> Iterator[Flag]:
    nadir = start.rmdq
    if nadir is None or nadir > float(RMDQ_TOO_HIGH):
        return
    for reading in later:
        if reading.rmdq is None:
            continue
        if reading.rmdq - nadir >= float(RMDQ_RISE):
            yield Flag(
                code="function_worse",
                since=reading.on,
                text=f"Roland-Morris {reading.rmdq:g} against a nadir of {nadir:g}",
                action=AGAIN,
                urgency="soon",
                source=RMDQ_RISE.source,
            )
            return
        nadir = min(nadir, reading.rmdq)


def _stature(procedure: Procedure, start: Reading, later: Sequence[Reading], age: float | None) -> Iterator[Flag]:
    for reading in later:
        if start.height_cm is None or reading.height_cm is None:
            continue
        if start.height_cm - reading.height_cm >= float(STATURE_CM):
            yield Flag(
                code="stature",
                since=reading.on,
                text=f"{start.height_cm - reading.height_cm:.1f} cm shorter than at the start",
                action="image the spine",
                urgency="soon",
                source=STATURE_CM.source,
            )
            return


def _response(procedure: Procedure, start: Reading, later: Sequence[Reading], age: float | None) -> Iterator[Flag]:
    if start.nrs is None:
        return
    judged = [r for r in later if r.nrs is not None and (r.on - start.on).days >= float(RESPONSE_FROM_DAYS)]
    if not judged:
        return
    last = judged[-1]
    gain = start.nrs - float(last.nrs or 0)
    if gain < float(GAIN_POINTS) and gain < float(GAIN_SHARE) * start.nrs:
        yield Flag(
            code="no_improvement",
            since=last.on,
            text=f"pain {last.nrs:g} against {start.nrs:g} at the start: less than 2 points and less than 30 %",
            action=RECHECK,
            urgency="next visit",
            source=GAIN_POINTS.source,
        )


def _trajectory(procedure: Procedure, start: Reading, later: Sequence[Reading], age: float | None) -> Iterator[Flag]:
    tracks = tracks_for(procedure, "nrs", age)
    if start.nrs is None or not tracks:
        return
    for reading in reversed(later):
        day = (reading.on - start.on).days
        if reading.nrs is None or day < float(RESPONSE_FROM_DAYS):
            continue
        bands = [band for track in tracks if (band := expected(track, start.nrs, day)) is not None]
        if bands and all(reading.nrs > band.high for band in bands):
            high = max(band.high for band in bands)
            yield Flag(
                code="off_trajectory",
                since=reading.on,
                text=f"pain {reading.nrs:g}; {high:.1f} is one SD above what is expected on day {day}",
                action=RECHECK,
                urgency="next visit",
                source="; ".join(track.basis for track in tracks),
            )
        return

"""Flags of a course: which rule is met, since when, what to do, and since when it is met no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from endplate.cited import citation_of, cited
from endplate.decision.recovery.expected_course import Procedure, course_models_for, expected
from endplate.decision.recovery.visit_scores import VisitScores

RESPONSE_FROM_DAYS = cited(30.0, "d", "own rule: judged from 1 month on", "design")
GAIN_POINTS = cited(2.0, "1", "Farrar 2001: 2 points or 30 %", "knowledge", cite="farrar_2001")
GAIN_SHARE = cited(0.30, "1", "Farrar 2001: 2 points or 30 %", "knowledge", cite="farrar_2001")
RELAPSE_POINTS = cited(2.0, "1", "own rule: 2 points and 30 % above the nadir", "design")
RELAPSE_SHARE = cited(0.30, "1", "own rule: 2 points and 30 % above the nadir", "design")
RELAPSE_APART_DAYS = cited(2.0, "d", "own rule: two readings 48 h apart", "design")
RELAPSE_AT_ONCE = cited(4.0, "1", "own rule: or one rise of 4 points", "design")
RMDQ_RISE = cited(5.0, "1", "Stratford 1996: MDC90 4-5 points (abstract)", "verified", cite="stratford_1996")
RMDQ_TOO_HIGH = cited(
    20.0, "1", "Stratford 1996: above 20 a worsening cannot be told (abstract)", "verified", cite="stratford_1996"
)
STATURE_CM = cited(
    2.0,
    "cm",
    "ISCD 2007: prospective height loss above 2 cm in women (3 in men); own rule takes >= 2",
    "verified",
    cite="iscd_2007",
)

Urgency = Literal["same day", "soon", "next visit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A rule of the follow-up that is met; `settled_on` is the later day that said otherwise, None while it is open."""

    code: str
    since: date
    text: str
    action: str
    urgency: Urgency
    source: str
    settled_on: date | None = None


Rule = Callable[[Procedure, VisitScores, Sequence[VisitScores], float | None], Iterator[Flag]]

RECHECK = "recheck the level, cement leak, a fracture beside it, the sacrum and the facet joints"
OWN_RULE = "own rule of the follow-up"
AGAIN = "MRI with STIR: look for a new fracture"


def flags(
    procedure: Procedure, start: VisitScores, readings: Sequence[VisitScores], fracture_days: float | None = None
) -> tuple[Flag, ...]:
    """All flags of a course: the open ones, most urgent first, then those that a later visit settled.

    Parameters
    ----------
    procedure : what was done at the start, "none" for conservative care. start : the day it was done, or of the onset.
    readings : later visits, any order. fracture_days : age of the fracture at the start.
    """
    later = sorted((reading for reading in readings if reading.on >= start.on), key=lambda reading: reading.on)
    rules: tuple[Rule, ...] = (_emergency, _relapse, _rmdq, _stature, _response, _trajectory)
    found = [flag for rule in rules for flag in rule(procedure, start, later, fracture_days)]
    order = {"same day": 0, "soon": 1, "next visit": 2}
    return tuple(sorted(found, key=lambda flag: (flag.settled_on is not None, order[flag.urgency], flag.since)))


def alarm_since(readings: Sequence[VisitScores]) -> date | None:
    """Since when a sign stands that needs the patient seen the same day; None where each was denied at a later visit.

    Parameters
    ----------
    readings : those since the start, by day.
    """
    return min((since for (since, settled), _ in _signs(readings) if settled is None), default=None)


Spell = tuple[date, date | None]
"""Since when something holds, and the later day that said it holds no more."""


def _spells(states: Iterable[tuple[date, bool | None, str]]) -> Iterator[tuple[Spell, str]]:
    """Each time from a yes to the no of a later day, with what was said at the yes; unknown changes nothing."""
    first: tuple[date, str] | None = None
    last = date.min
    for on, state, text in states:
        if state:
            first, last = first or (on, text), on
        elif state is False and first is not None and on > last:
            yield (first[0], on), first[1]
            first = None
    if first is not None:
        yield (first[0], None), first[1]


SIGNS = {"deficit": "new neurological deficit", "fever": "fever", "breathless": "breathlessness or chest pain"}


def _signs(later: Sequence[VisitScores]) -> list[tuple[Spell, str]]:
    """Spells of each emergency sign."""
    return [spell for name, words in SIGNS.items() for spell in _spells((r.on, getattr(r, name), words) for r in later)]


def _emergency(
    procedure: Procedure, start: VisitScores, later: Sequence[VisitScores], age: float | None
) -> Iterator[Flag]:
    together: dict[Spell, list[str]] = {}
    for spell, words in _signs(later):
        together.setdefault(spell, []).append(words)
    for (since, settled_on), signs in together.items():
        yield Flag(
            code="cement_complication" if procedure != "none" else "emergency",
            since=since,
            text=", ".join(signs) + (" after cement: possible complication" if procedure != "none" else ""),
            action="see the patient the same day",
            urgency="same day",
            source=OWN_RULE,
            settled_on=settled_on,
        )


def _relapse(
    procedure: Procedure, start: VisitScores, later: Sequence[VisitScores], age: float | None
) -> Iterator[Flag]:
    for spell, text in _spells(_pain([reading for reading in (start, *later) if reading.nrs is not None])):
        yield _worse("relapse", spell, text)
    for spell, text in _spells((r.on, r.new_focal_pain, "pain at a new level") for r in later):
        yield _worse("relapse", spell, text)


def _pain(rated: Sequence[VisitScores]) -> Iterator[tuple[date, bool | None, str]]:
    """Of each rating: whether it makes a relapse; a no where pain is near its nadir again, whence all counts anew."""
    fresh, relapsed = 0, False
    for place, reading in enumerate(rated):
        nadir = min((float(r.nrs) for r in rated[:place] if r.nrs is not None), default=None)
        if nadir is None or reading.nrs is None:
            continue
        text = f"pain {reading.nrs:g} against a nadir of {nadir:g}"
        if not _high(reading.nrs, nadir):
            fresh, relapsed = (place, False) if relapsed else (fresh, relapsed)
            yield reading.on, False, text
            continue
        again = any(_above(r, rated, nadir) and _apart(r, reading) for r in rated[fresh:place])
        relapsed = relapsed or again or reading.nrs - nadir >= RELAPSE_AT_ONCE
        yield reading.on, relapsed or None, text


def _high(nrs: float, nadir: float) -> bool:
    """Far enough above the nadir: by points and by share of it."""
    return nrs - nadir >= RELAPSE_POINTS and nrs >= nadir * (1 + RELAPSE_SHARE)


def _above(reading: VisitScores, rated: Sequence[VisitScores], nadir: float) -> bool:
    """Whether an earlier reading was itself high, and came after the nadir."""
    low = [r.on for r in rated if r.nrs == nadir]
    return reading.nrs is not None and reading.on > min(low) and _high(reading.nrs, nadir)


def _apart(first: VisitScores, second: VisitScores) -> bool:
    return (second.on - first.on).days >= RELAPSE_APART_DAYS


def _worse(code: str, spell: Spell, text: str, action: str = AGAIN, source: str = OWN_RULE) -> Flag:
    since, settled_on = spell
    return Flag(code=code, since=since, text=text, action=action, urgency="soon", source=source, settled_on=settled_on)


def _rmdq(procedure: Procedure, start: VisitScores, later: Sequence[VisitScores], age: float | None) -> Iterator[Flag]:
    nadir = start.rmdq
    if nadir is None or nadir > RMDQ_TOO_HIGH:
        return
    found = []
    for reading in later:
        if reading.rmdq is not None:
            text = f"Roland-Morris {reading.rmdq:g} against a nadir of {nadir:g}"
            found.append((reading.on, reading.rmdq - nadir >= RMDQ_RISE, text))
            nadir = min(nadir, reading.rmdq)
    for spell, text in _spells(found):
        yield _worse("function_worse", spell, text, source=citation_of(RMDQ_RISE).source)


def _stature(
    procedure: Procedure, start: VisitScores, later: Sequence[VisitScores], age: float | None
) -> Iterator[Flag]:
    lost = [
        (reading.on, start.height_cm - reading.height_cm)
        for reading in later
        if start.height_cm is not None and reading.height_cm is not None
    ]
    found = [(on, loss >= STATURE_CM, f"{loss:.1f} cm shorter than at the start") for on, loss in lost]
    for spell, text in _spells(found):
        yield _worse("stature", spell, text, "image the spine", citation_of(STATURE_CM).source)


def _response(
    procedure: Procedure, start: VisitScores, later: Sequence[VisitScores], age: float | None
) -> Iterator[Flag]:
    if start.nrs is None:
        return
    judged = [r for r in later if r.nrs is not None and (r.on - start.on).days >= RESPONSE_FROM_DAYS]
    if not judged:
        return
    last = judged[-1]
    gain = start.nrs - float(last.nrs or 0)
    if gain < GAIN_POINTS and gain < GAIN_SHARE * start.nrs:
        yield Flag(
            code="no_improvement",
            since=last.on,
            text=f"pain {last.nrs:g} against {start.nrs:g} at the start: less than 2 points and less than 30 %",
            action=RECHECK,
            urgency="next visit",
            source=citation_of(GAIN_POINTS).source,
        )


def _trajectory(
    procedure: Procedure, start: VisitScores, later: Sequence[VisitScores], age: float | None
) -> Iterator[Flag]:
    tracks = course_models_for(procedure, "nrs", age)
    if start.nrs is None or not tracks:
        return
    for reading in reversed(later):
        day = (reading.on - start.on).days
        if reading.nrs is None or day < RESPONSE_FROM_DAYS:
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

"""Fractures of a record and its scan as prevention asks for them: which count as fragility, and how old the last is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from endplate.cited import cited
from endplate.decision.facts.case_facts import known_old, level_facts
from endplate.decision.facts.durations import MONTH_DAYS, days_between, months
from endplate.decision.facts.record_facts import kleene_or
from endplate.decision.logic.kleene import Truth
from endplate.decision.prevention.past_drugs import fracture_under_drug
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import PatientRecord
from endplate.patient.health import PriorFracture

SHORTEST_MONTHS = cited(12.0, "mo", "The shortest time that a guideline calls recent", "secondary", cite="aace_2020")
"""A fracture this recent is recent to every guideline, whatever others without a date there may be."""


ASSUMED_FROM_YR = cited(
    50.0,
    "a",
    "Every newly found vertebral fracture; fragility is assumed where no adequate trauma is known: men from 50",
    "secondary",
    cite="nogg_section8",
)
ARM = ("wrist", "humerus")


@dataclass(frozen=True, slots=True, kw_only=True)
class VertebralFracture:
    """One vertebral fracture: days since it happened, and whether weak bone alone broke."""

    days: float | None
    fragile: Truth


def fracture_facts(record: PatientRecord, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Facts by name; None where unknown."""
    past, today = record.history.fractures, record.recorded_on
    broken = fractured_now(record, findings)
    old = {level for f in past or () if f.site == "vertebra" for level in f.levels or ("unnamed",)}
    count = len({str(level) for level in broken if not malignant(record, level)} | old)
    hips = [f for f in past or () if f.site == "hip" and f.low_energy is not False]
    others = [f for f in past or () if f.site not in ("hip", "vertebra")]
    arms = [f for f in others if f.site in ARM and f.low_energy is not False]
    fragile = _fragile(record, findings, broken)
    return {
        "fragility_fracture": True if fragile is None and fragility_assumed(record, findings) else fragile,
        "vertebral_fractures": count if past is not None or count > 1 else None,
        "fracture_months": months(last_vertebral_days(record, findings)),
        "hip_fracture": None if past is None else bool(hips),
        "hip_fracture_months": months(_latest(days_between(f.on, today) for f in hips)),
        "other_fragility_fracture": None if past is None else kleene_or(*(f.low_energy for f in others)),
        "other_fracture_months": months(
            _latest(days_between(f.on, today) for f in others if f.low_energy is not False)
        ),
        "arm_fracture": None if past is None else bool(arms),
        "arm_fracture_months": months(_latest(days_between(f.on, today) for f in arms)),
        "fracture_on_treatment": fracture_under_drug(record, last_vertebral_on(record, findings)),
    }


def fragility_assumed(record: PatientRecord, findings: tuple[Finding, ...]) -> bool:
    """Whether a vertebral fracture is taken as one of fragility because nobody says how it came.

    For postmenopausal women and men of 50 and over without known cancer: no adequate trauma is known.
    """
    if record.age_yr < ASSUMED_FROM_YR and not record.history.postmenopausal:
        return False
    shown = record.cancer.known or record.cancer.myeloma or record.cancer.bone_metastasis
    found = tuple(_vertebral(record, fractured_now(record, findings), findings))
    return not shown and any(one.fragile is None for one in found) and not any(one.fragile for one in found)


def malignant(record: PatientRecord, level: Level) -> bool:
    """Whether a level is proven malignant; cancer in the history alone does not make a fracture one of a tumour."""
    if not _tumour_recorded(record):
        return False
    criterion = rulebook().criteria["definitions.malignant_fracture"]
    return criterion.truth(derive(level_facts(record, (), level).values)) is True


def _tumour_recorded(record: PatientRecord) -> bool:
    """Whether the record holds any sign of a tumour at all: without one no level is worth the full question."""
    cancer = record.cancer
    return bool(cancer.known or cancer.myeloma or cancer.bone_metastasis or cancer.biopsy_positive) or any(
        read.biopsy_malignant
        or read.cause == "malignant"
        or read.lesion not in (None, "none")
        or read.lesion_destructive
        or read.pedicle_destroyed
        or read.epidural_mass
        or read.convex_posterior_cortex
        for read in record.levels.values()
    )


def fractured_now(record: PatientRecord, findings: Iterable[Finding]) -> tuple[Level, ...]:
    """Levels that the record or the scan calls fractured; what a person denies outranks the scan."""
    listed = {level for level, read in record.levels.items() if read.fracture}
    denied = {level for level, read in record.levels.items() if read.fracture is False}
    found = {f.level for f in findings if f.code == "fracture" and f.value == "yes" and f.level is not None}
    return tuple(sorted((listed | found) - denied))


def last_vertebral_days(record: PatientRecord, findings: Iterable[Finding]) -> float | None:
    """Days since the last vertebral fragility fracture; of any vertebral fracture where none may be one."""
    every = tuple(_vertebral(record, fractured_now(record, findings), findings))
    return _latest(one.days for one in [one for one in every if one.fragile is not False] or every)


def last_vertebral_on(record: PatientRecord, findings: Iterable[Finding]) -> date | None:
    """The day of the last vertebral fragility fracture."""
    days = last_vertebral_days(record, findings)
    if record.recorded_on is None or days is None:
        return record.episode.onset_on if record.recorded_on is None else None
    return record.recorded_on - timedelta(days)


def _vertebral(
    record: PatientRecord, broken: Iterable[Level], findings: Iterable[Finding]
) -> Iterator[VertebralFracture]:
    today = record.recorded_on
    earlier = [f for f in record.history.fractures or () if f.site == "vertebra"]
    named = {level: f for f in earlier for level in f.levels or ()}
    for level in broken:
        read, stated = record.levels.get(level), named.pop(str(level), None)
        if malignant(record, level):
            continue
        on = (read and read.fracture_on) or (stated and stated.on)
        elsewhere = known_old(record, level, findings) or record.pain.from_fracture is False
        days = days_between(on, today) if on else None if elsewhere else record.episode.days_at(today)
        yield VertebralFracture(days=days, fragile=_low_energy(record, level, stated, findings))
    for fracture in earlier:
        if not fracture.levels or any(level in named for level in fracture.levels):
            yield VertebralFracture(days=days_between(fracture.on, today), fragile=fracture.low_energy)


def _low_energy(
    record: PatientRecord, level: Level, recorded: PriorFracture | None, findings: Iterable[Finding]
) -> Truth:
    """Whether a level broke without high energy; a violent event now does not explain one that broke before."""
    if recorded is not None and recorded.low_energy is not None:
        return recorded.low_energy
    cause = record.levels[level].cause if level in record.levels else None
    if cause is not None:
        return cause == "osteoporotic"
    now = record.episode.low_energy
    return None if now is False and known_old(record, level, findings) else now


def _fragile(record: PatientRecord, findings: Iterable[Finding], broken: tuple[Level, ...]) -> Truth:
    """Whether a vertebra broke without high energy, now or before; unknown where nobody says so."""
    answers = [one.fragile for one in _vertebral(record, broken, findings)]
    looked = any(f.code == "fracture" for f in findings) or any(r.fracture is False for r in record.levels.values())
    if record.history.fractures is None or not (broken or looked):
        answers.append(None)
    return kleene_or(*answers)


def _latest(days: Iterable[float | None]) -> float | None:
    """The least of the days; unknown where one without a date may be later and change an answer."""
    every = tuple(days)
    known = [one for one in every if one is not None]
    if not known or (len(known) < len(every) and min(known) > SHORTEST_MONTHS * MONTH_DAYS):
        return None
    return min(known)

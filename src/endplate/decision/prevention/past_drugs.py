"""Osteoporosis drugs of a record over time: how long, taken or ended, a fracture under them, denosumab stopped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from endplate.cited import cited
from endplate.decision.facts.durations import MONTH_DAYS
from endplate.patient import PatientRecord
from endplate.patient.drugs import BoneDrug
from endplate.patient.medication import medication

MONTHS_PER_YEAR = cited(12.0, "mo", "Months of a year, exact", "design")
ORAL, ZOLEDRONATE, DENOSUMAB = "oral bisphosphonate", "zoledronate", "denosumab"
POTENT_AFTER = (ORAL, ZOLEDRONATE, "intravenous bisphosphonate")
"""What, taken after denosumab, holds the rebound off."""
PTH_LIKE = ("teriparatide", "abaloparatide")


def past_drug_facts(record: PatientRecord) -> dict[str, Any]:
    """Facts by name; None where unknown."""
    found, today = medication(record.drugs), record.recorded_on
    drugs, past = found.bone_drugs, found.bone_past
    if drugs is None:
        return {"denosumab_stopped": True if DENOSUMAB in past else None}
    stopped = _stopped(drugs, past, today)
    return {
        "on_oral_bisphosphonate": _taken(drugs, (ORAL,), past),
        "on_denosumab": _taken(drugs, (DENOSUMAB,), past) and not stopped,
        "oral_bisphosphonate_years": _years(_months(drugs, (ORAL,), past, today)),
        "zoledronate_years": _years(_months(drugs, (ZOLEDRONATE,), past, today)),
        "teriparatide_months": _months(drugs, PTH_LIKE, past, today),
        "romosozumab_months": _months(drugs, ("romosozumab",), past, today),
        "denosumab_stopped": stopped,
    }


def fracture_under_drug(record: PatientRecord, fractured_on: date | None) -> bool | None:
    """Whether a fracture came while an osteoporosis drug was taken: as told, or by the dates; None where unknown."""
    drugs = medication(record.drugs).bone_drugs
    found = [drug.fracture_on_it for drug in drugs or ()]
    if any(found) or any(_covers(drug, fractured_on) for drug in drugs or () if drug.fracture_on_it is None):
        return True
    return False if drugs == () and not medication(record.drugs).bone_past else None


def _covers(drug: BoneDrug, day: date | None) -> bool:
    """Whether a drug was begun before a day and not yet ended on it."""
    if day is None or drug.started_on is None:
        return False
    return drug.started_on < day and (drug.stopped_on is None or day <= drug.stopped_on)


def _taken(drugs: Iterable[BoneDrug], classes: tuple[str, ...], past: frozenset[str]) -> bool:
    return any(drug.drug in classes and drug.stopped_on is None for drug in drugs)


def _months(
    drugs: Iterable[BoneDrug], classes: tuple[str, ...], past: frozenset[str], today: date | None
) -> float | None:
    """Months under drugs of some classes; 0 where none was taken, None where a day is not known."""
    if any(name in past for name in classes):
        return None
    total = 0.0
    for drug in drugs:
        if drug.drug in classes:
            end = drug.stopped_on or today
            if drug.started_on is None or end is None:
                return None
            total += max((end - drug.started_on).days, 0) / MONTH_DAYS
    return total


def _years(months: float | None) -> float | None:
    return None if months is None else months / MONTHS_PER_YEAR


def _stopped(drugs: tuple[BoneDrug, ...], past: frozenset[str], today: date | None) -> bool:
    """Whether denosumab was stopped and nothing followed that holds the rebound off."""
    ended = [drug.stopped_on for drug in drugs if drug.drug == DENOSUMAB and drug.stopped_on is not None]
    again = any(drug.drug == DENOSUMAB and drug.stopped_on is None for drug in drugs)
    if again or not (ended or DENOSUMAB in past):
        return False
    last = max(ended, default=None)
    return not any(_followed(drug, last) for drug in drugs)


def _followed(drug: BoneDrug, last: date | None) -> bool:
    """Whether a bisphosphonate was taken after the end of denosumab."""
    if drug.drug not in POTENT_AFTER:
        return False
    if last is None or drug.stopped_on is None:
        return True
    return drug.stopped_on > last

"""What the drugs of a record come to: told in its fields and read from its list of names, both together.

A drug in the list outranks a "no" in the fields, since a list that names it is a record of it; the contradiction is
said. A name that may be such a drug but is not understood leaves a "no" open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from endplate.cited import cited
from endplate.patient.drugs import BoneDrug, BoneDrugClass, Drugs, Glucocorticoid, prednisone_mg
from endplate.patient.named_drug import DrugList, NamedDrug, read_list

KEPT = int(cited(1024.0, "1", "Records whose drugs are kept read: own choice", "design"))
NOTHING = DrugList(drugs=(), not_understood=())
BONE_CLASSES = frozenset(get_args(BoneDrugClass))


@dataclass(frozen=True, slots=True, kw_only=True)
class Medication:
    """The drugs of a record.

    Attributes
    ----------
    listed : the list of names as read. anticoagulant, antiplatelet : whether one is taken; None unknown.
    anticoagulants : the entries of the list that are anticoagulants now. courses : of glucocorticoids, those of the
    list without dates; None unknown. dose_unknown : a glucocorticoid is listed whose daily dose is not stated.
    bone_drugs : present and past; None unknown.
    bone_past : classes that the list calls stopped without a day. notes : what contradicts, or has to be asked.
    """

    listed: DrugList
    anticoagulant: bool | None
    antiplatelet: bool | None
    anticoagulants: tuple[str, ...]
    courses: tuple[Glucocorticoid, ...] | None
    dose_unknown: bool
    bone_drugs: tuple[BoneDrug, ...] | None
    bone_past: frozenset[str]
    notes: tuple[str, ...]


@lru_cache(maxsize=KEPT)
def medication(drugs: Drugs) -> Medication:
    """What the drugs of a record come to."""
    listed = NOTHING if drugs.names is None else read_list(drugs.names)
    courses, open_dose = _courses(drugs, listed)
    return Medication(
        listed=listed,
        anticoagulant=_anticoagulant(drugs, listed),
        antiplatelet=_antiplatelet(drugs, listed),
        anticoagulants=tuple(one.entry for one in listed.of("anticoagulant") if one.taken),
        courses=courses,
        dose_unknown=open_dose,
        bone_drugs=_bone_drugs(drugs, listed),
        bone_past=frozenset(
            one.drug.drug_class for one in listed.of("bone") if one.taken is False and one.stopped_on is None
        ),
        notes=tuple(_notes(drugs, listed)),
    )


def _anticoagulant(drugs: Drugs, listed: DrugList) -> bool | None:
    found = [one.taken for one in listed.of("anticoagulant")]
    if any(found) or drugs.anticoagulant:
        return True
    if None in found or listed.perhaps("anticoagulant"):
        return None
    return drugs.anticoagulant


def _antiplatelet(drugs: Drugs, listed: DrugList) -> bool | None:
    """By the list alone; none in a list that is understood to the last entry says no."""
    found = [one.taken for one in listed.of("antiplatelet")]
    if any(found):
        return True
    if drugs.names is None or None in found or listed.not_understood:
        return None
    return False


def _courses(drugs: Drugs, listed: DrugList) -> tuple[tuple[Glucocorticoid, ...] | None, bool]:
    """The courses told, with those of the list that they do not hold; and whether a dose is missing."""
    stated = drugs.glucocorticoids
    running = any(course.stopped_on is None and course.ongoing is not False for course in stated or ())
    systemic = [one for one in listed.of("glucocorticoid") if not one.local and one.taken is not False]
    if running or not systemic:
        doubtful = not running and bool(listed.perhaps("glucocorticoid"))
        return (None if doubtful and stated == () else stated), False
    read = [(one, _course(one)) for one in systemic]
    found = tuple(course for _, course in read if course is not None)
    if len(found) < len(read):
        return stated or None, True
    return (*(stated or ()), *found), False


def _course(one: NamedDrug) -> Glucocorticoid | None:
    """A running course of a listed glucocorticoid; None where its dose is not stated or it may be paused."""
    dose = None if one.mg_day is None or one.taken is None else prednisone_mg(one.drug, one.mg_day)
    if dose is None or one.mg_day is None:
        return None
    return Glucocorticoid(prednisone_mg_day=dose, started_on=one.started_on, ongoing=True)


def _bone_drugs(drugs: Drugs, listed: DrugList) -> tuple[BoneDrug, ...] | None:
    """The drugs told, with those of the list that they do not hold."""
    stated = drugs.bone_drugs
    stated_drugs = {one.drug for one in stated or ()}
    more = [one for one in listed.of("bone") if one.drug.drug_class in BONE_CLASSES - stated_drugs and _dated(one)]
    if not more and stated is not None and not stated and listed.perhaps("bone"):
        return None
    if not more:
        return stated
    days = ({"started_on": one.started_on, "stopped_on": one.stopped_on} for one in more)
    read = (BoneDrug.model_validate({"drug": one.drug.drug_class} | day) for one, day in zip(more, days, strict=True))
    return (*(stated or ()), *read)


def _dated(one: NamedDrug) -> bool:
    """Whether a listed drug is taken now, or is known to have ended on a day."""
    return one.taken is True or (one.taken is False and one.stopped_on is not None)


def _notes(drugs: Drugs, listed: DrugList) -> Iterator[str]:
    taken = [one for one in listed.drugs if one.taken and not one.local]
    for group, said_no, words in (
        ("anticoagulant", drugs.anticoagulant is False, "drugs.anticoagulant is false"),
        ("glucocorticoid", drugs.glucocorticoids == (), "drugs.glucocorticoids is empty"),
        ("bone", drugs.bone_drugs == (), "drugs.bone_drugs is empty"),
    ):
        names = ", ".join(one.entry for one in taken if one.drug.group == group)
        if said_no and names:
            yield f"the list names {names}, but {words}: the list is taken, please correct the record"
    for one in listed.drugs:
        if one.taken is None and one.drug.group != "other":
            yield f"{one.entry}: is it taken now?"
    for missing in listed.not_understood:
        yield missing.words

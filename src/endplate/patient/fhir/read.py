"""FHIR R4 resources back into a record: our own without loss, other programs' as far as their codes are sure.

What is not used is listed with the reason: first what denies, retracts or changes a meaning, then the rest.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from endplate.cited import cited
from endplate.errors import RecordError
from endplate.patient.fhir.code import OURS
from endplate.patient.fhir.code_table import codes_of
from endplate.patient.fhir.context import Context, Told, left
from endplate.patient.fhir.diagnosis import one_a_fracture, read_allergy, read_condition, read_procedure
from endplate.patient.fhir.flat import NONE_AT_ALL, unflatten
from endplate.patient.fhir.medicine import read_drug
from endplate.patient.fhir.observation import plain_value, read_observation
from endplate.patient.fhir.opened import opened
from endplate.patient.fhir.person import ask_person, person_notes, read_person
from endplate.patient.fhir.usable import MODIFIED, READ, why_unused
from endplate.patient.fhir.when import day_text, whole_day
from endplate.patient.record import PatientRecord, parse_record

Resource = dict[str, Any]
Added = tuple[str, dict[str, Any]]
"""A list of the record, and what an item of it gets, by the end of its path."""
MADE = f"{OURS}:resource"
"""System of the identifier of every resource that endplate writes."""
DERIVED = ("Condition", "Flag", "RiskAssessment", "CarePlan", "ServiceRequest")
"""Kinds that endplate writes from the record and does not read back where the record itself is there."""
LONGEST = int(cited(120.0, "1", "Letters of a name that are shown: own choice", "design"))
NAMES = ("code", "medicationCodeableConcept", "type")
"""Where a resource says what it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromFhir:
    """A record read from FHIR, what of the bundle was not used and why, and what of it should be asked about."""

    record: PatientRecord
    unused: tuple[str, ...]
    notes: tuple[str, ...] = ()


def record_from_bundle(
    text: str | bytes,
    name: str = "bundle",
    today: date | None = None,
    sex: str | None = None,
    age_yr: float | None = None,
) -> FromFhir:
    """Read a bundle.

    Parameters
    ----------
    text : JSON of a Bundle, or of a single Patient.
    name : opens the message of an error.
    today : the day on which a birth date becomes an age, unless the bundle holds a record with a day of its own.
    sex, age_yr : what the bundle does not tell; they outrank it.

    Raises
    ------
    RecordError : not JSON, not a Bundle, no patient or several, not valid R4B, sex or age missing, or values that a
    record refuses.
    """
    patient, resources, out = opened(text, name)
    about = _context(resources, today or date.today())
    person = dict(read_person(patient if sex is None else _sexless(patient), about.today, name))
    pairs: list[tuple[str, Any]] = list(person.items())
    unused, notes, added = [_line(one, why) for one, why in out], person_notes(patient), list[Added]()
    for resource in sorted([patient, *resources], key=lambda one: day_text(one, about.encounters)):
        told = _read(resource, about, name)
        pairs += told.pairs
        added += told.items
        # A newer value answers what an older one left to ask.
        notes = {path: note for path, note in notes.items() if path not in dict(told.pairs)} | told.notes
        if told.unused:
            unused.append(_line(resource, told.unused))
    pairs += [(path, value) for path, value in (("sex", sex), ("age_yr", age_yr)) if value is not None]
    return FromFhir(
        record=_record(_with(pairs, added), name), unused=tuple(_listed(unused)), notes=tuple(notes.values())
    )


def _record(pairs: list[tuple[str, Any]], name: str) -> PatientRecord:
    try:
        tree = unflatten(pairs)
    except ValueError as error:
        raise RecordError(f"{name} names a field that no record has", str(error), "mend the bundle") from error
    ask_person(tree, name)
    return parse_record(json.dumps(tree, default=str), name)


def _sexless(patient: Resource) -> Resource:
    return {key: value for key, value in patient.items() if key not in ("gender", "extension")}


def _context(resources: list[Resource], today: date) -> Context:
    """The day of the record, and what other resources refer to."""
    own = {code: one for one in resources if one["resourceType"] == "Observation"
           for system, code in codes_of(one["code"]) if system == OURS}  # fmt: skip
    day = whole_day(str(own.get("recorded_on", {}).get("valueDateTime", "")))
    kinds: dict[str, dict[str, Resource]] = {"Encounter": {}, "Medication": {}}
    for one in resources:
        if one["resourceType"] in kinds and "id" in one:
            kinds[one["resourceType"]][str(one["id"])] = one
    return Context(
        today=day or today,
        whole_record="age_yr" in own,
        encounters=kinds["Encounter"],
        medications=kinds["Medication"],
    )


_READERS: Mapping[str, Callable[[Resource, Context], Told]] = {
    "Observation": read_observation,
    "MedicationStatement": read_drug,
    "MedicationRequest": read_drug,
    "Condition": read_condition,
    "AllergyIntolerance": read_allergy,
    "Procedure": read_procedure,
    "QuestionnaireResponse": lambda resource, about: left("the questionnaire is none that the record holds"),
}


def _read(resource: Resource, about: Context, name: str) -> Told:
    """What a resource tells, or why it is not used.

    Raises
    ------
    RecordError : it is one of ours, and spoilt.
    """
    kind = resource["resourceType"]
    if kind in ("Patient", "Encounter", "Medication"):
        return Told(pairs=list(_own_fields(resource)))
    if about.whole_record and kind in DERIVED and _made_here(resource):
        return left("made by endplate from the record")
    if kind not in READ:
        return left("no record is read from this kind of resource")
    if reason := why_unused(resource):
        return left(reason)
    try:
        own = list(_own_fields(resource))
        return Told(pairs=own) if own else _READERS[kind](resource, about)
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, ArithmeticError) as error:
        what = f"{name}: {_called(resource)} cannot be read"
        raise RecordError(what, " ".join(str(error).split()), "mend the bundle") from error


def _made_here(resource: Resource) -> bool:
    return any(one.get("system") == MADE for one in resource.get("identifier") or () if isinstance(one, dict))


def _own_fields(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Fields that endplate wrote into a resource of another form than an observation."""
    if resource["resourceType"] == "QuestionnaireResponse" and str(resource.get("questionnaire", "")).startswith(OURS):
        for item in resource.get("item", ()):
            if item.get("answer"):
                yield item["linkId"], plain_value(item["answer"][0])
    for extension in resource.get("extension", ()):
        if extension["url"].startswith(f"{OURS}:"):
            yield extension["url"].removeprefix(f"{OURS}:"), plain_value(extension)


def _with(pairs: list[tuple[str, Any]], added: list[Added]) -> list[tuple[str, Any]]:
    """The fields with additions to lists placed behind what the lists already hold; the same item stands once."""
    unique = one_a_fracture([one for place, one in enumerate(added) if one not in added[:place]])
    grown = {path for path, _ in unique}
    out = [(path, value) for path, value in pairs if not (path in grown and value == NONE_AT_ALL)]
    for name in sorted(grown):
        numbers = [path.removeprefix(f"{name}.").split(".")[0] for path, _ in out if path.startswith(f"{name}.")]
        first = 1 + max((int(number) for number in numbers if number.isdecimal()), default=-1)
        for place, fields in enumerate((fields for path, fields in unique if path == name), start=first):
            out += [(f"{name}.{place}{end}", value) for end, value in fields.items()]
    return out


def _line(resource: Resource, reason: str) -> str:
    """What was not used and why, in one line; a changed meaning keeps its mark for the order."""
    mark = MODIFIED if reason.startswith(MODIFIED) else ""
    return f"{mark}{_called(resource)}: {reason.removeprefix(MODIFIED)}"


def _listed(lines: list[str]) -> Iterator[str]:
    """Each line once with its count, changed meanings first."""
    counted = Counter(lines)
    for line in sorted(counted, key=lambda one: not one.startswith(MODIFIED)):
        number = counted[line]
        yield line.removeprefix(MODIFIED) + (f" ({number} times)" if number > 1 else "")


def _called(resource: Resource) -> str:
    """A resource in words, for the list of what was not used."""
    text = f"{resource['resourceType']} {_named(resource) or resource.get('id', '')}".strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _named(resource: Resource) -> str:
    """The words or code of what a resource is about; resources that are not checked may hold anything there."""
    concept = _first(next((resource[key] for key in NAMES if resource.get(key)), None))
    coding = _first([_first(concept.get("coding"))])
    texts = (concept.get("text"), coding.get("display"), coding.get("code"))
    return next((str(one) for one in texts if one), "")


def _first(found: Any) -> Resource:
    """An object, or the first object of a list; empty where there is none."""
    one = next(iter(found), None) if isinstance(found, list) else found
    return one if isinstance(one, dict) else {}

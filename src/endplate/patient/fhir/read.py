"""FHIR R4B resources back into a record: our own without loss, other programs' as far as their codes are sure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from endplate.cited import cited
from endplate.errors import RecordError
from endplate.level import Level
from endplate.patient.fhir.code import LOINC, OURS, READ_AS, READ_DENSITY, READ_UNIT, VERTEBRA
from endplate.patient.fhir.flat import NONE_AT_ALL, unflatten
from endplate.patient.record import PatientRecord, parse_record

Resource = dict[str, Any]
Added = tuple[str, dict[str, Any]]
"""A list of the record, and what an item of it gets, by the end of its path."""
TAKEN = {"MedicationStatement": ("active", "unknown"), "MedicationRequest": ("active",)}
"""Status by which a drug is taken now."""
FINAL = ("final", "amended", "corrected")
DAY_LENGTH = len("2000-01-01")
RETRACTED = ("entered-in-error", "not-done")
FROM_SNOMED = {code: level for level, code in VERTEBRA.items()}
DAYS_PER_YEAR = cited(365.2425, "d", "Mean year of the Gregorian calendar (exact)", "recomputed", cite="iso_8601")


@dataclass(frozen=True, slots=True, kw_only=True)
class FromFhir:
    """A record read from FHIR, and what of the bundle was not used."""

    record: PatientRecord
    unused: tuple[str, ...]


def record_from_bundle(text: str | bytes, name: str = "bundle", today: date | None = None) -> FromFhir:
    """Read a bundle.

    Parameters
    ----------
    text : JSON of a Bundle, or of a single Patient. today : the day on which a birth date becomes an age.

    Raises
    ------
    RecordError : not JSON, not a Bundle, no patient or several, not valid R4B, or values that a record refuses.
    """
    resources = _checked(text, name)
    patients = [resource for resource in resources if resource["resourceType"] == "Patient"]
    if len(patients) != 1:
        count = len(patients) or "no"
        raise RecordError(f"{name} holds {count} patients", "a record is of one", "give a bundle of one patient")
    _one_subject(resources, patients[0], name)
    pairs: list[tuple[str, Any]] = list(_patient(patients[0], today or date.today()))
    unused, added = [], list[Added]()
    for resource in sorted(resources, key=_day):
        try:
            found, more = list(_fields(resource)), _listed(resource)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            what = f"{name}: {_called(resource)} cannot be read"
            raise RecordError(what, " ".join(str(error).split()), "mend the bundle") from error
        pairs += found
        if more is not None and not found:
            added.append(more)
        elif not found and resource["resourceType"] != "Patient":
            unused.append(_called(resource))
    try:
        tree = unflatten(_with(pairs, added))
    except ValueError as error:
        raise RecordError(f"{name} names a field that no record has", str(error), "mend the bundle") from error
    return FromFhir(record=parse_record(json.dumps(tree, default=str), name), unused=tuple(unused))


def _listed(resource: Resource) -> Added | None:
    """What another program's resource adds to a list of the record: a drug that is taken, or a density test."""
    kind, status = resource["resourceType"], resource.get("status")
    if kind in TAKEN and status in TAKEN[kind]:
        concept = resource.get("medicationCodeableConcept") or {}
        coded = next((code["display"] for code in concept.get("coding", ()) if code.get("display")), "")
        words = " ".join(str(concept.get("text") or coded).split())
        return ("drugs.names", {"": words}) if words else None
    if kind != "Observation" or status not in FINAL:
        return None
    codes = {code.get("code") for code in resource["code"].get("coding", ()) if code.get("system") == LOINC}
    known = next((READ_DENSITY[code] for code in codes if code in READ_DENSITY), None)
    quantity = resource.get("valueQuantity", {})
    if known is None or quantity.get("value") is None or not _pure(str(quantity.get("code") or "")):
        return None
    day = str(resource.get("effectiveDateTime") or "")[:DAY_LENGTH]
    return "bone.tests", {".site": known[0], f".{known[1]}": quantity["value"]} | (
        {".on": day} if len(day) == DAY_LENGTH else {}
    )


def _pure(unit: str) -> bool:
    """Whether a UCUM unit is that of a score."""
    return unit in ("", "1") or unit.startswith("{")


def _with(pairs: list[tuple[str, Any]], added: list[Added]) -> list[tuple[str, Any]]:
    """The fields with additions to lists placed behind what the lists already hold; the same drug stands once."""
    unique = [one for place, one in enumerate(added) if one not in added[:place]]
    grown = {path for path, _ in unique}
    out = [(path, value) for path, value in pairs if not (path in grown and value == NONE_AT_ALL)]
    for name in sorted(grown):
        numbers = [path.removeprefix(f"{name}.").split(".")[0] for path, _ in out if path.startswith(f"{name}.")]
        first = 1 + max((int(number) for number in numbers if number.isdecimal()), default=-1)
        for place, fields in enumerate((fields for path, fields in unique if path == name), start=first):
            out += [(f"{name}.{place}{end}", value) for end, value in fields.items()]
    return out


def _one_subject(resources: Sequence[Resource], patient: Resource, name: str) -> None:
    """Refuse resources about several people: one of them would get the other's values."""
    about = {str(resource.get("subject", {}).get("reference", "")) for resource in resources}
    people = {reference.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for reference in about if reference}
    if any("Patient/" in reference for reference in about) and "id" in patient:
        people.add(patient["id"])
    if len(people) > 1:
        count = f"{name} speaks of several patients: {', '.join(sorted(people))}"
        raise RecordError(count, "a record is of one", "give a bundle of one patient")


def _day(resource: Resource) -> str:
    """When it was observed: of two values of one thing the newer counts, and a dated one before an undated one."""
    return str(resource.get("effectiveDateTime") or resource.get("authored") or "")


def _checked(text: str | bytes, name: str) -> list[Resource]:
    """The resources of a bundle, each valid R4B."""
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    try:
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{name} is not JSON", str(error), "give a FHIR R4B bundle") from error
    kind = data.get("resourceType") if isinstance(data, dict) else None
    if kind not in ("Bundle", "Patient"):
        raise RecordError(f"{name} is no FHIR bundle", f"its resourceType is {kind!r}", "give a FHIR R4B Bundle")
    try:
        get_fhir_model_class(kind).model_validate(data)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise RecordError(f"{name} is not valid FHIR R4B: {where}: {fault['msg']}", "", "mend the bundle") from error
    if kind == "Patient":
        return [data]
    return [entry["resource"] for entry in data.get("entry") or () if "resource" in entry]


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _patient(patient: Resource, today: date) -> Iterator[tuple[str, Any]]:
    if patient.get("identifier"):
        yield "id", patient["identifier"][0].get("value")
    elif patient.get("id") and patient["id"] != "patient":
        yield "id", patient["id"]
    if patient.get("gender") in ("male", "female"):
        yield "sex", patient["gender"]
    born = patient.get("birthDate", "")
    if len(born) == DAY_LENGTH:
        yield "age_yr", round((today - date.fromisoformat(born)).days / DAYS_PER_YEAR, 1)


def _fields(resource: Resource) -> Iterator[tuple[str, Any]]:
    kind = resource["resourceType"]
    if resource.get("status") in RETRACTED:
        return
    if kind == "Observation":
        yield from _observed(resource)
    elif kind == "QuestionnaireResponse" and str(resource.get("questionnaire", "")).startswith(OURS):
        for item in resource.get("item", ()):
            if item.get("answer"):
                yield item["linkId"], _plain(item["answer"][0])
    for extension in resource.get("extension", ()):
        if extension["url"].startswith(f"{OURS}:"):
            yield extension["url"].removeprefix(f"{OURS}:"), _plain(extension)


def _observed(resource: Resource) -> Iterator[tuple[str, Any]]:
    value = _plain(resource)
    if value is None or resource.get("status") not in FINAL:
        return
    codes = [(coding.get("system"), coding.get("code")) for coding in resource["code"].get("coding", ())]
    own = next((code for system, code in codes if system == OURS), None)
    if own is not None:
        level = _site(resource)
        yield (own if level is None else own.replace("*", str(level), 1)), value
        return
    for code in codes:
        field = READ_AS.get(code)
        if field and READ_UNIT.get(field, "") in ("", resource.get("valueQuantity", {}).get("code")):
            yield field, value
            return


def _site(resource: Resource) -> Level | None:
    site = resource.get("bodySite")
    if site is None:
        return None
    codes = [coding.get("code") for coding in site.get("coding", ())]
    known = next((FROM_SNOMED[code] for code in codes if code in FROM_SNOMED), None)
    return known or Level(site.get("text", "a bodySite without text"))


def _plain(holder: Resource) -> Any:
    """The value[x] of a resource, an answer or an extension."""
    for key, value in holder.items():
        if key.startswith("value"):
            return value.get("value") if key == "valueQuantity" else value
    return None


def _called(resource: Resource) -> str:
    """A resource in words, for the list of what was not used."""
    concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    coding = (concept.get("coding") or [{}])[0]
    words = concept.get("text") or coding.get("display") or coding.get("code") or resource.get("id", "")
    return f"{resource['resourceType']} {words}".strip()

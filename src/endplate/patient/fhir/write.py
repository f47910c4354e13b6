"""A record as FHIR R4 resources: Patient, Observations, QuestionnaireResponses, MedicationStatements, Procedures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any

from endplate.level import Level
from endplate.patient.drug_table import ATC, RXNORM
from endplate.patient.fhir.code import OURS, body_site, category, concept, unit
from endplate.patient.fhir.code_table import UCUM, table
from endplate.patient.fhir.flat import Leaf, flatten
from endplate.patient.named_drug import read_list
from endplate.patient.record import PatientRecord

Resource = dict[str, Any]

OF_PATIENT = ("id", "sex")
GROUPS = ("drugs.glucocorticoids", "drugs.bone_drugs", "drugs.names", "procedures")
SUBJECT = {"reference": "Patient/patient"}
DAY_FIELD = {"observation": "effectiveDateTime", "level": "effectiveDateTime", "answers": "authored"}
"""Where a resource of each kind carries its day."""
STUDY = {"oedema": "studies.mri_on", "uptake": "studies.bone_scan_on"}
"""Days of what a study showed at a level."""
RATED = {"pain": "pain.rated_on", "falls": "falls.tested_on"}
"""Days of parts that were rated or tested at once."""
TESTED = ("laboratory", "bone")
"""Parts whose values carry days of their own."""
VITAL = ("mass_kg", "height_cm")
NO_DAY = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
"""Stands for the day of a vital sign that has none: their profile wants one."""
STATUS = {True: "active", False: "completed", None: "unknown"}
"""Status of a drug by whether it is taken."""


def record_resources(record: PatientRecord) -> list[Resource]:
    """All resources of a record; `record_from_bundle` turns them back into the same record."""
    leaves = [(path, value) for path, value in flatten(record) if path not in OF_PATIENT]
    five = record.questionnaires.eq5d is not None and record.questionnaires.eq5d.version == "5L"
    days = {path: value for path, value in leaves if isinstance(value, date)}
    densities = dict(_density_codes(record))
    resources = [_patient(record)]
    for number, (home, group) in enumerate(groupby(leaves, key=lambda leaf: _home(leaf[0])), start=1):
        kind, place = home
        stated = list(group)
        made = _MAKERS[kind](place, stated, five)
        for n, (resource, path) in enumerate(zip(made, _paths(kind, place, stated), strict=True)):
            code = {"code": concept(path, loinc=densities[path])} if path in densities else {}
            resources.append(resource | code | _dated(kind, path, days) | {"id": f"{kind}-{number}-{n}"})
    return resources


def _dated(kind: str, path: str, days: Mapping[str, date]) -> Resource:
    """The day of a resource under the name that its kind has for it."""
    day, field = _day(path, days), DAY_FIELD.get(kind)
    if field and day:
        return {field: day.isoformat()}
    return {"_effectiveDateTime": NO_DAY} if path in VITAL else {}


def _density_codes(record: PatientRecord) -> Iterator[tuple[str, str]]:
    """The LOINC code of each value of a density test, by its place in the record."""
    for number, test in enumerate(record.bone.tests or ()):
        for kind, codes in table()["density"]["site"].get(test.site, {}).items():
            yield f"bone.tests.{number}.{kind}", codes[0]


def _paths(kind: str, place: str, leaves: Iterable[tuple[str, Leaf]]) -> list[str]:
    """The field that each resource of a group is about."""
    return [path for path, _ in leaves] if kind in ("observation", "level") else [f"{kind}.{place}"]


def _day(path: str, days: Mapping[str, date]) -> date | None:
    """When a field was found out: its own day, or that of its study or rating, else the day that the record describes.

    A test, study or questionnaire without a day of its own has none.
    """
    parts = path.split(".")
    if parts[0] == "answers":
        return days.get(f"questionnaires.{parts[1]}.on")
    if parts[0] in TESTED:
        return days.get(".".join((*parts[:-1], "on")))
    if parts[0] == "levels" and parts[-1] in STUDY:
        return days.get(STUDY[parts[-1]])
    return days.get(RATED.get(parts[0], "")) or days.get("recorded_on")


def _home(path: str) -> tuple[str, str]:
    """Which kind of resource a field belongs to, and which one of them."""
    parts = path.split(".")
    if parts[0] == "questionnaires":
        return "answers", parts[1]
    if parts[0] == "levels":
        return "level", parts[1]
    for group in GROUPS:
        if path.startswith(group + ".") and parts[group.count(".") + 1].isdigit():
            kind = "procedure" if group == "procedures" else "drug"
            return kind, ".".join(parts[: group.count(".") + 2])
    return "observation", parts[0]


def _patient(record: PatientRecord) -> Resource:
    out: Resource = {"resourceType": "Patient", "id": "patient", "gender": record.sex}
    if record.id is not None:
        out["identifier"] = [{"system": OURS, "value": record.id}]
    if record.birth_year is not None:
        out["birthDate"] = str(record.birth_year)
    # An age is no date of birth: it stands as told, and no date is made of it.
    age = {"value": record.age_yr, "unit": "a", "system": UCUM, "code": "a"}
    return out | {"extension": [{"url": f"{OURS}:age_yr", "valueAge": age}]}


def _observations(place: str, leaves: Iterable[tuple[str, Leaf]], five: bool) -> list[Resource]:
    return [_observation(path, value) for path, value in leaves]


def _level(place: str, leaves: Iterable[tuple[str, Leaf]], five: bool) -> list[Resource]:
    site = body_site(Level(place))
    return [
        _observation(path.replace(f"levels.{place}.", "levels.*.", 1), value) | {"bodySite": site}
        for path, value in leaves
    ]


def _observation(path: str, value: Leaf) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": category(path),
        "code": concept(path),
        "subject": SUBJECT,
        **_value(path, value),
    }


def _value(path: str, value: Leaf) -> Resource:
    """value[x] by the kind of the value."""
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, int | float):
        return {"valueQuantity": {"value": value, "unit": unit(path), "system": UCUM, "code": unit(path)}}
    return {"valueDateTime": value.isoformat()} if isinstance(value, date) else {"valueString": value}


def _answers(place: str, leaves: Iterable[tuple[str, Leaf]], five: bool) -> list[Resource]:
    """One questionnaire: an item for each number, its link being our field."""
    items = [_answer(path, value, five) for path, value in leaves]
    return [
        {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "questionnaire": f"{OURS}:{place}",
            "subject": SUBJECT,
            "item": items,
        }
    ]


def _answer(path: str, value: Leaf, five: bool) -> Resource:
    if isinstance(value, bool):
        answer: Resource = {"valueBoolean": value}
    elif isinstance(value, int):
        answer = {"valueInteger": value}
    elif isinstance(value, float):
        answer = {"valueDecimal": value}
    else:
        answer = {"valueDate": value.isoformat()} if isinstance(value, date) else {"valueString": value}
    text = ", ".join(f"{code['system']} {code['code']}" for code in concept(path, five)["coding"][:-1])
    return {"linkId": path, **({"text": text} if text else {}), "answer": [answer]}


def _extensions(leaves: Iterable[tuple[str, Leaf]]) -> list[Resource]:
    return [{"url": f"{OURS}:{path}", **_value(path, value)} for path, value in leaves]


def _drug(place: str, leaves: Iterable[tuple[str, Leaf]], five: bool) -> list[Resource]:
    known = list(leaves)
    fields = {path.removeprefix(f"{place}."): value for path, value in known}
    listed = place.startswith("drugs.names")
    name = str(fields.get("drug") or (known[0][1] if listed else "glucocorticoid"))
    start, stop = fields.get("started_on"), fields.get("stopped_on")
    coding, taken = _coded(name)
    if not listed:
        taken = False if stop else True if fields.get("ongoing") else None
    period = {key: day.isoformat() for key, day in (("start", start), ("end", stop)) if isinstance(day, date)}
    return [
        {
            "resourceType": "MedicationStatement",
            "status": STATUS[taken],
            "medicationCodeableConcept": {**({"coding": coding} if coding else {}), "text": name},
            "subject": SUBJECT,
            **({"effectivePeriod": period} if period else {}),
            "extension": _extensions(known),
        }
    ]


def _coded(name: str) -> tuple[list[Resource], bool | None]:
    """Codes of a drug, and whether it is taken, as its words say; none where they name no drug, or several."""
    found = read_list((name,)).drugs
    if len({one.drug.generic for one in found}) != 1:
        return [], None
    drug = found[0].drug
    codes = [(RXNORM, code) for code in drug.rxnorm[:1]] + [(ATC, drug.atc)] * bool(drug.atc)
    return [{"system": system, "code": code} for system, code in codes], found[0].taken


def _procedure(place: str, leaves: Iterable[tuple[str, Leaf]], five: bool) -> list[Resource]:
    known = list(leaves)
    fields = {path.removeprefix(f"{place}."): value for path, value in known}
    levels = [Level(str(value)) for name, value in fields.items() if name.startswith("levels.")]
    on = fields.get("on")
    return [
        {
            "resourceType": "Procedure",
            "status": "completed",
            "code": {"text": str(fields["kind"])},
            "subject": SUBJECT,
            **({"performedDateTime": on.isoformat()} if isinstance(on, date) else {}),
            "bodySite": [body_site(level) for level in levels],
            "extension": _extensions(known),
        }
    ]


_MAKERS = {
    "observation": _observations,
    "level": _level,
    "answers": _answers,
    "drug": _drug,
    "procedure": _procedure,
}

"""Observations: our own under the field's name, other programs' by their codes, converted to the record's units."""

from __future__ import annotations

import re
from typing import Any

from endplate.cited import cited, cited_table
from endplate.level import Level
from endplate.patient.doubt import doubt_of
from endplate.patient.fhir.code import OURS, VERTEBRA
from endplate.patient.fhir.code_table import LOINC, SNOMED, codes_of, density_codes, loinc_fields, table
from endplate.patient.fhir.context import Context, Told, left
from endplate.patient.fhir.quantity import UnitError, number_of, score_of
from endplate.patient.fhir.when import day_text, item_day, too_late, whole_day

Resource = dict[str, Any]

PAIN = "72514-3"
PAIN_HOLDS_DAYS = cited(30.0, "d", "An older score is history and not the pain of today: own choice", "design")
BODY_HOLDS_DAYS = cited(365.0, "d", "An older mass or height is used, but said: own choice", "design")
RANGE = {
    "pain": cited_table("fhir.pain", "1", "Numeric rating 0-10, by its code", "design", {"low": 0.0, "high": 10.0}),
    "t_score": cited_table("fhir.t", "1", "What the record takes: own choice", "design", {"low": -10.0, "high": 10.0}),
    "z_score": cited_table("fhir.z", "1", "What the record takes: own choice", "design", {"low": -10.0, "high": 10.0}),
    "bmd_g_cm2": cited_table("fhir.bmd_range", "g/cm2", "What a bone can have: own choice", "design",
                             {"low": 0.01, "high": 4.99}),
}  # fmt: skip
"""Beyond these a value of another program is listed and not taken; those of ours are refused by the record."""
FINDING = "urn:endplate:finding"
FROM_SNOMED = {code: level for level, code in VERTEBRA.items()}
NOT_STATED = "not stated"


def read_observation(resource: Resource, about: Context) -> Told:
    """What an observation tells."""
    codes = codes_of(resource["code"])
    own = next((code for system, code in codes if system == OURS), None)
    if own is not None:
        return _own(own, resource)
    if any(system == FINDING for system, _ in codes):
        return left("measured by endplate, and no part of the record")
    loinc = [code for system, code in codes if system == LOINC]
    try:
        return _foreign(loinc, resource, about)
    except UnitError as error:
        return left(str(error))


def _own(name: str, resource: Resource) -> Told:
    value = plain_value(resource)
    if value is None:
        return left("it holds no value")
    level = site(resource)
    return Told(pairs=[(name if level is None else name.replace("*", str(level), 1), value)])


def _foreign(loinc: list[str], resource: Resource, about: Context) -> Told:
    text = day_text(resource, about.encounters)
    if late := too_late(text, about.today):
        return left(late)
    density = next((density_codes()[code] for code in loinc if code in density_codes()), None)
    if density is not None:
        return _density(*density, resource, text)
    if PAIN in loinc:
        return _pain(resource, text, about)
    if set(loinc) & set(table()["smoking"]["loinc"]):
        return _smoking(resource)
    field = next((loinc_fields()[code] for code in loinc if code in loinc_fields()), "")
    return _measured(field, resource, text, about) if field else left("the record has no place for its code")


def _measured(field: str, resource: Resource, text: str, about: Context) -> Told:
    """A laboratory value, mass or height."""
    value, day = number_of(resource.get("valueQuantity"), field), whole_day(text)
    if field.startswith("laboratory."):
        doubt = next(doubt_of(field, value), None)
        on = [(f"{field}.on", text)] if day else []
        return left(doubt.words) if doubt else Told(pairs=[(f"{field}.value", value), *on])
    if field == "age_yr":
        return left("the age is counted from the date of birth")
    old = day is not None and (about.today - day).days > BODY_HOLDS_DAYS
    asked = f"{field} {value:g} is of {text}: is it still so?"
    return Told(pairs=[(field, value)], notes={field: asked} if old else {})


def _density(where: str, kind: str, resource: Resource, text: str) -> Told:
    quantity = resource.get("valueQuantity")
    value = number_of(quantity, kind) if kind == "bmd_g_cm2" else score_of(quantity)
    if odd := _odd(kind, value):
        return left(odd)
    place = where or _place(resource)
    asked = f"the T-score {value:g} does not say of which place: give its site"
    notes = {f"bone.tests {value:g} {text}": asked} if place == NOT_STATED else {}
    return Told(items=[("bone.tests", {".site": place, f".{kind}": value} | item_day(text))], notes=notes)


def _odd(kind: str, value: float) -> str:
    """Why a value cannot be what its code says; empty where it can."""
    low, high = RANGE[kind]["low"], RANGE[kind]["high"]
    return "" if low <= value <= high else f"{value:g} lies outside {low:g} to {high:g}"


def _place(resource: Resource) -> str:
    """The place of a density test by body site or words; `not stated` where they name none, or several."""
    concepts = [resource.get("bodySite") or {}, resource["code"]]
    words = [str(one.get("text", "")) for one in concepts]
    words += [str(code.get("display", "")) for one in concepts for code in one.get("coding", ())]
    said = f" {' '.join(re.findall('[a-z0-9]+', ' '.join(words).lower()))} "
    known = table()["density_open"]["words"]
    found = [place for place, names in known.items() if any(f" {name} " in said for name in names)]
    return found[0] if len(found) == 1 else NOT_STATED


def _pain(resource: Resource, text: str, about: Context) -> Told:
    value = plain_value(resource) if "valueInteger" in resource else score_of(resource.get("valueQuantity"))
    if odd := _odd("pain", value):
        return left(odd)
    day = whole_day(text)
    if text and (day is None or (about.today - day).days > PAIN_HOLDS_DAYS):
        return left(f"a score of {text} is history, not the pain of {about.today}")
    if day is None:
        note = f"the pain score {value:g} has no day: it is taken for today's"
        return Told(pairs=[("pain.under_analgesia", value)], notes={"pain.under_analgesia": note})
    return Told(pairs=[("pain.under_analgesia", value), ("pain.rated_on", text)])


def _smoking(resource: Resource) -> Told:
    codes = {code for _, code in codes_of(resource.get("valueCodeableConcept"))}
    for answer, value in (("yes", True), ("no", False)):
        if codes & set(table()["smoking"][answer]):
            return Told(pairs=[("history.smoker", value)])
    return left("its answer is not known")


def site(resource: Resource) -> Level | None:
    """The vertebra that an observation or condition is of; None where no place is given.

    Raises
    ------
    ValueError : a place that is no vertebra.
    """
    given = resource.get("bodySite")
    given = given[0] if isinstance(given, list) and given else given
    if not given:
        return None
    codes = [code for system, code in codes_of(given) if system in (SNOMED, "")]
    known = next((FROM_SNOMED[code] for code in codes if code in FROM_SNOMED), None)
    return known or Level(given.get("text", "a bodySite without text"))


def plain_value(holder: Resource) -> Any:
    """The value[x] of a resource, an answer or an extension."""
    for key, value in holder.items():
        if key.startswith("value"):
            return value.get("value") if key in ("valueQuantity", "valueAge") else value
    return None

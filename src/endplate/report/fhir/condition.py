"""Conditions: the fracture of each level, coded by its cause, and what the record says of bone, drugs and the past.

A code is given only where cause, shape and age of the fracture are known; else the condition is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from endplate.case.care import Care
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.facts.record_facts import lowest_t_score
from endplate.decision.logic.kleene import FactValues
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.verdict import Grade, LevelDecision
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import PatientRecord
from endplate.patient.drugs import Glucocorticoid
from endplate.patient.fhir.code import body_site
from endplate.patient.fhir.code_table import ICD10CM, SNOMED
from endplate.patient.fhir.diagnosis import OWN_FRACTURE_WORDS
from endplate.report.fhir.resource import SUBJECT, Resource, dated

AGE_RELATED, OTHER_OSTEOPOROSIS, NEOPLASTIC = "M80.08XA", "M80.88XA", "M84.58XA"
"""Current vertebral fracture, first encounter, in age-related osteoporosis, in other osteoporosis, in neoplastic
disease: the first two sure, the third read second-hand."""
WEDGE_FRACTURE = {
    "T1": "S22.010A", "T2": "S22.020A", "T3": "S22.030A", "T4": "S22.040A", "T5": "S22.050A", "T6": "S22.050A",
    "T7": "S22.060A", "T8": "S22.060A", "T9": "S22.070A", "T10": "S22.070A", "T11": "S22.080A", "T12": "S22.080A",
    "L1": "S32.010A", "L2": "S32.020A", "L3": "S32.030A", "L4": "S32.040A", "L5": "S32.050A",
}  # fmt: skip
"""Wedge compression fracture by level: read in the source or sure."""
OSTEOPOROSIS = {"system": SNOMED, "code": "64859006"}
TERMS = "http://terminology.hl7.org/CodeSystem"
LONG_STEROID, PAST_FRAGILITY = "Z79.52", "Z87.310"
DECIDED = ("definite", "probable")
WEDGE_CLASSES = ("OF1", "OF2")
"""Classes without a broken posterior wall: no burst."""


def conditions(care: Care, findings: Iterable[Finding]) -> Iterator[Resource]:
    """All conditions of a case."""
    wedges = {str(one.level) for one in findings if one.code == "deformity_shape" and one.value == "wedge"}
    alone = len(care.facts) == 1
    for facts, level in zip(care.facts, care.decision.levels, strict=True):
        own = _own_day(care.record, level.level)
        fresh = _fresh(facts.values, alone or own is not None)
        since = own or (care.record.episode.onset_before(care.record.recorded_on) if fresh else None)
        yield {
            **_condition(
                f"fracture-{level.level}",
                _fracture(care.record, facts, level, fresh, wedges),
                care.record,
                _read_by_a_person(care.record, level.level),
                "encounter-diagnosis",
            ),
            "bodySite": [body_site(Level(level.level))],
            **dated("onsetDateTime", since),
            "note": [{"text": "Causes by the rules: " + "; ".join(_cause(grade) for grade in level.causes)}],
        }
    yield from _background(care)


def _condition(
    name: str, code: Resource, record: PatientRecord, sure: bool = True, kind: str = "problem-list-item"
) -> Resource:
    """A condition; `sure` : a person said so, and it does not follow from measurements or rules alone."""
    return {
        "resourceType": "Condition",
        "id": name,
        "clinicalStatus": _term("condition-clinical", "active"),
        "verificationStatus": _term("condition-ver-status", "confirmed" if sure else "provisional"),
        "category": [_term("condition-category", kind)],
        "code": code,
        "subject": SUBJECT,
        **dated("recordedDate", record.recorded_on),
    }


def _term(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{TERMS}/{system}", "code": code}]}


def _read_by_a_person(record: PatientRecord, level: str) -> bool:
    recorded = record.levels.get(Level(level))
    return recorded is not None and recorded.fracture is True


def _cause(grade: Grade) -> str:
    value = grade.value if grade.value is not None else "open (" + " or ".join(map(str, grade.reachable)) + ")"
    return f"{grade.title}: {value}"


def _own_day(record: PatientRecord, level: str) -> date | None:
    """The day of the fracture where the record tells it of this very level."""
    stated = record.levels.get(Level(level))
    return None if stated is None else stated.fracture_on


def _fresh(facts: FactValues, day_is_its_own: bool) -> bool:
    """Whether a fracture is known to be fresh: recent, not known healed or painless, and seen so or dated."""
    days, uptake = facts.get("onset_days"), facts.get("bone_scan_pos")
    if days is None or days > rulebook().books[0].thresholds["subacute_until"].value:
        return False
    if facts.get("exam_concordant") is False or (facts.get("mri_oedema") is False and not uptake):
        return False
    return day_is_its_own or bool(facts.get("acute_signs") or uptake)


def _fracture(
    record: PatientRecord, facts: LevelFacts, level: LevelDecision, fresh: bool, wedges: set[str]
) -> Resource:
    text = f"{OWN_FRACTURE_WORDS} {level.level}"
    code = _code(record, facts, level, level.level in wedges) if fresh else None
    return {**({"coding": [{"system": ICD10CM, "code": code}]} if code else {}), "text": text}


def _code(record: PatientRecord, facts: LevelFacts, level: LevelDecision, wedge: bool) -> str | None:
    """The code of a fresh fracture by its cause; None where two causes compete or one is not sure."""
    causes = {grade.id: grade for grade in level.causes}
    if causes["malignancy"].value == "definite":
        return NEOPLASTIC
    if {"probable", "possible"} & set(causes["malignancy"].reachable):
        return None
    osteoporosis, violent = causes["osteoporosis"].value in DECIDED, causes["trauma"].value == "definite"
    if osteoporosis:
        return None if violent else _osteoporotic(record, facts.values, causes["glucocorticoid"])
    shape = facts.values.get("of_class")
    flat = shape in WEDGE_CLASSES or (wedge and shape is None)
    return WEDGE_FRACTURE.get(level.level) if violent and flat else None


def _osteoporotic(record: PatientRecord, facts: FactValues, steroid: Grade) -> str | None:
    """By what made the bone weak: another cause than age, age, or None where it is not sure which."""
    if steroid.value in DECIDED or facts.get("pregnancy"):
        return OTHER_OSTEOPOROSIS
    if steroid.value == "possible":
        return None
    limits = {book.edition.id: book.thresholds for book in rulebook().books}
    old = limits["definitions"]["past_childbearing"] if record.sex == "female" else limits["flags"]["older"]
    past = record.sex == "female" and record.history.postmenopausal is True
    return AGE_RELATED if past or record.age_yr >= old.value else None


def _background(care: Care) -> Iterator[Resource]:
    """Osteoporosis, long glucocorticoids and past fragility fractures, where the record or the rules say so."""
    record = care.record
    graded = [grade.value for level in care.decision.levels for grade in level.causes if grade.id == "osteoporosis"]
    limit = next(book for book in rulebook().books if book.edition.id == "definitions").thresholds["osteoporosis_t"]
    score = lowest_t_score(record)
    if "definite" in graded or (score is not None and score <= limit.value):
        yield _condition("osteoporosis", {"coding": [OSTEOPOROSIS], "text": "Osteoporosis"}, record, sure=False)
    if any(_long(course, record.recorded_on) for course in record.drugs.glucocorticoids or ()):
        yield _condition("long-term-steroid", _icd(LONG_STEROID, "Long-term use of systemic glucocorticoids"), record)
    if any(fracture.low_energy for fracture in record.history.fractures or ()):
        yield _condition("past-fragility-fracture", _icd(PAST_FRAGILITY, "Past fragility fracture"), record)


def _icd(code: str, text: str) -> Resource:
    return {"coding": [{"system": ICD10CM, "code": code}], "text": text}


def _long(course: Glucocorticoid, today: date | None) -> bool:
    """Whether a course goes on and has done so for months."""
    if course.stopped_on is not None or not course.ongoing:
        return False
    months, start = course.months, course.started_on
    if months is None and start is not None and today is not None:
        months = (today.year - start.year) * 12 + today.month - start.month - (today.day < start.day)
    return months is not None and months >= rulebook().books[0].thresholds["long_glucocorticoid"].value

"""A FHIR R4B bundle: the record, what was measured, conditions by level, risks, the plan, and proposals.

Only codes that the clinical reference marks sure are used; everything else goes as text under our own names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from endplate.case.care import Care
from endplate.decision.verdict import LevelDecision, Verdict
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient.fhir import record_resources
from endplate.patient.fhir.code import UCUM, body_site
from endplate.report.phrase import title_of

Resource = dict[str, Any]

FINDING, RULE = "urn:endplate:finding", "urn:endplate:rule"
ICD10CM, CPT = "http://hl7.org/fhir/sid/icd-10-cm", "http://www.ama-assn.org/go/cpt"
SUBJECT = {"reference": "Patient/patient"}

OSTEOPOROTIC_FRACTURE = "M80.08XA"
"""Age-related osteoporosis with current vertebral fracture, first encounter: sure by the clinical reference 10."""
WEDGE_FRACTURE = {
    "T1": "S22.010A", "T2": "S22.020A", "T3": "S22.030A", "T4": "S22.040A", "T5": "S22.050A", "T6": "S22.050A",
    "T7": "S22.060A", "T8": "S22.060A", "T9": "S22.070A", "T10": "S22.070A", "T11": "S22.080A", "T12": "S22.080A",
    "L1": "S32.010A", "L2": "S32.020A", "L3": "S32.030A", "L4": "S32.040A", "L5": "S32.050A",
}  # fmt: skip
"""Wedge compression fracture by level: read in the source or sure by the clinical reference 10."""
PROCEDURE_CODE = {
    ("vertebroplasty", "thoracic"): "22510",
    ("vertebroplasty", "lumbar"): "22511",
    ("kyphoplasty", "thoracic"): "22513",
    ("kyphoplasty", "lumbar"): "22514",
}
"""CPT codes without their descriptors, which are copyrighted; sure by the clinical reference 10."""
DECIDED = ("definite", "probable")


def to_bundle(care: Care, findings: Iterable[Finding] = ()) -> Resource:
    """The bundle as plain JSON values."""
    resources = record_resources(care.record)
    for maker in (_measured(findings), _conditions(care), _risks(care), _plan(care), _proposals(care)):
        resources += list(maker)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"urn:endplate:{r['resourceType']}:{r['id']}", "resource": r} for r in resources],
    }


def _measured(findings: Iterable[Finding]) -> Iterator[Resource]:
    """One Observation per finding, with its band as a reference range."""
    for number, finding in enumerate(findings, start=1):
        yield {
            "resourceType": "Observation",
            "id": f"finding-{number}",
            "status": "final",
            "code": {"coding": [{"system": FINDING, "code": finding.code}], "text": title_of(finding.code)},
            "subject": SUBJECT,
            **({} if finding.level is None else {"bodySite": body_site(finding.level)}),
            **_value(finding),
            "note": [{"text": "; ".join(part for part in (finding.condition, finding.method, finding.source) if part)}],
        }


def _value(finding: Finding) -> Resource:
    if isinstance(finding.value, bool):
        return {"valueBoolean": finding.value}
    if isinstance(finding.value, str):
        return {"valueString": finding.value}
    out: Resource = {"valueQuantity": _quantity(finding.value, finding.unit)}
    if finding.low is not None and finding.high is not None:
        band = {"low": _quantity(finding.low, finding.unit), "high": _quantity(finding.high, finding.unit)}
        out["component"] = [
            {"code": {"text": f"95 % band, {end}"}, "valueQuantity": quantity} for end, quantity in band.items()
        ]
    return out


def _quantity(value: float, unit: str) -> Resource:
    return {"value": round(float(value), 6), "unit": unit, "system": UCUM, "code": unit}


def _conditions(care: Care) -> Iterator[Resource]:
    for level in care.decision.levels:
        yield {
            "resourceType": "Condition",
            "id": f"fracture-{level.level}",
            "clinicalStatus": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
            },
            "code": _fracture_code(level),
            "bodySite": [body_site(Level(level.level))],
            "subject": SUBJECT,
            "note": [{"text": "Causes by the rules: " + "; ".join(_cause(grade) for grade in level.causes)}],
        }


def _cause(grade: Any) -> str:
    value = grade.value if grade.value is not None else "open (" + " or ".join(map(str, grade.reachable)) + ")"
    return f"{grade.title}: {value}"


def _fracture_code(level: LevelDecision) -> Resource:
    causes = {grade.id: grade.value for grade in level.causes}
    text = f"Vertebral compression fracture of {level.level}"
    cancer = next((grade for grade in level.causes if grade.id == "malignancy"), None)
    if cancer is None or cancer.value in (*DECIDED, "possible") or "possible" in cancer.reachable:
        return {"text": text}  # the code of a pathological fracture is not sure, and a cancer is not unlikely
    if causes.get("osteoporosis") in DECIDED:
        return {"coding": [{"system": ICD10CM, "code": OSTEOPOROTIC_FRACTURE}], "text": text}
    code = WEDGE_FRACTURE.get(level.level)
    if causes.get("trauma") in DECIDED and code is not None:
        return {"coding": [{"system": ICD10CM, "code": code}], "text": text}
    return {"text": text}


def _risks(care: Care) -> Iterator[Resource]:
    """Very high risk by each guideline that answers."""
    for verdict in care.prevention.very_high_risk:
        if verdict.applies:
            yield {
                "resourceType": "RiskAssessment",
                "id": f"risk-{verdict.ruleset}".replace("_", "-"),
                "status": "final" if verdict.status != "indeterminate" else "preliminary",
                "subject": SUBJECT,
                "method": {"coding": [{"system": RULE, "code": verdict.ruleset}], "text": verdict.title},
                "prediction": [{"outcome": {"text": "next fracture"}, "qualitativeRisk": {"text": verdict.answer}}],
            }


def _plan(care: Care) -> Iterator[Resource]:
    plan = care.prevention
    texts = [
        plan.next_step,
        *(f"{date.what}{f' by {date.on}' if date.on else ''}" for date in plan.dates),
        *(item.text for item in (*plan.supplements, *plan.exercise)),
        *(f"laboratory: {item.name}" for item in plan.laboratory if item.result is None and not item.optional),
    ]
    yield {
        "resourceType": "CarePlan",
        "id": "prevention",
        "status": "draft",
        "intent": "proposal",
        "title": "Preventing the next fracture",
        "subject": SUBJECT,
        "activity": [
            {"detail": {"status": "not-started", "description": text, "kind": "ServiceRequest"}} for text in texts
        ],
    }


def _proposals(care: Care) -> Iterator[Resource]:
    """A proposal for each level and technique that the rules leave possible, with who says yes and who says no."""
    for level in care.decision.levels:
        named = str(level.technique.value or "")
        for kind in ("vertebroplasty", "kyphoplasty"):
            if not named.startswith(kind):
                continue
            code = PROCEDURE_CODE.get((kind, Level(level.level).region))
            coding = {"coding": [{"system": CPT, "code": code}]} if code else {}
            yield {
                "resourceType": "ServiceRequest",
                "id": f"proposal-{level.level}-{kind}",
                "status": "draft",
                "intent": "proposal",
                "code": {**coding, "text": f"{kind} of {level.level}"},
                "bodySite": [body_site(Level(level.level))],
                "subject": SUBJECT,
                "reasonReference": [{"reference": f"Condition/fracture-{level.level}"}],
                "note": [{"text": _sides(level.verdicts)}],
            }


def _sides(verdicts: Iterable[Verdict]) -> str:
    asked = [verdict for verdict in verdicts if verdict.applies and verdict.question != "imaging"]
    sides: dict[str, list[str]] = {}
    for verdict in asked:
        sides.setdefault(verdict.status, []).append(verdict.title)
    return "; ".join(f"{status}: {', '.join(titles)}" for status, titles in sides.items())

"""A FHIR R4 transaction bundle: record, measurements, emergencies, conditions by level, risks, plan, proposals.

Only codes that are sure are used; everything else goes as text under our own names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from endplate.case.care import Care
from endplate.finding import Finding
from endplate.patient.fhir import record_resources, transaction
from endplate.patient.fhir.code import CATEGORIES, body_site
from endplate.patient.fhir.code_table import UCUM
from endplate.report.fhir.condition import conditions
from endplate.report.fhir.proposal import flags, proposals
from endplate.report.fhir.resource import SUBJECT, Resource, dated
from endplate.report.phrase import title_of

FINDING, RULE = "urn:endplate:finding", "urn:endplate:rule"


def to_bundle(care: Care, findings: Iterable[Finding] = ()) -> Resource:
    """The bundle as plain JSON values."""
    findings = tuple(findings)
    resources = record_resources(care.record)
    for maker in (
        _measured(findings, care.record.studies.ct_on),
        flags(care),
        conditions(care, findings),
        _risks(care),
        _plan(care),
        proposals(care),
    ):
        resources += list(maker)
    return transaction(resources)


def _measured(findings: Iterable[Finding], scanned_on: date | None) -> Iterator[Resource]:
    """One Observation per finding, with its band as components."""
    for number, finding in enumerate(findings, start=1):
        yield {
            "resourceType": "Observation",
            "id": f"finding-{number}",
            "status": "final",
            "category": [{"coding": [{"system": CATEGORIES, "code": "imaging"}]}],
            "code": {"coding": [{"system": FINDING, "code": finding.code}], "text": title_of(finding.code)},
            "subject": SUBJECT,
            **dated("effectiveDateTime", scanned_on),
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


def _risks(care: Care) -> Iterator[Resource]:
    """Very high risk by each guideline that answers."""
    for verdict in care.prevention.very_high_risk:
        if verdict.applies:
            yield {
                "resourceType": "RiskAssessment",
                "id": f"risk-{verdict.ruleset}".replace("_", "-"),
                "status": "final" if verdict.status != "indeterminate" else "preliminary",
                "subject": SUBJECT,
                **dated("occurrenceDateTime", care.record.recorded_on),
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
        **dated("created", care.record.recorded_on),
        "activity": [
            {"detail": {"status": "not-started", "description": text, "kind": "ServiceRequest"}} for text in texts
        ],
    }

"""Emergencies as flags, and proposals of a repair: none where anything stands against one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from endplate.case.care import Care
from endplate.decision.verdict.verdict import LevelDecision, Verdict
from endplate.level import Level
from endplate.patient.fhir.code import body_site
from endplate.report.care.alarm import alarms
from endplate.report.fhir.resource import SUBJECT, Resource, dated

CPT = "http://www.ama-assn.org/go/cpt"
PROCEDURE_CODE = {
    ("vertebroplasty", "thoracic"): "22510",
    ("vertebroplasty", "lumbar"): "22511",
    ("kyphoplasty", "thoracic"): "22513",
    ("kyphoplasty", "lumbar"): "22514",
}
"""CPT codes without their descriptors, which are copyrighted; sure."""


def flags(care: Care) -> Iterator[Resource]:
    """A Flag for each emergency that is certain, or possible and not excluded."""
    for number, alarm in enumerate(alarms(care.decision), start=1):
        if alarm.certainty == "not asked":
            continue
        open_yet = f"; not excluded, ask now for: {alarm.ask}" if alarm.certainty == "possible" else ""
        title = "Emergency" if alarm.certainty == "certain" else "Possible emergency"
        yield {
            "resourceType": "Flag",
            "id": f"emergency-{number}",
            "status": "active",
            "code": {"text": f"{title}, {alarm.where}: {alarm.words}{open_yet}. {alarm.action}"},
            "subject": SUBJECT,
            **({} if care.record.recorded_on is None else {"period": dated("start", care.record.recorded_on)}),
        }


def proposals(care: Care) -> Iterator[Resource]:
    """A proposal for each level and technique that the rules leave possible, with who says yes and who says no."""
    for level in care.decision.levels:
        if barred(level):
            continue
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
                **dated("authoredOn", care.record.recorded_on),
                "reasonReference": [{"reference": f"Condition/fracture-{level.level}"}],
                "note": [{"text": _sides(level.verdicts)}],
            }


def barred(level: LevelDecision) -> bool:
    """Whether an emergency stands or is possible, or any rule set that speaks of the case says contraindicated."""
    possible = any(flag.kind == "emergency" and flag.suspected for flag in level.open_flags)
    against = any(verdict.applies and verdict.status == "contraindicated" for verdict in level.verdicts)
    return bool(level.emergencies) or possible or against


def _sides(verdicts: Iterable[Verdict]) -> str:
    asked = [verdict for verdict in verdicts if verdict.applies and verdict.question != "imaging"]
    sides: dict[str, list[str]] = {}
    for verdict in asked:
        sides.setdefault(verdict.status, []).append(verdict.title)
    return "; ".join(f"{status}: {', '.join(titles)}" for status, titles in sides.items())

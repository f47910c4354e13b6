"""The bundle: valid R4B, only sure codes, conditions by level, and the record inside comes back whole."""

from __future__ import annotations

import json

from fhir.resources.R4B.bundle import Bundle
from fhirpathpy import evaluate

from endplate.case.care import weigh
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import parse_record
from endplate.patient.fhir import record_from_bundle
from endplate.report.fhir import to_bundle

RECORD = {
    "id": "p",
    "age_yr": 76,
    "sex": "F",
    "recorded_on": "2026-06-14",
    "episode": {"onset_on": "2026-05-10", "mechanism": "fall from standing"},
    "levels": {
        "L1": {
            "fracture": True,
            "oedema": True,
            "lesion": "none",
            "convex_posterior_cortex": False,
            "pedicle_destroyed": False,
            "epidural_mass": False,
        }
    },
    "bone": {"tests": [{"site": "spine", "t_score": -3.2}]},
    "cancer": {"known": False, "biopsy_positive": False},
}
FINDINGS = [
    Finding(code="height_loss", value=0.32, unit="1", level=Level.L1, low=0.28, high=0.36, method="m", source="s"),
    Finding(code="fracture", value="yes", unit="", level=Level.L1, method="m", source="s"),
]


def care(**fields):
    return weigh(parse_record(json.dumps(RECORD | fields)), FINDINGS)


def resources(bundle, kind):
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_the_bundle_is_valid_and_keeps_its_rules():
    bundle = to_bundle(care(), FINDINGS)
    Bundle.model_validate(bundle)
    for rule in (
        "Bundle.entry.resource.where($this is Condition).all(subject.exists() and bodySite.exists())",
        "Bundle.entry.resource.where($this is RiskAssessment).count() >= 3",
        "Bundle.entry.resource.where($this is CarePlan).all(intent = 'proposal')",
        "Bundle.entry.resource.where($this is ServiceRequest).all(intent = 'proposal' and status = 'draft')",
        "Bundle.entry.fullUrl.isDistinct()",
    ):
        assert evaluate(bundle, rule, {}) == [True], rule


def test_the_record_comes_back_out_of_the_bundle():
    told = care().record
    assert record_from_bundle(json.dumps(to_bundle(care(), FINDINGS))).record == told


def test_a_condition_is_coded_only_where_its_cause_is_sure():
    (osteoporotic,) = resources(to_bundle(care()), "Condition")
    assert osteoporotic["code"]["coding"][0]["code"] == "M80.08XA"
    (maybe_cancer,) = resources(to_bundle(care(cancer={"known": True})), "Condition")
    assert "coding" not in maybe_cancer["code"]


def test_a_measurement_keeps_its_band_and_its_level():
    loss = next(r for r in resources(to_bundle(care(), FINDINGS), "Observation") if r["id"] == "finding-1")
    assert loss["valueQuantity"]["value"] == 0.32 and loss["bodySite"]["coding"][0]["code"] == "66794005"
    assert [part["valueQuantity"]["value"] for part in loss["component"]] == [0.28, 0.36]

"""The bundle: valid R4B, only sure codes, conditions by level, and the record inside comes back whole."""

from __future__ import annotations

import json

import pytest
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
        "Bundle.entry.resource.where($this is Condition).all(subject.exists() and recordedDate = '2026-06-14')",
        "Bundle.entry.resource.where($this is Condition and id = 'fracture-L1').all(bodySite.exists())",
        "Bundle.entry.resource.where($this is RiskAssessment).count() >= 3",
        "Bundle.entry.resource.where($this is CarePlan).all(intent = 'proposal')",
        "Bundle.entry.resource.where($this is ServiceRequest).all(intent = 'proposal' and status = 'draft')",
        "Bundle.entry.fullUrl.isDistinct()",
    ):
        assert evaluate(bundle, rule, {}) == [True], rule


def test_the_record_comes_back_out_of_the_bundle():
    told = care().record
    assert record_from_bundle(json.dumps(to_bundle(care(), FINDINGS))).record == told


def condition(name="fracture-L1", findings=(), **fields):
    told = weigh(parse_record(json.dumps(RECORD | fields)), findings)
    found = {one["id"]: one for one in resources(to_bundle(told, findings), "Condition")}
    return found.get(name)


def code(name="fracture-L1", findings=(), **fields):
    told = condition(name, findings, **fields)
    return told and told["code"].get("coding", [{"code": "text"}])[0]["code"]


def at_l1(**more):
    return {"L1": RECORD["levels"]["L1"] | more}


STEROID = {"glucocorticoids": [{"prednisone_mg_day": 10, "months": 8, "ongoing": True}]}
CRASH = {
    "episode": {"onset_on": "2026-05-10", "mechanism": "traffic"},
    "bone": {"tests": [{"site": "spine", "t_score": 0.5}]},
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "M80.08XA"),
        ({"drugs": STEROID}, "M80.88XA"),
        ({"age_yr": 34, "pregnant": True}, "M80.88XA"),
        ({"drugs": {"repeated_short_steroid_courses": True, "glucocorticoids": []}}, "text"),
        ({"age_yr": 59}, "text"),
        ({"age_yr": 60}, "M80.08XA"),
        ({"age_yr": 55, "history": {"postmenopausal": True}}, "M80.08XA"),
        ({"age_yr": 64, "sex": "M"}, "text"),
        ({"age_yr": 65, "sex": "M"}, "M80.08XA"),
        ({"cancer": {"known": True}}, "text"),
        ({"cancer": {"known": True}, "levels": at_l1(lesion="lytic", lesion_destructive=True)}, "M84.58XA"),
        ({**CRASH, "levels": at_l1(of_class=2)}, "S32.010A"),
        ({**CRASH, "levels": at_l1(of_class=3)}, "text"),
        (CRASH, "text"),
        ({**CRASH, "bone": RECORD["bone"], "levels": at_l1(of_class=2)}, "text"),
    ],
)
def test_a_fresh_fracture_is_coded_by_its_cause_and_only_where_it_is_sure(fields, expected):
    assert code(**fields) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"episode": {"onset_days": 84, "mechanism": "fall from standing"}}, "M80.08XA"),
        ({"episode": {"onset_days": 85, "mechanism": "fall from standing"}}, "text"),
        ({"episode": {"mechanism": "fall from standing"}}, "text"),
        ({"levels": at_l1(oedema=False)}, "text"),
        ({"levels": at_l1(oedema=False, uptake=True)}, "M80.08XA"),
        ({"levels": at_l1(concordant=False)}, "text"),
        ({"levels": at_l1(oedema=None)}, "M80.08XA"),
        ({"levels": {**at_l1(oedema=None), "T8": {"fracture": True}}}, "text"),
        ({"levels": {**at_l1(oedema=None, fracture_on="2026-06-01"), "T8": {"fracture": True}}}, "M80.08XA"),
    ],
)
def test_a_fracture_whose_age_is_not_known_fresh_is_text(fields, expected):
    assert code(**fields) == expected
    assert (expected == "text") == ("onsetDateTime" not in condition(**fields))


def test_a_measured_wedge_stands_in_for_the_class():
    wedge = Finding(code="deformity_shape", value="wedge", unit="", level=Level.L1, method="m", source="s")
    assert code(findings=[wedge], **CRASH) == "S32.010A"
    assert code(findings=[wedge], **CRASH, levels=at_l1(of_class=4)) == "text"


def test_what_the_record_says_of_bone_drugs_and_the_past_is_coded():
    assert code("osteoporosis") == "64859006"
    assert condition("osteoporosis", bone={"tests": [{"site": "spine", "t_score": -1.0}]}, levels={}) is None
    assert code("osteoporosis", levels={}) == "64859006"
    assert code("long-term-steroid", drugs=STEROID) == "Z79.52"
    for course in (
        {"months": 2, "ongoing": True},
        {"months": 8},
        {"ongoing": True},
        {"months": 8, "stopped_on": "2026-01-01"},
    ):
        assert condition("long-term-steroid", drugs={"glucocorticoids": [{"prednisone_mg_day": 10, **course}]}) is None
    dated = {"prednisone_mg_day": 10, "started_on": "2026-03-14", "ongoing": True}
    assert code("long-term-steroid", drugs={"glucocorticoids": [dated]}) == "Z79.52"
    assert condition("long-term-steroid", drugs={"glucocorticoids": [dated | {"started_on": "2026-03-15"}]}) is None
    assert code("past-fragility-fracture", history={"fractures": [{"site": "wrist", "low_energy": True}]}) == "Z87.310"
    assert condition("past-fragility-fracture", history={"fractures": [{"site": "wrist"}]}) is None


def test_days_stand_where_the_record_holds_them():
    told = care(
        studies={"mri_on": "2026-05-20", "ct_on": "2026-05-18"}, laboratory={"inr": 1.0}, pain={"under_analgesia": 7}
    )
    found = {one["code"]["coding"][-1]["code"]: one for one in resources(to_bundle(told, FINDINGS), "Observation")}
    days = {name: one.get("effectiveDateTime") for name, one in found.items()}
    assert days["levels.*.oedema"] == "2026-05-20" and days["height_loss"] == "2026-05-18"
    assert days["pain.under_analgesia"] == "2026-06-14"
    assert days["laboratory.inr.value"] is None and days["bone.tests.0.t_score"] is None
    assert condition()["onsetDateTime"] == "2026-05-10"


FIT = {
    "episode": {"onset_on": "2026-05-10", "mechanism": "fall from standing"},
    "pain": {"under_analgesia": 8, "trend": "worse"},
    "neurology": {"state": "none", "new_deficit": False, "myelopathy": False, "saddle_anaesthesia": False},
    "infection": {"systemic": False, "surgical_site": False, "spine": False, "blood_borne_untreated": False},
    "pregnant": False,
    "drugs": {"bone_drugs": []},
    "history": {"paget": False},
    "allergies": {"cement": False, "contrast": False},
    "laboratory": {"inr": 1.0, "platelets_g_l": 220},
    "fitness": {"ankylosed_spine": False, "coagulopathy": "none"},
    "levels": at_l1(
        concordant=True,
        of_class=2,
        tension_band_failed=False,
        cord_compression=False,
        loss_percent=30,
        pedicle_width_mm=9,
        posterior_wall_fraction=0.1,
        cortical_defect=False,
        cleft=False,
        kyphotic_deformity=False,
        alignment="normal",
        unstable=False,
    ),
}


def test_no_repair_is_proposed_where_anything_stands_against_it():
    def proposed(**fields):
        return resources(to_bundle(care(**FIT | fields)), "ServiceRequest")

    assert [one["code"]["text"] for one in proposed()] == ["vertebroplasty of L1"]
    assert proposed()[0]["authoredOn"] == "2026-06-14"
    assert proposed(neurology=FIT["neurology"] | {"saddle_anaesthesia": True}) == []
    canal = FIT["neurology"] | {"retention": True}
    assert proposed(neurology=canal) == []
    assert proposed(allergies={"cement": True, "contrast": False}) == [], "SIR and CIRSE say contraindicated"
    assert proposed(pain={"under_analgesia": 0}) == [], "the technique says neither"


def test_emergencies_are_flags_and_those_nobody_asked_about_are_not():
    assert resources(to_bundle(care()), "Flag") == []
    told = care(neurology={"state": "deficit", "new_deficit": True, "saddle_anaesthesia": True})
    flags = resources(to_bundle(told), "Flag")
    assert [flag["code"]["text"].partition(",")[0] for flag in flags] == ["Emergency", "Possible emergency"]
    assert "ask now for: Canal compromise" in flags[1]["code"]["text"]
    Bundle.model_validate(to_bundle(told))
    assert record_from_bundle(json.dumps(to_bundle(told))).record == told.record


def test_a_measurement_keeps_its_band_and_its_level():
    loss = next(r for r in resources(to_bundle(care(), FINDINGS), "Observation") if r["id"] == "finding-1")
    assert loss["valueQuantity"]["value"] == 0.32 and loss["bodySite"]["coding"][0]["code"] == "66794005"
    assert [part["valueQuantity"]["value"] for part in loss["component"]] == [0.28, 0.36]

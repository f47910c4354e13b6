"""The transaction that is written: addresses, conditional creation, narrative; valid R4 and R4B to other programs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhirpathpy import evaluate
from tests.report.care.test_fhir_bundle import FINDINGS, RECORD, STEROID
from tests.support.full_record import record_told_in_full

from endplate.case.care import weigh
from endplate.level import Level
from endplate.patient import parse_record
from endplate.patient.fhir import record_from_bundle, record_resources, transaction
from endplate.report.fhir import to_bundle

SUPPORT = Path(__file__).parents[2] / "support"
MORE = {
    "birth_year": 1950, "mass_kg": 61, "height_cm": 160,
    "laboratory": {"calcium_mmol_l": {"value": 2.3, "on": "2026-06-01"}},
    "drugs": {**STEROID, "names": ["Eliquis 5 mg", "prednisolone 10 mg", "Prolia, stopped", "Fosamax (paused)",
                                   "Zork"]},
    "bone": {"tests": [{"site": "spine", "t_score": -3.2}, {"site": "not stated", "t_score": -1.0}]},
    "allergies": {"others": ["<latex> & \"nuts\""]},
    "procedures": [{"kind": "vertebroplasty", "levels": ["L3"], "on": "2026-06-01"}],
}  # fmt: skip


@cache
def written():
    return to_bundle(weigh(parse_record(json.dumps(RECORD | MORE)), FINDINGS), FINDINGS)


@cache
def in_full():
    return transaction(record_resources(record_told_in_full()))


def of_kind(kind, bundle=None):
    return [entry["resource"] for entry in (bundle or written())["entry"] if entry["resource"]["resourceType"] == kind]


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "reference":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


@pytest.mark.parametrize("bundle", [written, in_full])
def test_every_reference_is_an_address_of_the_bundle_and_every_entry_is_created_once(bundle):
    data = bundle()
    assert data["type"] == "transaction"
    addresses = [entry["fullUrl"] for entry in data["entry"]]
    assert len(set(addresses)) == len(addresses)
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in addresses)
    used = set(references([entry["resource"] for entry in data["entry"]]))
    assert used <= set(addresses) and addresses[0] in used
    for entry in data["entry"]:
        resource, request = entry["resource"], entry["request"]
        assert (request["method"], request["url"]) == ("POST", resource["resourceType"])
        given = resource["identifier"]
        given = given[0] if isinstance(given, list) else given
        assert request["ifNoneExist"] == f"identifier={given['system']}|{given['value']}"


def test_pushing_twice_changes_nothing_and_what_has_changed_is_new():
    again = to_bundle(weigh(parse_record(json.dumps(RECORD | MORE)), FINDINGS), FINDINGS)
    assert json.dumps(again) == json.dumps(written())
    queries = {entry["request"]["ifNoneExist"] for entry in written()["entry"]}
    heavier = to_bundle(weigh(parse_record(json.dumps(RECORD | MORE | {"mass_kg": 62})), FINDINGS), FINDINGS)
    new = {
        entry["resource"]["code"]["text"]
        for entry in heavier["entry"]
        if entry["request"]["ifNoneExist"] not in queries
    }
    assert new == {"mass kg"}


def test_two_patients_share_no_address_even_without_names():
    def addresses(**fields):
        record = parse_record(json.dumps({"age_yr": 70, "sex": "F"} | fields))
        return {entry["fullUrl"] for entry in transaction(record_resources(record))["entry"]}

    kinds = [addresses(id="a"), addresses(id="b"), addresses(), addresses(mass_kg=60)]
    assert len(set.union(*kinds)) == sum(len(one) for one in kinds)


def test_a_name_of_any_signs_stays_one_query():
    record = parse_record(json.dumps({"age_yr": 70, "sex": "F", "id": "a|b, c&d=\\$é"}))
    entry = transaction(record_resources(record))["entry"][0]
    value = entry["request"]["ifNoneExist"].split("|", 1)[1]
    assert (
        not set(value) & set("|,&= \\$")
        and record_from_bundle(json.dumps(transaction(record_resources(record)))).record == record
    )


def test_every_resource_says_in_words_what_it_is():
    texts = []
    for entry in written()["entry"]:
        text = entry["resource"]["text"]
        root = ElementTree.fromstring(text["div"])
        assert text["status"] == "generated" and root.tag == "{http://www.w3.org/1999/xhtml}div"
        texts.append("".join(root.itertext()))
    assert all(texts)
    assert {"mass kg: 61 kg", "Patient female 1950", "Vertebral compression fracture of L1"} <= set(texts)
    assert any('<latex> & "nuts"' in text for text in texts)


def test_the_patient_has_a_year_of_birth_only_where_it_is_told_and_an_age_always():
    (patient,) = of_kind("Patient")
    assert patient["birthDate"] == "1950"
    plain = record_resources(parse_record('{"age_yr": 70, "sex": "F"}'))[0]
    assert "birthDate" not in plain and plain["extension"][0]["valueAge"]["value"] == 70
    alone = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": plain}]}
    assert record_from_bundle(json.dumps(alone)).record.age_yr == 70


def test_observations_have_categories_and_public_codes():
    found = {one["code"]["text"]: one for one in of_kind("Observation")}
    category = {text: one["category"][0]["coding"][0]["code"] for text, one in found.items()}
    code = {text: one["code"]["coding"][0]["code"] for text, one in found.items()}
    assert (category["mass kg"], code["mass kg"]) == ("vital-signs", "29463-7")
    assert (category["height cm"], code["height cm"]) == ("vital-signs", "8302-2")
    calcium = "laboratory: calcium mmol l: value"
    assert (category[calcium], code[calcium]) == ("laboratory", "2000-8")
    assert found[calcium]["valueQuantity"]["code"] == "mmol/L" and found[calcium]["effectiveDateTime"] == "2026-06-01"
    assert code["bone: tests: 0: t score"] == "38267-1" and category["bone: tests: 0: t score"] == "imaging"
    assert len(category) == len(found)


def test_a_vital_sign_without_a_day_says_so():
    resources = record_resources(parse_record('{"age_yr": 70, "sex": "F", "mass_kg": 60}'))
    mass = next(one for one in resources if one.get("code", {}).get("text") == "mass kg")
    assert "effectiveDateTime" not in mass and mass["_effectiveDateTime"]["extension"][0]["valueCode"] == "unknown"


def test_drugs_have_codes_where_known_and_the_status_that_their_words_say():
    found = {one["medicationCodeableConcept"]["text"]: one for one in of_kind("MedicationStatement")}
    codes = {
        text: {code["code"] for code in one["medicationCodeableConcept"].get("coding", ())}
        for text, one in found.items()
    }
    assert codes["Eliquis 5 mg"] == {"1364430", "B01AF02"} and codes["Zork"] == set()
    status = {text: one["status"] for text, one in found.items()}
    assert status["Eliquis 5 mg"] == "active" and status["Prolia, stopped"] == "completed"
    assert status["Fosamax (paused)"] == "unknown" and status["glucocorticoid"] == "active"


def test_conditions_say_who_is_sure_of_them():
    found = {one["id"]: one for one in of_kind("Condition")}
    sure = {name: one["verificationStatus"]["coding"][0]["code"] for name, one in found.items()}
    assert sure == {"fracture-L1": "confirmed", "osteoporosis": "provisional", "long-term-steroid": "confirmed"}
    assert all(one["category"][0]["coding"][0]["code"] for one in found.values())
    measured = to_bundle(weigh(parse_record(json.dumps(RECORD | {"levels": {}})), FINDINGS), FINDINGS)
    (fracture,) = [one for one in of_kind("Condition", measured) if one["id"] == "fracture-L1"]
    assert fracture["verificationStatus"]["coding"][0]["code"] == "provisional"


def test_our_conditions_are_read_where_a_server_kept_nothing_else():
    patient, *others = written()["entry"]
    kept = [patient, *(entry for entry in others if entry["resource"]["resourceType"] == "Condition")]
    found = record_from_bundle(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": kept})).record
    assert found.levels[Level.L1].fracture and str(found.levels[Level.L1].fracture_on) == "2026-05-10"


@pytest.mark.parametrize("record", [record_told_in_full(), parse_record(json.dumps(RECORD | MORE))])
def test_the_record_comes_back_whole_from_the_transaction(record):
    found = record_from_bundle(json.dumps(to_bundle(weigh(record, FINDINGS), FINDINGS)))
    assert found.record == record
    assert all("made by endplate" in line or "measured by endplate" in line for line in found.unused)


@pytest.mark.parametrize("bundle", [written, in_full])
def test_it_is_valid_r4b(bundle):
    Bundle.model_validate(bundle())
    for rule in (
        "Bundle.entry.all(request.exists() and fullUrl.startsWith('urn:uuid:'))",
        "Bundle.entry.resource.all(text.exists())",
        "Bundle.entry.resource.where($this is Observation).all(category.exists() and code.coding.exists())",
    ):
        assert evaluate(bundle(), rule, {}) == [True], rule


@pytest.mark.parametrize("bundle", [written, in_full])
def test_it_is_valid_r4_to_fhirclient(bundle):
    if find_spec("fhirclient") is None:
        pytest.skip("fhirclient (PyPI) checks R4 here; it is not installed")
    command = [sys.executable, str(SUPPORT / "r4_by_fhirclient.py")]
    done = subprocess.run(command, input=json.dumps(bundle()), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert said["entries"] == len(bundle()["entry"])
    assert record_from_bundle(json.dumps(said["again"])).record == record_from_bundle(json.dumps(bundle())).record
    broken = json.loads(json.dumps(bundle()))
    del broken["entry"][1]["resource"]["code"]
    refused = subprocess.run(command, input=json.dumps(broken), capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and "code" in refused.stderr


@pytest.mark.parametrize("bundle", [written, in_full])
def test_it_is_valid_r4_to_the_validator_of_npm(bundle):
    node, modules = shutil.which("node"), os.environ.get("ENDPLATE_NODE_MODULES", "")
    if node is None or not (Path(modules) / "fhir").is_dir():
        pytest.skip("the npm package fhir checks R4 here: install it and set ENDPLATE_NODE_MODULES to its node_modules")

    def errors(data):
        done = subprocess.run(
            [node, str(SUPPORT / "r4_by_fhir.js")], input=json.dumps(data), capture_output=True, text=True,
            env=os.environ | {"NODE_PATH": modules}, check=True,
        )  # fmt: skip
        return [one for one in json.loads(done.stdout)["messages"] if one["severity"] in ("error", "fatal")]

    assert errors(bundle()) == []
    broken = json.loads(json.dumps(bundle()))
    broken["entry"][1]["resource"]["status"] = "no such status"
    assert errors(broken)

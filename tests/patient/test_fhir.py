"""FHIR R4B: valid resources, a round trip without loss, other programs' bundles as far as codes are sure."""

from __future__ import annotations

import json
from datetime import date

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhirpathpy import evaluate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.full_record import record_told_in_full

from endplate.errors import RecordError
from endplate.level import Level
from endplate.patient import PatientRecord, parse_record
from endplate.patient.fhir import record_from_bundle, record_resources

FULL = {
    "id": "p 4711",
    "recorded_on": "2026-03-01",
    "age_yr": 76.5,
    "sex": "female",
    "mass_kg": 61,
    "pregnant": False,
    "episode": {"onset_on": "2026-02-01", "mechanism": "fall from standing", "hospitalised": False},
    "pain": {"under_analgesia": 7, "trend": "worse"},
    "questionnaires": {
        "rmdq": {"items": [True, None, False] * 8, "on": "2026-02-28"},
        "odi": {"items": [1, 2, 3, 4, 5, 0, 1, 2, 3, None]},
        "eq5d": {"version": "5L", "index": 0.41, "value_set": "DE"},
    },
    "care": {"treatments": [{"measure": "analgesia step 2", "started_on": "2026-02-02", "outcome": "no effect"}]},
    "levels": {"L1": {"oedema": True, "loss_percent": 32.5, "of_class": 3}, "C7": {"fracture": False}},
    "bone": {"tests": [{"site": "spine", "t_score": -3.2, "on": "2025-12-01"}, {"site": "total hip", "t_score": -2.0}]},
    "laboratory": {"inr": 1.0, "crp_mg_l": {"value": 4, "on": "2026-02-27"}, "electrophoresis": "normal"},
    "drugs": {
        "names": [],
        "glucocorticoids": [{"prednisone_mg_day": 7.5, "months": 8}],
        "bone_drugs": [{"drug": "denosumab", "started_on": "2024-01-01", "fracture_on_it": True}],
    },
    "allergies": {"cement": False, "others": ["latex"]},
    "history": {"fractures": [{"site": "vertebra", "levels": ["T8"], "low_energy": True}]},
    "falls": {"past_year": 2, "tug_s": 14.0},
    "procedures": [{"kind": "vertebroplasty", "levels": ["L1", "L2"], "on": "2026-02-20"}],
}


def bundle(record):
    entries = [{"fullUrl": f"urn:endplate:{r['id']}", "resource": r} for r in record_resources(record)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def test_a_full_record_comes_back_whole():
    record = parse_record(json.dumps(FULL))
    back = record_from_bundle(json.dumps(bundle(record)))
    assert back.record == record and back.unused == ()
    assert back.record.drugs.names == () and back.record.questionnaires.rmdq.items[1] is None


def test_every_field_there_is_comes_back_from_valid_resources():
    record = record_told_in_full()
    data = bundle(record)
    Bundle.model_validate(data)
    back = record_from_bundle(json.dumps(data))
    assert back.record == record and back.unused == ()


@pytest.mark.parametrize(
    "empty",
    [
        {"levels": {"C7": {}}},
        {"levels": {"C7": {"oedema": None}}},
        *({"questionnaires": {name: {}}} for name in ("rmdq", "odi", "qualeffo", "sf36")),
    ],
)
def test_a_part_that_tells_nothing_is_dropped_on_reading_and_comes_back_so(empty):
    record = parse_record(json.dumps({"age_yr": 76, "sex": "female"} | empty))
    assert record == PatientRecord(age_yr=76, sex="female")
    assert record_from_bundle(json.dumps(bundle(record))).record == record


flag, day = st.none() | st.booleans(), st.none() | st.dates(date(2020, 1, 1), date(2026, 1, 1))
records = st.fixed_dictionaries(
    {
        "age_yr": st.floats(0, 120).map(lambda x: round(x, 1)),
        "sex": st.sampled_from(["female", "male"]),
        "levels": st.dictionaries(
            st.sampled_from([level.value for level in Level]),
            st.fixed_dictionaries({"oedema": flag, "loss_percent": st.none() | st.floats(0, 100)}),
        ),
        "drugs": st.fixed_dictionaries(
            {"names": st.none() | st.lists(st.text("abc none", min_size=1).filter(str.strip), max_size=3)}
        ),
        "laboratory": st.fixed_dictionaries({"inr": st.none() | st.floats(0.5, 20)}),
        "questionnaires": st.fixed_dictionaries(
            {"rmdq": st.none() | st.fixed_dictionaries({"items": st.lists(flag, min_size=24, max_size=24)})}
        ),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records)
def test_any_record_comes_back_as_it_was(data):
    record = parse_record(json.dumps(data))
    back = record_from_bundle(json.dumps(bundle(record))).record
    empty = {
        level for level, read in record.levels.items() if not any(v is not None for v in read.model_dump().values())
    }
    assert back.levels == {level: read for level, read in record.levels.items() if level not in empty}
    assert (back.drugs, back.laboratory, back.age_yr, back.sex) == (
        record.drugs,
        record.laboratory,
        record.age_yr,
        record.sex,
    )
    if record.questionnaires.rmdq and any(item is not None for item in record.questionnaires.rmdq.items):
        assert back.questionnaires.rmdq.items == record.questionnaires.rmdq.items


def test_the_resources_are_valid_and_keep_the_rules_of_the_profile():
    data = bundle(parse_record(json.dumps(FULL)))
    Bundle.model_validate(data)
    for rule in (
        "Bundle.entry.resource.where($this is Observation).all(code.coding.exists() and subject.exists())",
        "Bundle.entry.resource.where($this is Patient).count() = 1",
        "Bundle.entry.resource.id.isDistinct()",
        "Bundle.entry.resource.where($this is Observation and bodySite.exists()).count() = 4",
    ):
        assert evaluate(data, rule, {}) == [True], rule


def test_only_sure_codes_leave_the_house():
    data = json.dumps(bundle(parse_record(json.dumps(FULL))))
    assert "72514-3" in data and "66794005" in data
    systems = {
        (c["system"], c["code"])
        for entry in json.loads(data)["entry"]
        for c in entry["resource"].get("code", {}).get("coding", [])
        if not c["system"].startswith("urn:endplate")
    }
    loinc = {"72514-3", "29463-7", "30525-0", "6301-6", "1988-5", "38267-1", "38264-8"}
    assert systems == {("http://loinc.org", code) for code in loinc}


def observation(code, value, unit, status="final"):
    return {
        "resourceType": "Observation",
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "code": unit, "system": "http://unitsofmeasure.org"},
    }


def foreign(*resources, **patient):
    base = {"resourceType": "Patient", "id": "x1", "gender": "female", "birthDate": "1950-03-01"} | patient
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in (base, *resources)]}
    )


def test_another_programs_bundle_gives_what_its_sure_codes_say_and_names_the_rest():
    read = record_from_bundle(
        foreign(
            observation("29463-7", 61, "kg"),
            observation("8302-2", 1.6, "m"),
            observation("72514-3", 7, "{score}"),
            observation("12345-6", 1, "1"),
        ),
        today=date(2026, 3, 1),
    )
    assert (read.record.id, read.record.age_yr, read.record.mass_kg) == ("x1", pytest.approx(76, abs=0.05), 61)
    assert read.record.height_cm == 160 and read.record.pain.under_analgesia == 7
    assert read.unused == ("Observation 12345-6: the record has no place for its code",)
    assert read.notes == ("the pain score 7 has no day: it is taken for today's",)


def drug(text, status="active", kind="MedicationStatement"):
    about = {"subject": {"reference": "Patient/x1"}, "medicationCodeableConcept": text}
    return {
        "resourceType": kind,
        "status": status,
        **({"intent": "order"} if kind == "MedicationRequest" else {}),
        **about,
    }


def test_another_programs_drugs_and_density_tests_join_the_lists():
    read = record_from_bundle(
        foreign(
            drug({"text": "Zolpidem  10 mg"}),
            drug({"coding": [{"system": "x", "code": "1", "display": "Furosemide"}]}, kind="MedicationRequest"),
            drug({"text": "Zolpidem 10 mg"}),
            drug({"text": "Diazepam"}, "completed"),
            drug({"coding": [{"system": "x", "code": "1"}]}),
            observation("80946-7", -2.6, "{T-score}") | {"effectiveDateTime": "2025-12-01T10:00:00Z"},
            observation("80948-3", -2.1, "1") | {"effectiveDateTime": "2024-12"},
            observation("80940-0", 0.7, "g/cm2"),
        ),
        today=date(2026, 3, 1),
    )
    assert read.record.drugs.names == ("Zolpidem 10 mg", "Furosemide")
    tests = {(test.site, test.t_score, test.on) for test in read.record.bone.tests}
    assert tests == {("total hip", -2.6, date(2025, 12, 1)), ("femoral neck", -2.1, None)}
    assert read.unused == (
        "MedicationStatement Diazepam: status completed: it has ended",
        "MedicationStatement 1: it names no drug",
        "Observation 80940-0: unit g/cm2 is none of a score",
    )


def test_additions_stand_behind_what_the_record_holds_and_replace_none():
    held = parse_record(json.dumps(FULL | {"id": None}))
    more = [{"resource": drug({"text": "Zolpidem"})}, {"resource": observation("80946-7", -2.6, "1")}]
    for entry in more:
        entry["resource"].pop("subject", None)
    more[0]["resource"]["subject"] = {"reference": "Patient/patient"}
    whole = bundle(held) | {"entry": bundle(held)["entry"] + more}
    back = record_from_bundle(json.dumps(whole)).record
    assert back.drugs.names == ("Zolpidem",), "FULL says none"
    assert [test.t_score for test in back.bone.tests] == [-3.2, -2.0, -2.6]


def test_a_cancelled_observation_is_not_read():
    read = record_from_bundle(foreign(observation("29463-7", 61, "kg", "cancelled")), today=date(2026, 3, 1))
    assert read.record.mass_kg is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "is no FHIR bundle"),
        ('{"resourceType": "Observation"}', "is no FHIR bundle"),
        ('{"resourceType": "Bundle", "type": "collection"}', "holds no patients"),
        (foreign({"resourceType": "Patient", "id": "x2"}), "holds 2 patients"),
        (foreign(gender=None), "sex is missing"),
        (foreign(observation("29463-7", 700, "kg")), "mass_kg is 700"),
        ('{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient", '
         '"gender": 3}}]}', "not valid FHIR R4B"),
    ],
)  # fmt: skip
def test_what_is_no_bundle_of_one_patient_is_told_in_one_line(text, says):
    with pytest.raises(RecordError, match=says) as error:
        record_from_bundle(text)
    assert "\n" not in str(error.value)


def test_an_almost_empty_record_is_small():
    record = PatientRecord(age_yr=76, sex="female")
    assert len(record_resources(record)) == 2
    assert record_from_bundle(json.dumps(bundle(record))).record == record


def own(path, **value):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:endplate:record", "code": path}]},
    } | value


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ([own("levels.*.oedema", valueBoolean=True, bodySite={"text": "hip"})], "'hip' is not a valid Level"),
        ([own("levels.*.oedema", valueBoolean=True, bodySite={"coding": [{"code": "1"}]})], "bodySite without text"),
        ([own("drugs.names.999999999", valueString="x")], "more than 1000"),
        ([own("pain", valueString="x"), own("pain.trend", valueString="worse")], "inside a value"),
        ([own("pain.trend", valueString="worse"), own("pain", valueString="x")], "holds other fields"),
        (
            [own("mass_kg", valueQuantity={"value": 60}, subject={"reference": "Patient/x2"})],
            "several patients: x1, x2",
        ),
    ],
)
def test_a_bundle_of_ours_that_was_spoilt_is_told_in_one_line(resources, says):
    with pytest.raises(RecordError, match=says) as error:
        record_from_bundle(foreign(*resources))
    assert "\n" not in str(error.value)


def test_of_two_weights_the_newer_one_counts_whatever_their_order():
    new, old = (
        observation("29463-7", kg, "kg") | {"effectiveDateTime": on}
        for kg, on in ((60, "2026-05-01"), (90, "2010-01-01"))
    )
    assert record_from_bundle(foreign(new, old)).record.mass_kg == 60

"""Other programs' bundles: a denied meaning is never taken, units convert, the newest counts, the rest is listed."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest

from endplate.errors import RecordError
from endplate.level import Level
from endplate.patient.fhir import record_from_bundle
from endplate.patient.fhir.fracture_words import fracture_in_words
from endplate.patient.medication import medication

TODAY = date(2026, 3, 1)
LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
WARFARIN = {"coding": [{"system": RXNORM, "code": "11289", "display": "warfarin"}]}
SHARED = Path(os.environ.get("ENDPLATE_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "cases"


def bundle(*resources, **patient):
    base = {"resourceType": "Patient", "id": "x1", "gender": "female", "birthDate": "1950-03-01"} | patient
    base = {key: value for key, value in base.items() if value is not None}
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in (base, *resources)]}
    )


def read(*resources, **patient):
    return record_from_bundle(bundle(*resources, **patient), today=TODAY)


def observed(code, value=None, unit="1", **more):
    quantity = {} if value is None else {"valueQuantity": {"value": value, "code": unit, "system": UCUM}}
    coding = {"coding": [{"system": LOINC, "code": code}]}
    return {"resourceType": "Observation", "status": "final", "code": coding} | quantity | more


def requested(concept=WARFARIN, **more):
    base = {"resourceType": "MedicationRequest", "status": "active", "intent": "order"}
    return base | {"subject": {"reference": "Patient/x1"}, "medicationCodeableConcept": concept} | more


def stated(concept=WARFARIN, **more):
    base = {"resourceType": "MedicationStatement", "status": "active", "subject": {"reference": "Patient/x1"}}
    return base | {"medicationCodeableConcept": concept} | more


def condition(system, code, **more):
    base = {"resourceType": "Condition", "subject": {"reference": "Patient/x1"}}
    return base | {"code": {"coding": [{"system": system, "code": code}]}} | more


def term(code):
    return {"coding": [{"code": code}]}


MODIFIER = {"modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}]}


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (requested(doNotPerform=True), "doNotPerform"),
        (requested(intent="proposal"), "intent proposal"),
        (requested(intent="plan"), "intent plan"),
        (requested(intent="option"), "intent option"),
        (requested(status="entered-in-error"), "status entered-in-error"),
        (requested(status="cancelled"), "status cancelled"),
        (requested(status="draft"), "status draft"),
        (requested(status="stopped"), "it has ended"),
        (stated(status="not-taken"), "status not-taken"),
        (stated(status="intended"), "status intended"),
        (stated(status="completed"), "it has ended"),
        (stated(effectivePeriod={"start": "2020-01-01", "end": "2021-01-01"}), "ended on 2021-01-01"),
        (
            requested(dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"end": "2021-01-01"}}}}]),
            "ended on 2021",
        ),
        (requested(authoredOn="2026-04-01"), "to start on 2026-04-01"),
        (requested(**MODIFIER), "modifierExtension http://example.org/not"),
        (requested(dosageInstruction=[MODIFIER]), "modifierExtension http://example.org/not"),
        (requested(implicitRules="http://example.org/rules"), "implicitRules"),
    ],
)
def test_a_drug_that_is_not_to_be_given_is_never_taken(resource, says):
    found = read(resource)
    assert found.record.drugs.names is None and medication(found.record.drugs).anticoagulant is None
    assert len(found.unused) == 1 and says in found.unused[0] and found.unused[0].startswith(resource["resourceType"])


@pytest.mark.parametrize(
    ("resource", "taken"),
    [
        (requested(), True),
        (stated(), True),
        (stated(status="on-hold"), None),
        (stated(status="unknown"), None),
        (stated({"coding": [{"system": RXNORM, "code": "11289"}]}), True),
        (stated({"coding": [{"system": "http://www.whocc.no/atc", "code": "B01AF02"}], "text": "tablet"}), True),
        (stated({"text": "Eliquis 5 mg"}, effectivePeriod={"start": "2025-01-01", "end": "2027-01-01"}), True),
    ],
)
def test_a_drug_is_taken_by_code_or_name(resource, taken):
    assert medication(read(resource).record.drugs).anticoagulant is taken


def test_a_bone_drug_of_the_past_keeps_its_days():
    drug = stated({"text": "Prolia"}, status="stopped", effectivePeriod={"start": "2018-01-01", "end": "2025-03-01"})
    (one,) = medication(read(drug).record.drugs).bone_drugs
    assert (one.drug, one.started_on, one.stopped_on) == ("denosumab", date(2018, 1, 1), date(2025, 3, 1))


def test_the_day_of_an_order_is_asked_about_and_the_start_of_a_period_is_not():
    fosamax = {"text": "Fosamax 70 mg weekly"}
    ordered = read(requested(fosamax, authoredOn="2025-02-01"))
    assert ordered.notes == ("Fosamax 70 mg weekly: ordered on 2025-02-01: was it taken before?",)
    started = read(stated(fosamax, effectivePeriod={"start": "2020-02-01"}))
    assert started.notes == () and medication(started.record.drugs).bone_drugs[0].started_on == date(2020, 2, 1)


@pytest.mark.parametrize(
    ("patient", "says"),
    [
        ({"active": False}, "no longer in use"),
        ({"deceasedBoolean": True}, "deceased"),
        ({"deceasedDateTime": "2025-01-01"}, "deceased"),
        ({"link": [{"other": {"reference": "Patient/x9"}, "type": "replaced-by"}]}, "linked to another"),
        ({"active": True, "deceasedBoolean": False}, ""),
    ],
)
def test_what_changes_the_meaning_of_a_patient_is_asked_about(patient, says):
    notes = read(**patient).notes
    assert len(notes) == bool(says) and all(says in note for note in notes)


def test_the_strength_of_a_tablet_is_no_daily_dose():
    tablet = {"text": "Prednisone 5 MG Oral Tablet"}
    bare = medication(read(requested(tablet)).record.drugs)
    assert bare.dose_unknown and bare.courses is None
    twice = {"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
             "doseAndRate": [{"doseQuantity": {"value": 5, "code": "mg"}}]}  # fmt: skip
    (course,) = medication(read(requested(tablet, dosageInstruction=[twice])).record.drugs).courses
    assert course.prednisone_mg_day == 10


def test_a_drug_named_in_another_resource_is_read():
    named = {"resourceType": "Medication", "id": "m1", "code": WARFARIN}
    by_reference = requested() | {"medicationReference": {"reference": "Medication/m1"}}
    del by_reference["medicationCodeableConcept"]
    assert read(named, by_reference).record.drugs.names == ("warfarin",)
    held = by_reference | {"medicationReference": {"reference": "#m1"}, "contained": [named]}
    assert read(held).record.drugs.names == ("warfarin",)


@pytest.mark.parametrize(
    ("code", "value", "unit", "field", "expected"),
    [
        ("17861-6", 9.4, "mg/dL", "calcium_mmol_l", 9.4 / 4.0078),
        ("2160-0", 1.0, "mg/dL", "creatinine_umol_l", 88.40),
        ("2777-1", 3.1, "mg/dL", "phosphate_mmol_l", 1.0008),
        ("718-7", 13.2, "g/dL", "haemoglobin_g_l", 132),
        ("1751-7", 4.1, "g/dL", "albumin_g_l", 41),
        ("14635-7", 75, "nmol/L", "vitamin_d_ng_ml", 30.05),
        ("2731-8", 50, "pg/mL", "pth_pmol_l", 5.305),
        ("3016-3", 2.1, "u[IU]/mL", "tsh_mu_l", 2.1),
        ("3016-3", 2.1, "m[IU]/L", "tsh_mu_l", 2.1),
        ("2986-8", 400, "ng/dL", "testosterone_nmol_l", 13.87),
        ("1988-5", 0.5, "mg/dL", "crp_mg_l", 5),
        ("777-3", 250, "10*3/uL", "platelets_g_l", 250),
        ("6690-2", 6500, "10*6/L", "white_cells_g_l", 6.5),
        ("6301-6", 1.1, "{INR}", "inr", 1.1),
        ("33914-3", 55, "mL/min/{1.73_m2}", "egfr_ml_min", 55),
    ],
)
def test_laboratory_values_come_in_the_units_of_the_record(code, value, unit, field, expected):
    found = read(observed(code, value, unit, effectiveDateTime="2026-02-10T08:00:00Z"))
    told = getattr(found.record.laboratory, field)
    assert told.value == pytest.approx(expected, rel=1e-3) and told.on == date(2026, 2, 10)


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (observed("17861-6", 9.4, "furlong"), "unit furlong does not become mmol/L"),
        (observed("17861-6", 9.4, "mmol/L"), "no living patient has"),
        (observed("1988-5", valueQuantity={"value": 5, "comparator": "<", "code": "mg/L"}), "it says < 5, a limit"),
        (observed("718-7", valueString="low"), "holds no number"),
        (observed("718-7", dataAbsentReason=term("unknown")), "holds no number"),
        (observed("718-7", 13, "g/dL", status="preliminary"), "status preliminary"),
        (observed("718-7", 13, "g/dL", effectiveDateTime="2026-05-01"), "after the day of the record"),
        (observed("718-7", 13, "g/dL", focus=[{"reference": "Patient/baby"}]), "focus"),
        (observed("72514-3", valueString="severe"), "holds no number"),
        (observed("72514-3", 10.5), "10.5 lies outside 0 to 10"),
        (observed("72514-3", valueInteger=17), "17 lies outside 0 to 10"),
        (observed("38267-1", -26), "-26 lies outside -10 to 10"),
        (observed("24966-4", 900, "g/cm2"), "900 lies outside"),
        (observed("72514-3", 7, effectiveDateTime="2019-01-12"), "history, not the pain of 2026-03-01"),
        (observed("72514-3", 7, effectiveDateTime="2026"), "history, not the pain"),
        (observed("29463-7", 61, "kg", subject={"reference": "Device/d1"}), "about a Device"),
        ({"resourceType": "Device", "id": "d1", "patient": {"reference": "Patient/x1"}}, "no record is read from"),
    ],
)
def test_what_is_not_understood_is_listed_with_the_reason(resource, says):
    found = read(resource)
    assert len(found.unused) == 1 and says in found.unused[0]
    assert found.record.model_dump(exclude_none=True, exclude_defaults=True).keys() == {"id", "age_yr", "sex"}


def test_modifiers_are_listed_first():
    found = read(observed("12345-6", 1), requested(doNotPerform=True))
    assert [line.split()[0] for line in found.unused] == ["MedicationRequest", "Observation"]


@pytest.mark.parametrize(
    "when",
    [
        {"effectiveDateTime": "2026-01-10"},
        {"effectivePeriod": {"start": "2026-01-09", "end": "2026-01-10"}},
        {"effectiveInstant": "2026-01-10T10:00:00Z"},
        {"issued": "2026-01-10T10:00:00Z"},
        {"encounter": {"reference": "Encounter/e1"}},
        {"encounter": {"reference": "https://example.org/fhir/Encounter/e1/_history/2"}},
    ],
)
def test_an_old_weight_never_beats_a_new_one_wherever_the_day_stands(when):
    visit = {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"},
             "period": {"start": "2026-01-10T08:00:00Z"}}  # fmt: skip
    new, old = observed("29463-7", 60, "kg", **when), observed("29463-7", 90, "kg", effectiveDateTime="2010-01-01")
    for order in ((new, old), (old, new)):
        found = read(visit, *order)
        assert found.record.mass_kg == 60 and found.notes == ()
    assert read(old).notes == ("mass_kg 90 is of 2010-01-01: is it still so?",)


@pytest.mark.parametrize(
    ("code", "more", "site"),
    [
        ("38265-5", {}, "not stated"),
        ("38265-5", {"bodySite": {"text": "Lumbar spine L1-L4"}}, "spine"),
        ("38265-5", {"bodySite": {"text": "Left hip"}}, "total hip"),
        ("38265-5", {"bodySite": {"text": "hip and spine"}}, "not stated"),
        ("38267-1", {}, "spine"),
        ("38264-8", {}, "total hip"),
        ("80945-9", {}, "total hip"),
        ("80947-5", {}, "femoral neck"),
        ("80944-2", {}, "forearm"),
    ],
)
def test_density_is_read_under_every_code_in_use(code, more, site):
    found = read(observed(code, -2.7, "{T-score}", effectiveDateTime="2025-10-01", **more))
    (test,) = found.record.bone.tests
    assert (test.site, test.t_score, test.on) == (site, -2.7, date(2025, 10, 1))
    assert bool(found.notes) is (site == "not stated")


@pytest.mark.parametrize(
    ("code", "more", "level", "cause"),
    [
        ("M80.08XA", {"bodySite": [{"coding": [{"system": SNOMED, "code": "66794005"}]}]}, "L1", "osteoporotic"),
        ("M80.88XA", {"bodySite": [{"text": "T12"}]}, "T12", "osteoporotic"),
        ("M84.58XA", {"bodySite": [{"text": "L3"}]}, "L3", "malignant"),
        ("S32.010A", {}, "L1", None),
        ("S22.060A", {"bodySite": [{"text": "T8"}]}, "T8", None),
    ],
)
def test_the_fractures_that_we_write_are_read(code, more, level, cause):
    told = read(condition(ICD, code, onsetDateTime="2026-02-01", **more)).record.levels[Level(level)]
    assert (told.fracture, told.cause, told.fracture_on) == (True, cause, date(2026, 2, 1))


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (condition(ICD, "M80.08XA"), "vertebra is not stated"),
        (condition(ICD, "S22.050A"), "vertebra is not stated"),
        (condition(ICD, "C50.9", verificationStatus=term("refuted")), "verificationStatus refuted"),
        (condition(ICD, "C50.9", verificationStatus=term("entered-in-error")), "verificationStatus entered-in-error"),
        (condition(ICD, "C50.9", verificationStatus=term("differential")), "verificationStatus differential"),
        (condition(ICD, "C50.9", **MODIFIER), "modifierExtension"),
        (condition(SNOMED, "26929004", clinicalStatus=term("resolved")), "it is over"),
        (condition(ICD, "M81.0"), "give the density test"),
        (condition(ICD, "Z79.52"), "drugs.glucocorticoids"),
        (condition(SNOMED, "444814009"), "no place for its code"),
        (condition(ICD, "C50.9", onsetDateTime="2026-09-01"), "after the day of the record"),
    ],
)
def test_a_condition_that_is_not_so_or_has_no_place_is_listed(resource, says):
    found = read(resource)
    assert says in found.unused[0]
    assert found.record.cancer.known is None and not found.record.levels and found.record.fitness.dementia is None


def test_conditions_tell_what_the_record_asks_for():
    found = read(
        condition(ICD, "C50.911", clinicalStatus=term("remission")),
        condition(SNOMED, "230690007"),
        condition(ICD, "I21.4"),
        condition(SNOMED, "69896004"),
        condition(SNOMED, "443165006", onsetDateTime="2018-04-26"),
        condition(SNOMED, "65966004", onsetDateTime="2018-04-26"),
        condition(ICD, "S32.020A", clinicalStatus=term("resolved"), onsetDateTime="2015-01-01"),
        observed("72166-2", valueCodeableConcept={"coding": [{"system": SNOMED, "code": "266919005"}]}),
    ).record
    assert found.cancer.known and found.cancer.hormone_sensitive and found.history.stroke and found.history.heart_attack
    assert found.history.rheumatoid_arthritis and found.history.smoker is False
    fractures = {(one.site, one.low_energy, one.levels, one.on) for one in found.history.fractures}
    assert fractures == {("vertebra", None, ("L2",), date(2015, 1, 1)), ("other", True, None, date(2018, 4, 26))}


def test_allergies_and_repairs():
    allergy = {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/x1"}, "code": {"text": "latex"}}
    repair = {"resourceType": "Procedure", "status": "completed", "subject": {"reference": "Patient/x1"},
              "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "22514"}]},
              "bodySite": [{"text": "L1"}], "performedPeriod": {"start": "2026-01-05"}}  # fmt: skip
    found = read(allergy, repair).record
    assert found.allergies.others == ("latex",) and found.procedures[0].kind == "kyphoplasty"
    assert found.procedures[0].on == date(2026, 1, 5)
    undone = read(allergy | {"verificationStatus": term("refuted")}, repair | {"status": "not-done"})
    assert undone.record.allergies.others is None and undone.record.procedures == () and len(undone.unused) == 2


@pytest.mark.parametrize(
    ("patient", "more", "sex", "age"),
    [
        ({"birthDate": "1950"}, {}, "female", 75.7),
        ({"birthDate": "1950-03"}, {}, "female", 76.0),
        ({"gender": None}, {"sex": "male"}, "male", 76.0),
        ({"gender": "other"}, {"sex": "female"}, "female", 76.0),
        ({"birthDate": None}, {"age_yr": 80.0}, "female", 80.0),
        ({"gender": None, "extension": [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex",
                                         "valueCode": "F"}]}, {}, "female", 76.0),
    ],
)  # fmt: skip
def test_sex_and_age_come_from_the_bundle_or_are_given(patient, more, sex, age):
    found = record_from_bundle(bundle(**patient), today=TODAY, **more).record
    assert found.sex == sex and found.age_yr == pytest.approx(age, abs=0.1)


@pytest.mark.parametrize(
    ("patient", "says"),
    [
        ({"gender": None}, "sex is missing.*--sex female or --sex male"),
        ({"gender": "unknown"}, "sex is missing.*--sex"),
        ({"birthDate": None}, "age is missing.*--age"),
        ({"extension": [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", "valueCode": "M"}]},
         "gender is female, but the sex at birth is male.*--sex"),
        (MODIFIER, "carries modifierExtension"),
    ],
)  # fmt: skip
def test_a_missing_sex_or_age_is_asked_for(patient, says):
    with pytest.raises(RecordError, match=says):
        read(**patient)


def test_references_with_versions_addresses_and_uuids_name_one_patient():
    for reference in ("Patient/x1", "Patient/x1/_history/1", "https://example.org/fhir/Patient/x1", "urn:uuid:x1"):
        assert read(observed("29463-7", 61, "kg", subject={"reference": reference})).record.mass_kg == 61
    with pytest.raises(RecordError, match="several patients: x1, x2"):
        read(observed("29463-7", 61, "kg", subject={"reference": "Patient/x2/_history/1"}))


def test_of_two_versions_the_newer_counts_and_a_deleted_one_not():
    old, new = (
        observed("29463-7", kg, "kg", id="w", meta={"lastUpdated": f"{on}T00:00:00Z"})
        for kg, on in ((90, "2026-01-01"), (60, "2026-02-01"))
    )
    found = read(new, old)
    assert found.record.mass_kg == 60 and "a newer version" in found.unused[0]
    data = json.loads(bundle(new))
    data["entry"][1]["request"] = {"method": "DELETE", "url": "Observation/w"}
    assert record_from_bundle(json.dumps(data), today=TODAY).record.mass_kg is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (bundle().replace('"id"', '"id": "y", "id"', 1), "gives id twice"),
        (bundle() + " " * 10 + "x", "not JSON"),
        (json.dumps({"resourceType": "Bundle", "type": "collection", "entry": {"resource": 1}}), "no list of entries"),
        (json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": 1}]}), "no FHIR resource"),
        (json.dumps({"resourceType": ["Bundle"]}), "is no FHIR bundle"),
        (bundle(json.loads('{"resourceType": "Basic", "x": ' + "[" * 80 + "]" * 80 + "}")), "layers deep"),
    ],
)
def test_what_is_no_bundle_is_refused_in_one_line(text, says):
    with pytest.raises(RecordError, match=says) as error:
        record_from_bundle(text, today=TODAY)
    assert "\n" not in str(error.value)


def shared(name):
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"{path} is not here: set ENDPLATE_SHARED to the folder of the shared cases")
    return path.read_bytes()


def test_the_us_core_example_reads_once_the_sex_is_given():
    text = shared("fhir/us_core_example_without_gender.json")
    with pytest.raises(RecordError, match="--sex"):
        record_from_bundle(text)
    found = record_from_bundle(text, sex="female")
    assert {(test.site, test.t_score) for test in found.record.bone.tests} >= {
        ("total hip", -1.62),
        ("femoral neck", -1.48),
    }
    assert found.record.laboratory.creatinine_umol_l.value == pytest.approx(88.4, abs=0.1)
    assert found.unused == ("MedicationRequest Tylenol PM Pill: intent plan: no order",)


def test_the_synthea_patient_reads_with_a_list_of_what_was_left():
    found = record_from_bundle(shared("fhir/synthea_osteoporosis_89m.json"))
    assert medication(found.record.drugs).anticoagulant and found.record.pain.under_analgesia is None
    assert found.record.history.stroke and found.record.laboratory.haemoglobin_g_l.value == pytest.approx(
        146.14, abs=0.01
    )
    assert len([one for one in found.record.history.fractures if one.low_energy]) == 2
    assert any("is history, not the pain of" in line for line in found.unused)
    assert all(": " in line for line in found.unused)


@pytest.mark.parametrize("name", ["keyerror", "typeerror", "nonetype"])
def test_the_attacks_get_one_clear_line(name):
    with pytest.raises(RecordError) as error:
        record_from_bundle(shared(f"attack/fhir-{name}.json"), name)
    assert error.value.exit_code == 2 and str(error.value).isprintable()


@pytest.mark.parametrize(
    ("text", "site", "level", "fragile"),
    [
        ("Fracture of right hip", "hip", None, False),
        ("Closed fracture of neck of femur", "hip", None, False),
        ("Colles fracture, low-energy", "wrist", None, True),
        ("Fractured pubic ramus (insufficiency fracture)", "pelvis", None, True),
        ("Fracture of ankle", "other", None, False),
        ("Compression fracture of L1", "vertebra", "L1", False),
        ("Osteoporotic collapse of D12 vertebra", "vertebra", "T12", True),
        ("Vertebral compression fracture", "vertebra", None, False),
    ],
)
def test_a_fracture_in_words_is_read_by_its_place(text, site, level, fragile):
    told = fracture_in_words(text)
    assert (told.site, told.level and str(told.level), told.low_energy) == (site, level, fragile)


@pytest.mark.parametrize(
    "text",
    ["Pain in hip", "Suspected hip fracture", "No fracture of L1", "Fracture of wrist and hip", "Fracture of L1 and L3",
     "Family history of hip fracture", "Fracture", "Hip fracture risk"],
)  # fmt: skip
def test_words_that_do_not_say_one_broken_bone_are_left(text):
    assert fracture_in_words(text) is None


def in_words(text, **more):
    return {"resourceType": "Condition", "subject": {"reference": "Patient/x1"}, "code": {"text": text}} | more


def test_conditions_in_words_become_fractures_of_the_past_or_of_a_level():
    over = {"clinicalStatus": term("resolved")}
    found = read(
        in_words("Hip fracture", onsetDateTime="2019-03-02"),
        in_words("Old compression fracture of T8", onsetDateTime="2018-01-01", **over),
        in_words("Compression fracture of L1", onsetDateTime="2026-02-20"),
        in_words("Compression fracture of spine"),
    )
    past = {(one.site, one.levels) for one in found.record.history.fractures}
    assert past == {("hip", None), ("vertebra", ("T8",))}
    assert {str(level): read.fracture for level, read in found.record.levels.items()} == {"L1": True}
    assert any("the vertebra is not stated" in one for one in found.unused)


def test_the_words_place_a_fracture_whose_code_leaves_the_place_open():
    coded = condition(SNOMED, "443165006", onsetDateTime="2018-04-26")
    coded["code"]["text"] = "Pathological fracture of hip due to osteoporosis"
    (one,) = read(coded).record.history.fractures
    assert (one.site, one.low_energy) == ("hip", True)

"""Drugs by generic or trade name, with dose and state; what is not understood is said, never dropped."""

from __future__ import annotations

import json
from datetime import date

import pytest

from endplate.errors import RecordError
from endplate.patient import parse_record
from endplate.patient.drug_table import ATC, RXNORM, by_name, drug_by_code, group_source, known_drugs, plain
from endplate.patient.medication import medication
from endplate.patient.named_drug import bone_class, read_list


def one(entry):
    (found,) = read_list([entry]).drugs
    return found


@pytest.mark.parametrize(
    ("entry", "generic", "group"),
    [
        ("apixaban 5 mg", "apixaban", "anticoagulant"),
        ("ELIQUIS® 5mg bd", "apixaban", "anticoagulant"),
        ("Xarelto", "rivaroxaban", "anticoagulant"),
        ("Warfarin Sodium 5 MG Oral Tablet", "warfarin", "anticoagulant"),
        ("Marcumar", "phenprocoumon", "anticoagulant"),
        ("Clexane 40 mg s.c.", "enoxaparin", "anticoagulant"),
        ("blood thinner", "anticoagulant (not named)", "anticoagulant"),
        ("Acetylsalicylsäure 100", "aspirin", "antiplatelet"),
        ("Plavix", "clopidogrel", "antiplatelet"),
        ("Solu-Medrol", "methylprednisolone", "glucocorticoid"),
        ("Alendronsäure 70 mg", "alendronate", "bone"),
        ("Alendronic acid 10 MG Oral Tablet", "alendronate", "bone"),
        ("Aclasta", "zoledronate", "bone"),
        ("Prolia", "denosumab", "bone"),
        ("Forsteo", "teriparatide", "bone"),
        ("Evenity", "romosozumab", "bone"),
        ("Arimidex", "anastrozole", "aromatase_inhibitor"),
        ("tamoxifen 20", "tamoxifen", "breast_hormone"),
        ("Zoladex 10.8 mg", "goserelin", "androgen_deprivation"),
        ("zopiclone 7.5 mg at night", "zopiclone", "fall_risk"),
        ("paracetamol 1 g", "paracetamol", "other"),
    ],
)
def test_a_drug_is_known_by_generic_and_trade_name(entry, generic, group):
    assert (one(entry).drug.generic, one(entry).drug.group, one(entry).taken) == (generic, group, True)


@pytest.mark.parametrize(
    ("entry", "taken"),
    [
        ("warfarin (stopped 2024-01-02)", False),
        ("prednisolone, discontinued", False),
        ("previously alendronate", False),
        ("apixaban paused for the procedure", None),
        ("allergic to aspirin", None),
        ("denosumab, last given in March", None),
        ("apixaban", True),
    ],
)
def test_an_entry_says_whether_it_is_taken(entry, taken):
    assert one(entry).taken is taken


@pytest.mark.parametrize(
    ("entry", "mg"),
    [
        ("prednisolone 10 mg", 10),
        ("prednisolone 2,5 mg", 2.5),
        ("prednisolone 5 mg bd", 10),
        ("prednisolone 5 mg three times daily", 15),
        ("dexamethasone 500 micrograms", 0.5),
        ("prednisolone 5-10 mg", None),
        ("prednisolone 20 mg reducing", None),
        ("prednisolone 10 mg alternate days", None),
        ("prednisolone", None),
        ("prednisolone 5 mg and 2.5 mg", None),
        ("co-codamol 8 mg / paracetamol 500 mg", None),
    ],
)
def test_a_daily_dose_is_read_only_where_it_is_plain(entry, mg):
    assert {found.mg_day for found in read_list([entry]).drugs} == {mg}


@pytest.mark.parametrize(
    ("entry", "local"),
    [("hydrocortisone cream 1 %", True), ("prednisolone eye drops", True), ("Flixotide inhaler", True),
     ("beclometasone", True), ("hydrocortisone 20 mg", False), ("calcitonin nasal spray", True)],
)  # fmt: skip
def test_what_acts_where_it_is_put_is_told_apart(entry, local):
    assert one(entry).local is local


def test_days_in_an_entry_are_read():
    found = one("Prolia 60 mg since 2018-01-01 until 2025-03-01")
    assert (found.started_on, found.stopped_on, found.taken) == (date(2018, 1, 1), date(2025, 3, 1), False)
    assert one("Prolia since 2018-13-01").started_on is None
    assert one("Fosamax started 2020-05-01").taken is True


def test_a_combination_holds_several_and_a_word_counts_once():
    found = read_list(["RAMIPRIL/hydrochlorothiazide", "Acetaminophen 325 MG / HYDROcodone 7.5 MG"])
    assert [item.drug.generic for item in found.drugs] == [
        "ramipril", "hydrochlorothiazide", "acetaminophen", "hydrocodone",
    ]  # fmt: skip
    assert read_list(["valproic acid"]).drugs[0].drug.generic == "valproic acid"


@pytest.mark.parametrize(
    ("entry", "perhaps"),
    [("apixabann", "apixaban"), ("predinsolone 10 mg", "prednisolone"), ("xtramadol", "tramadol"),
     ("quxifoo", None), ("foo", None), ("12345", None)],
)  # fmt: skip
def test_what_is_not_understood_is_said_with_what_may_be_meant(entry, perhaps):
    (missing,) = read_list([entry]).not_understood
    assert (missing.perhaps.generic if missing.perhaps else None) == perhaps
    meant = f", perhaps {perhaps}?" if perhaps else ""
    assert missing.words == f"not understood: {entry}{meant}"


@pytest.mark.parametrize(
    ("codes", "generic"),
    [
        ([(RXNORM, "1364430")], "apixaban"),
        ([(RXNORM, "855332")], "warfarin"),
        ([("urn:x", "1"), (RXNORM, "46041")], "alendronate"),
        ([(ATC, "M05BX04")], "denosumab"),
        ([("http://fhir.de/CodeSystem/bfarm/atc", "B01AF02")], "apixaban"),
        ([(RXNORM, "0")], None),
        ([("urn:x", "1364430")], None),
    ],
)
def test_a_code_names_its_drug(codes, generic):
    found = drug_by_code(codes)
    assert (found.generic if found else None) == generic


def test_the_table_holds_no_name_for_two_drugs_of_one_group_and_codes_once():
    for name, drugs in by_name().items():
        assert len({drug.group for drug in drugs}) == len(drugs), name
    codes = [code for drug in known_drugs() for code in (drug.atc, *drug.rxnorm) if code]
    assert len(codes) == len(set(codes))
    groups = ("anticoagulant", "antiplatelet", "glucocorticoid", "bone", "aromatase_inhibitor", "androgen_deprivation")
    assert all(drug.atc for drug in known_drugs() if drug.group in groups)
    assert {group_source(drug.group) for drug in known_drugs()}
    assert all(plain(name) == name for name in by_name())


@pytest.mark.parametrize(
    ("name", "drug_class"),
    [("Prolia", "denosumab"), ("Bonviva", "oral bisphosphonate"), ("Reclast", "zoledronate"),
     ("oral bisphosphonate", None), ("aspirin", None)],
)  # fmt: skip
def test_an_osteoporosis_drug_has_a_class(name, drug_class):
    assert bone_class(name) == drug_class


def drugs(**fields):
    return parse_record(json.dumps({"age_yr": 76, "sex": "F", "recorded_on": "2026-06-01", "drugs": fields})).drugs


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({}, None),
        ({"anticoagulant": False}, False),
        ({"anticoagulant": True}, True),
        ({"names": ["apixaban 5 mg"]}, True),
        ({"names": ["apixaban 5 mg"], "anticoagulant": False}, True),
        ({"names": ["paracetamol"], "anticoagulant": False}, False),
        ({"names": ["paracetamol"]}, None),
        ({"names": ["apixaban stopped"], "anticoagulant": False}, False),
        ({"names": ["apixaban paused"], "anticoagulant": False}, None),
        ({"names": ["apixabann"], "anticoagulant": False}, None),
        ({"names": ["predinsolone"], "anticoagulant": False}, False),
    ],
)
def test_an_anticoagulant_in_the_list_outranks_a_no(fields, taken):
    assert medication(drugs(**fields)).anticoagulant is taken


@pytest.mark.parametrize(
    ("names", "taken"),
    [(["aspirin 75 mg"], True), (["paracetamol"], False), (["paracetamol", "quxifoo"], None), (["Plavix paused"], None),
     ([], False), (None, None)],
)  # fmt: skip
def test_antiplatelet_drugs_are_known_by_the_list(names, taken):
    assert medication(drugs(names=names)).antiplatelet is taken


def doses(**fields):
    found = medication(drugs(**fields))
    courses = found.courses
    return None if courses is None else [c.prednisone_mg_day for c in courses], found.dose_unknown


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, (None, False)),
        ({"glucocorticoids": []}, ([], False)),
        ({"names": ["prednisolone 10 mg"], "glucocorticoids": []}, ([10], False)),
        ({"names": ["prednisolone 10 mg"], "glucocorticoids": [{"prednisone_mg_day": 7.5}]}, ([7.5], False)),
        (
            {"names": ["prednisolone 10 mg"],
             "glucocorticoids": [{"prednisone_mg_day": 20, "stopped_on": "2024-01-01"}]},
            ([20, 10], False),
        ),
        ({"names": ["dexamethasone 1.5 mg"]}, ([10], False)),
        ({"names": ["hydrocortisone 20 mg"]}, ([5], False)),
        ({"names": ["methylprednisolone 4 mg"]}, ([5], False)),
        ({"names": ["prednisolone"]}, (None, True)),
        ({"names": ["prednisolone paused 5 mg"]}, (None, True)),
        ({"names": ["prednisolone 5 mg stopped"]}, (None, False)),
        ({"names": ["hydrocortisone cream", "Flixotide"]}, (None, False)),
        ({"names": ["predinsolone 5 mg"], "glucocorticoids": []}, (None, False)),
    ],
)  # fmt: skip
def test_glucocorticoids_of_the_list_join_those_told(fields, wanted):
    assert doses(**fields) == wanted


@pytest.mark.parametrize(
    ("fields", "wanted", "past"),
    [
        ({}, None, set()),
        ({"bone_drugs": []}, [], set()),
        ({"names": ["Fosamax"], "bone_drugs": []}, [("oral bisphosphonate", None)], set()),
        ({"names": ["Fosamax"], "bone_drugs": [{"drug": "alendronate"}]}, [("oral bisphosphonate", None)], set()),
        ({"names": ["Prolia until 2025-03-01"]}, [("denosumab", date(2025, 3, 1))], set()),
        ({"names": ["Prolia stopped"]}, None, {"denosumab"}),
        ({"names": ["Proliaa"], "bone_drugs": []}, None, set()),
        ({"bone_drugs": [{"drug": "Aclasta"}]}, [("zoledronate", None)], set()),
    ],
)
def test_osteoporosis_drugs_of_the_list_join_those_told(fields, wanted, past):
    found = medication(drugs(**fields))
    told = None if found.bone_drugs is None else [(drug.drug, drug.stopped_on) for drug in found.bone_drugs]
    assert (told, set(found.bone_past)) == (wanted, past)


def test_contradictions_are_said():
    found = medication(drugs(names=["apixaban", "prednisolone 5 mg", "Fosamax", "warfarin paused", "quxifoo"],
                             anticoagulant=False, glucocorticoids=[], bone_drugs=[]))  # fmt: skip
    assert found.notes == (
        "the list names apixaban, but drugs.anticoagulant is false: the list is taken, please correct the record",
        "the list names prednisolone 5 mg, but drugs.glucocorticoids is empty: the list is taken, please correct the "
        "record",
        "the list names Fosamax, but drugs.bone_drugs is empty: the list is taken, please correct the record",
        "warfarin paused: is it taken now?",
        "not understood: quxifoo",
    )
    assert found.anticoagulants == ("apixaban",)


@pytest.mark.parametrize(
    ("course", "mg"),
    [({"drug": "dexamethasone", "mg_day": 3}, 20), ({"drug": "Medrol", "mg_day": 8}, 10),
     ({"drug": "steroid", "mg_day": 8, "prednisone_mg_day": 4}, 4),
     ({"drug": "cortisone", "mg_day": 25, "prednisone_mg_day": 5}, 5)],
)  # fmt: skip
def test_a_dose_is_turned_into_prednisone(course, mg):
    (found,) = drugs(glucocorticoids=[course | {"started_on": "2026-01-01"}]).glucocorticoids
    assert (found.prednisone_mg_day, found.started_on) == (mg, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("course", "message"),
    [
        ({"drug": "steroid", "mg_day": 8}, "no dose equivalent is known for 'steroid'"),
        ({"drug": "dexamethasone", "mg_day": 3, "prednisone_mg_day": 3}, "equal 20 mg of prednisone, but"),
        ({"drug": "dexamethasone"}, "prednisone_mg_day is missing"),
    ],
)
def test_a_dose_that_cannot_be_turned_is_refused(course, message):
    with pytest.raises(RecordError, match=message):
        drugs(glucocorticoids=[course])


def test_a_list_longer_than_any_patients_is_refused():
    with pytest.raises(RecordError, match=r"drugs\.names"):
        drugs(names=["aspirin"] * 201)

"""Numbers that smell of another unit are asked about; a year of birth may stand for the age; limits before work."""

from __future__ import annotations

import json
import os
import time
from datetime import date

import pytest

from endplate.errors import RecordError
from endplate.patient import PatientRecord, parse_record, read_record
from endplate.patient.doubt import doubt_of, quantities
from endplate.patient.limits import MAX_BYTES, MAX_ITEMS

BASE = {"age_yr": 76, "sex": "F", "recorded_on": "2026-06-01"}


def record(**fields):
    return parse_record(json.dumps({k: v for k, v in {**BASE, **fields}.items() if v is not None}))


def complaint(**fields):
    with pytest.raises(RecordError) as caught:
        record(**fields)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("haemoglobin_g_l", 13.1, "13.1 g/dL (131 g/L)"),
        ("haemoglobin_g_l", 8.1, "8.1 g/dL (81 g/L) or 8.1 mmol/L (131 g/L)"),
        ("white_cells_g_l", 7200, "7200 cells per microlitre (7.2 10^9/L)"),
        ("platelets_g_l", 210000, "210000 cells per microlitre (210 10^9/L)"),
        ("inr", 85, "85 percent (Quick)"),
        ("calcium_mmol_l", 9.4, "9.4 mg/dL (2.35 mmol/L)"),
        ("calcium_mmol_l", 4.7, "4.7 mg/dL (1.17 mmol/L)"),
        ("calcium_mmol_l", 1.2, "1.2 mmol/L of ionised calcium"),
        ("phosphate_mmol_l", 3.5, "3.5 mg/dL (1.13 mmol/L)"),
        ("alp_u_l", 1.5, "1.5 ukat/L (90 U/L)"),
        ("albumin_g_l", 4.1, "4.1 g/dL (41 g/L)"),
        ("albumin_g_l", 620, "620 umol/L (41.2 g/L)"),
        ("creatinine_umol_l", 1.1, "1.1 mg/dL (97.2 umol/L)"),
        ("creatinine_umol_l", 12, "12 mg/dL (1.06e+03 umol/L)"),
        ("egfr_ml_min", 1.2, "1.2 mL/s (72 mL/min)"),
        ("alt_u_l", 0.4, "0.4 ukat/L (24 U/L)"),
        ("vitamin_d_ng_ml", 75, "75 nmol/L (30 ng/mL)"),
        ("pth_pmol_l", 620, "620 pg/mL (65.7 pmol/L)"),
        ("testosterone_nmol_l", 350, "350 ng/dL (12.1 nmol/L)"),
    ],
)
def test_a_laboratory_value_that_smells_of_another_unit_is_asked_about(name, value, meant):
    said = complaint(laboratory={name: value})
    assert f"laboratory.{name} is {value:g}" in said and f"is it {meant}?" in said
    dated = complaint(laboratory={name: {"value": value, "on": "2026-05-20"}})
    assert f"is it {meant}?" in dated


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({"height_cm": 1.62}, "looks like metres: give 162"),
        ({"height_cm": 64}, "is it 64 inches (163 cm)?"),
        ({"examination": {"tallest_height_cm": 66}}, "is it 66 inches (168 cm)?"),
        ({"mass_kg": 140, "height_cm": 160}, "is it 140 pounds (63.5 kg)?"),
        ({"mass_kg": 10.5}, "is it 10.5 stone (66.7 kg)?"),
        ({"mass_kg": 21, "height_cm": 170}, "give a BMI of 7: are both right?"),
        ({"pain": {"under_analgesia": 70}}, "looks like mm of a visual scale: give 7"),
        ({"age_yr": 1948}, "looks like a year of birth: give it as birth_year"),
        ({"falls": {"tug_s": 0.2}}, "is rare: is it right?"),
        ({"history": {"alcohol_units_day": 14}}, "is it 14 units a week (2 units a day)?"),
        ({"drugs": {"vitamin_d_iu_day": 20}}, "is it 20 micrograms (800 IU a day)?"),
        ({"drugs": {"calcium_mg_day": 1.2}}, "is it 1.2 g (1.2e+03 mg a day)?"),
        ({"laboratory": {"pth_pmol_l": 60, "egfr_ml_min": 80, "calcium_mmol_l": 2.4}}, "is it 60 pg/mL (6.36 pmol/L)?"),
        ({"bone": {"frax_hip_percent": 20, "frax_major_percent": 5}}, "are the two exchanged?"),
        ({"history": {"postmenopausal": False}}, "is false at an age of 76: is the age right?"),
    ],
)
def test_other_numbers_that_smell_of_a_slip_are_asked_about(fields, meant):
    assert meant in complaint(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"laboratory": {"pth_pmol_l": 60, "egfr_ml_min": 9, "calcium_mmol_l": 2.25}},
        {"laboratory": {"pth_pmol_l": 60, "egfr_ml_min": 80, "calcium_mmol_l": 2.9}},
        {"laboratory": {"pth_pmol_l": 60}},
        {"laboratory": {"vitamin_d_ng_ml": 50.1, "calcium_mmol_l": 3.9, "testosterone_nmol_l": 4.5}},
        {"age_yr": 9, "height_cm": 62, "mass_kg": 15},
        {"mass_kg": 110, "height_cm": 160},
        {"bone": {"frax_hip_percent": 5, "frax_major_percent": 5}},
        {"age_yr": 55, "history": {"postmenopausal": False}},
    ],
)
def test_what_a_patient_may_have_is_not_asked_about(fields):
    record(**fields)


def test_an_odd_number_that_is_right_is_confirmed_once_and_stays_so():
    kept = record(laboratory={"vitamin_d_ng_ml": 82}, confirmed=["laboratory.vitamin_d_ng_ml"])
    assert parse_record(kept.model_dump_json(exclude_unset=True)) == kept
    said = complaint(laboratory={"vitamin_d_ng_ml": 82})
    assert 'If it is right, write confirmed = ["laboratory.vitamin_d_ng_ml"]' in said
    assert "no living patient" in complaint(laboratory={"calcium_mmol_l": 9.4}, confirmed=["laboratory.calcium_mmol_l"])
    assert "is no number that is asked about" in complaint(confirmed=["sex"])


def test_all_questions_stand_in_one_message():
    said = complaint(laboratory={"calcium_mmol_l": 9.4, "albumin_g_l": 4.1, "creatinine_umol_l": 1.1})
    assert [name in said for name in ("calcium_mmol_l", "albumin_g_l", "creatinine_umol_l")] == [True] * 3
    assert said.count("\n") == 0


@pytest.mark.parametrize("path", sorted(quantities()))
def test_every_range_is_asked_about_beyond_its_ends_only(path):
    known = quantities()[path]
    assert known.low <= known.usual_low < known.usual_high <= known.high
    for inside in (known.usual_low, known.usual_high, (known.usual_low + known.usual_high) / 2):
        assert list(doubt_of(path, inside)) == []
    for beyond in (known.low - 0.01, known.high + 0.01):
        (doubt,) = doubt_of(path, beyond)
        assert not doubt.possible and path in doubt.words


@pytest.mark.parametrize(("year", "day", "age"), [(1950, "2026-06-01", 75.9), (1950, "2026-07-01", 76.0)])
def test_a_year_of_birth_may_stand_for_the_age(year, day, age):
    told = record(age_yr=None, birth_year=year, recorded_on=day)
    assert (told.age_yr, told.birth_year) == (age, year)
    assert parse_record(told.model_dump_json(exclude_unset=True)) == told


def test_without_a_day_of_record_the_age_counts_to_today():
    told = record(age_yr=None, birth_year=1950, recorded_on=None)
    assert abs(told.age_yr - (date.today().year - 1950)) <= 1


def test_age_and_year_of_birth_must_agree_and_one_is_needed():
    assert "birth_year is 1970, but age_yr is 76 in 2026" in complaint(birth_year=1970)
    assert record(birth_year=1950).age_yr == 76
    assert "age_yr is missing (birth_year may stand for it)" in complaint(age_yr=None)
    assert "birth_year" in complaint(age_yr=None, birth_year="1950")


@pytest.mark.parametrize("end", ["json", "toml"])
def test_a_year_of_birth_is_read_from_files_too(tmp_path, end):
    path = tmp_path / f"r.{end}"
    path.write_text('birth_year = 1950\nsex = "F"\nrecorded_on = 2026-06-01\n' if end == "toml" else json.dumps(
        {"birth_year": 1950, "sex": "F", "recorded_on": "2026-06-01", "$schema": "x"}))  # fmt: skip
    assert read_record(path).age_yr == 75.9


def quickly(text):
    began = time.process_time()
    with pytest.raises(RecordError) as caught:
        parse_record(text)
    assert time.process_time() - began < 5
    assert len(str(caught.value)) < 2000 and str(caught.value).isprintable()
    return str(caught.value)


def test_doubled_keys_are_found_in_linear_time():
    many = ",".join(f'"k{number}":1' for number in range(60_000))
    assert "gives k59999 twice" in quickly("{" + many + ',"k59999":2}')
    assert "gives sex twice" in quickly('{"age_yr": 70, "sex": "F", "sex": "M"}')
    assert "gives oedema twice" in quickly('{"age_yr":70,"sex":"F","levels":{"L1":{"oedema":true,"oedema":false}}}')


@pytest.mark.parametrize(
    "text",
    [
        "[" * 3000 + "]" * 3000,
        '{"a":' * 3000 + "1" + "}" * 3000,
        '{"drugs":{"names":[' + "0," * 200_000 + "0]}}",
        "{" + ",".join(f'"a{number}":0' for number in range(100_000)) + "}",
        " " * (MAX_BYTES + 1),
        "",
        "   ",
        '{"age_yr": ' + "9" * 6000 + "}",
        '{"age_yr": 1e999, "sex": "F"}',
        '{"age_yr": NaN, "sex": "F"}',
        '{"\\u001b[31mred": 1}',
        '{"' + "k" * 100_000 + '": 1}',
        '"' + "x" * 100_000 + '"',
        "null",
        "\ud800",
    ],
    ids=lambda text: text[:12],
)
def test_a_record_that_is_too_much_is_refused_fast_and_shortly(text):
    quickly(text.encode("utf-8", "surrogatepass"))


def test_limits_are_told():
    assert f"more than {MAX_ITEMS} items" in quickly('{"drugs":{"names":[' + "0," * 200_000 + "0]}}")
    assert "layers" in quickly('{"a":' * 600 + "[" + "0," * 9000 + "0]" + "}" * 600)


def test_a_large_file_and_a_pipe_are_refused_before_they_are_read(tmp_path):
    large = tmp_path / "large.json"
    with large.open("wb") as stream:
        stream.truncate(200 * 2**20)
    with pytest.raises(RecordError, match="bytes, more than"):
        read_record(large)
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    with pytest.raises(RecordError, match="no plain file"):
        read_record(pipe)
    with pytest.raises(RecordError, match="no plain file"):
        read_record(tmp_path)
    with pytest.raises(RecordError, match="cannot read"):
        read_record(tmp_path / "absent.json")


def test_the_schema_tells_unit_and_range_of_every_number_that_is_asked_about():
    schema = PatientRecord.model_json_schema()
    parts = {"laboratory": "Laboratory", "falls": "Falls", "history": "History", "drugs": "Drugs"}
    for path, known in quantities().items():
        home, _, name = path.rpartition(".")
        if home and home not in parts:
            continue
        properties = schema["$defs"][parts[home]]["properties"] if home else schema["properties"]
        assert properties[name]["description"].startswith(known.title)
        assert f"{known.low:g} to {known.high:g}" in properties[name]["description"]
    calcium = schema["$defs"]["Laboratory"]["properties"]["calcium_mmol_l"]["description"]
    assert calcium == "total calcium, mmol/L: 0.8 to 6; asked about outside of 1.4 to 4"

"""The record: two facts needed, the rest unknown until told, and one clear line for what cannot be."""

from __future__ import annotations

import json

import pytest

from endplate.errors import RecordError
from endplate.patient import read_record


def written(tmp_path, record):
    path = tmp_path / "patient.json"
    path.write_text(record if isinstance(record, str) else json.dumps(record))
    return path


def test_age_and_sex_suffice_and_the_rest_stays_unknown(tmp_path):
    record = read_record(written(tmp_path, {"age_yr": 74, "sex": "F"}))
    assert (record.age_yr, record.sex, record.mass_kg, record.height_cm) == (74, "female", None, None)


def test_toml_reads_like_json(tmp_path):
    path = tmp_path / "patient.toml"
    path.write_text('age_yr = 74\nsex = "male"\nmass_kg = 80.5\n')
    assert read_record(path).mass_kg == 80.5


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"sex": "F"}, "age_yr is missing"),
        ({"age_yr": 74, "sex": "x"}, "sex is 'x', but should be 'female' or 'male'"),
        ({"age_yr": 74, "sex": "F", "height_cm": 1.65}, "looks like metres: give 165"),
        ({"age_yr": 74, "sex": "F", "wieght": 60}, "wieght is not a known field"),
        ({"age_yr": -1, "sex": "F"}, "age_yr is -1"),
        ({"age_yr": 121, "sex": "F"}, "age_yr is 121"),
        ({"age_yr": float("nan"), "sex": "F"}, "age_yr is nan"),
        ({"age_yr": True, "sex": "F"}, "age_yr is True"),
        ({"age_yr": "74", "sex": "F"}, "age_yr is '74'"),
        ([{"age_yr": 74, "sex": "F"}], "not one object"),
        ("{", "not valid JSON or TOML"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(tmp_path, record, says):
    with pytest.raises(RecordError) as error:
        read_record(written(tmp_path, record))
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_and_a_binary_one_are_told(tmp_path):
    with pytest.raises(RecordError, match="cannot read"):
        read_record(tmp_path / "absent.json")
    path = tmp_path / "patient.json"
    path.write_bytes(bytes([0xFF, 0xFE, 0x00]))
    with pytest.raises(RecordError, match="not valid"):
        read_record(path)

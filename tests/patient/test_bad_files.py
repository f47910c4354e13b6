"""Record files as editors and exports leave them: read, or refused in one line."""

from __future__ import annotations

import pytest

from endplate.errors import RecordError
from endplate.patient import PatientRecord, read_record

WHOLE = b'{"id": "anna", "age_yr": 74, "sex": "female"}'


def written(tmp_path, content, name="p.json"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_a_mark_before_the_first_letter_and_a_number_as_id_are_read(tmp_path):
    assert read_record(written(tmp_path, b"\xef\xbb\xbf" + WHOLE)).id == "anna"
    assert read_record(written(tmp_path, WHOLE.replace(b'"anna"', b"4711"))).id == "4711"
    assert read_record(written(tmp_path, b'age_yr = 70\nsex = "female"', "p.TOML")).age_yr == 70


def test_a_file_may_name_its_schema_at_the_top_and_nowhere_else(tmp_path):
    plain = read_record(written(tmp_path, WHOLE))
    assert read_record(written(tmp_path, WHOLE.replace(b'"id"', b'"$schema": "record.schema.json", "id"'))) == plain
    toml = b'"$schema" = "record.schema.json"\nid = "anna"\nage_yr = 74\nsex = "female"'
    assert read_record(written(tmp_path, toml, "p.toml")) == plain
    assert "$schema" in PatientRecord.model_json_schema()["properties"] and "$schema" not in plain.model_dump_json()
    with pytest.raises(RecordError, match=r"pain\.\$schema is not a known field"):
        read_record(written(tmp_path, WHOLE.replace(b'"id"', b'"pain": {"$schema": "x"}, "id"')))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (WHOLE.replace(b'"sex"', b'"age_yr": 24, "sex"'), "gives age_yr twice"),
        (WHOLE.replace(b"anna", b" "), "the text is empty"),
        (WHOLE.replace(b"anna", b"\\u001b[2J"), "cannot be printed"),
        (WHOLE.replace(b"anna", b"a" * 201), "at most 200"),
        (WHOLE.replace(b"anna", b"\xff"), "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (WHOLE[:-1] + b', "procedures": [{"kind": "kyphoplasty", "levels": ["Z9"]}]}', "'Z9' is no vertebra"),
    ],
)
def test_what_would_be_lost_or_misread_is_refused(tmp_path, content, says):
    with pytest.raises(RecordError, match=says) as error:
        read_record(written(tmp_path, content))
    assert "\n" not in str(error.value)

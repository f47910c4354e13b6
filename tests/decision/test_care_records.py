"""The table of the audit's records: run where they are present, skipped aloud where not; its answers can fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from verification import check_care_records
from verification.public_data import data_folder

PRESENT = (data_folder().parent / check_care_records.FOLDER).is_dir()


def test_absent_records_are_skipped_aloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENDPLATE_SHARED", str(tmp_path))
    (row,) = check_care_records.checks()
    assert row.passed is None and "skipped" in row.got and "ENDPLATE_SHARED" in row.got


def test_a_record_that_answers_wrongly_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / check_care_records.FOLDER
    folder.mkdir(parents=True)
    (folder / "09.json").write_text(json.dumps({"age_yr": 80, "sex": "female", "levels": {"L1": {"fracture": True}}}))
    monkeypatch.setenv("ENDPLATE_SHARED", str(tmp_path))
    (row,) = check_care_records.checks()
    assert row.passed is False and "09: bleeding" in row.got and "01 lacks its file" in row.got


@pytest.mark.skipif(not PRESENT, reason="the audit's records are not here; set ENDPLATE_SHARED")
def test_what_belongs_to_rule_sets_technique_and_cautions_is_answered() -> None:
    (row,) = check_care_records.checks()
    for name in ("01", "02", "03", "04", "06", "07", "09", "10b", "12", "15", "17", "21", "28", "29"):
        assert f"{name}: " not in row.got and f"{name}b: " not in row.got, row.got

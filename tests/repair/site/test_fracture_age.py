"""The age of a fracture: what decides it, in which order, and what stays open."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from endplate.level import Level
from endplate.patient.record import PatientRecord, parse_record
from endplate.repair.rehearsal.design import ParameterSet, corner, two_point_design, unknowns
from endplate.repair.site.bone import FractureZone
from endplate.repair.site.fracture_age import fracture_age


def record(days: float | None = None, **level: object) -> PatientRecord:
    given: dict[str, object] = {"age_yr": 75, "sex": "female", "recorded_on": date(2026, 11, 30).isoformat()}
    if days is not None:
        given["episode"] = {"onset_days": days}
    if level:
        given["levels"] = {"L1": level}
    return parse_record(json.dumps(given))


def zone(cleft: bool) -> FractureZone:
    none = np.zeros((2, 2, 2), bool)
    return FractureZone(band=none, cleft=none | cleft, gap=none, signs=("made for the test",))


@pytest.mark.parametrize(
    ("days", "level", "cleft", "age", "nominal", "open_ends", "words"),
    [
        (400.0, {"oedema": False}, True, "not united", "mobile", False, "a cleft on the CT"),
        (400.0, {"cleft": True}, False, "not united", "mobile", False, "a cleft in the record"),
        (400.0, {"oedema": True}, False, "fresh", "mobile", False, "oedema on MRI"),
        (400.0, {"oedema": False}, False, "healed", "rigid", False, "no oedema on MRI"),
        (None, {"uptake": False}, False, "healed", "rigid", False, "no uptake on the bone scan"),
        (400.0, {"oedema": True, "uptake": False}, False, "fresh", "mobile", False, "oedema on MRI"),
        (10.0, {"oedema": False}, False, "unknown", "mobile", True, "against an onset 10 days ago"),
        (10.0, {}, False, "fresh", "mobile", False, "the onset 10 days ago"),
        (42.0, {}, False, "fresh", "mobile", False, "the onset 42 days ago"),
        (60.0, {}, False, "healing", "mobile", True, "the onset 60 days ago"),
        (91.0, {}, False, "healed", "rigid", True, "without MRI or bone scan"),
        (None, {}, False, "unknown", "mobile", True, "nothing: no onset"),
    ],
)
def test_what_decides_the_age(
    days: float | None, level: dict[str, object], cleft: bool, age: str, nominal: str, open_ends: bool, words: str
) -> None:
    found = fracture_age(record(days, **level), Level.L1, zone(cleft))
    assert (found.age, found.nominal, found.band[0] != found.band[1]) == (age, nominal, open_ends)
    assert words in found.decided_by


def test_another_level_and_no_record_decide_nothing() -> None:
    assert fracture_age(record(None, oedema=True), Level.L2, None).age == "unknown"
    assert fracture_age(None, Level.L1, None).age == "unknown"


def test_a_decided_age_leaves_no_ends_to_the_ensemble() -> None:
    signs = np.array([[1] * 7, [-1] * 7], np.int8)
    assert {corner(row, ("mobile", "mobile")).mobility for row in signs} == {"mobile"}
    assert {corner(row).mobility for row in signs} == {"rigid", "mobile"}
    assert {one.mobility for one in two_point_design(ParameterSet(), ("rigid", "rigid"), extended=True)} == {"rigid"}
    row = next(item for item in unknowns(10.0, ParameterSet(), ("mobile", "mobile")) if item.name == "mobility")
    assert (row.low, row.nominal, row.high) == (1.0, 1.0, 1.0) and row.source == "by the fracture's age"

"""What a reader says of a scan: names follow the bone, answers outrank what was computed, and both stay visible."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from endplate.case import Case
from endplate.case.assess import AssessSettings, assess
from endplate.case.care import weigh
from endplate.case.read import read_case
from endplate.case.readings.apply import reading_cautions, with_readings
from endplate.case.readings.reading import Reading, parse_reading, read_readings, to_document
from endplate.case.readings.resolve import renamed, resolve
from endplate.errors import InputError
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.level import Level
from endplate.patient.record import parse_record

SHAPES = AssessSettings(mechanics=False)
LEVELS = [Level.T11, Level.T12, Level.L1, Level.L2]


def said(what: str, level: str, to: object = None, scope: str = "all") -> Reading:
    given = {"what": what, "level": level, "reason": "seen on MRI", "who": "Dr. Reader", "at": "2026-11-30T14:05:00Z"}
    return parse_reading(given | ({} if to is None else {"to": to}) | ({"scope": scope} if what == "renumber" else {}))


def names(now: dict[Level, Level]) -> str:
    return " ".join(str(name) for name in now.values())


@pytest.mark.parametrize(
    ("labels", "level", "to", "scope", "after"),
    [
        ("T11 T12 L1 L2", "L1", "T12", "all", "T10 T11 T12 L1"),
        ("T11 T12 L1 L2", "L1", "T13", "down", "T11 T12 T13 L1"),
        ("T11 T12 L1 L2", "T12", "T11", "up", "T10 T11 L1 L2"),
        ("L3 L4 L5 S1", "S1", "L6", "one", "L3 L4 L5 L6"),
        ("L3 L4 L5 S1", "L5", "L6", "all", "L4 L5 L6 S1"),
        ("T11 T12 T13 L1", "T13", "L1", "down", "T11 T12 L1 L2"),
        ("T11 T12 T13 L1", "L1", "L2", "all", "T11 T12 L1 L2"),
        ("T10 L1 L2", "L1", "T12", "all", "T9 T12 L1"),
        ("C1 C2", "C1", "C2", "down", "C2 C3"),
        ("L4 L5 S1", "L4", "L5", "down", "L5 S1"),
    ],
)
def test_names_move_along_with_their_neighbours(labels: str, level: str, to: str, scope: str, after: str) -> None:
    now = {Level(name): Level(name) for name in labels.split()}
    if len(after.split()) < len(now):
        with pytest.raises(InputError, match="there is no vertebra below S1"):
            renamed(now, Level(level), Level(to), scope)  # type: ignore[arg-type]
        return
    assert names(renamed(now, Level(level), Level(to), scope)) == after  # type: ignore[arg-type]


def test_two_of_one_name_and_names_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="T12 above T12"):
        resolve([said("renumber", "L1", "T12", "one")], LEVELS)
    with pytest.raises(InputError, match="L2 above L2"):
        resolve([said("renumber", "L1", "L2", "up")], LEVELS)
    with pytest.raises(InputError, match="the scan shows T11, T12, L1, L2"):
        resolve([said("grade", "L4", 1)], LEVELS)
    with pytest.raises(InputError, match="above C1"):
        resolve([said("renumber", "C2", "C1")], [Level.C1, Level.C2])


def test_a_reading_follows_the_bone_not_the_name() -> None:
    found = resolve([said("fracture", "L1", "no"), said("renumber", "L1", "T12"), said("grade", "L1", 2)], LEVELS)
    assert found.names == {Level.T11: Level.T10, Level.T12: Level.T11, Level.L1: Level.T12, Level.L2: Level.L1}
    assert list(found.fracture) == [Level.T12]
    assert list(found.grade) == [Level.L1]


def test_a_renumbering_taken_back_leaves_the_names() -> None:
    found = resolve([said("renumber", "L1", "T12"), said("renumber", "T12", "L1")], LEVELS)
    assert found.names == {} and len(found.renumbered) == 2


def test_the_last_reading_of_a_kind_holds() -> None:
    found = resolve([said("grade", "L1", 2), said("grade", "L1", 3)], LEVELS)
    assert found.grade[Level.L1].to == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": "rename"}, {"level": "L9"}, {"to": 4}, {"to": True}, {"to": None}, {"reason": " "}, {"who": ""},
        {"at": "yesterday"}, {"scope": "left"}, {"extra": 1}, {"what": "set_aside"},
        {"what": "fracture", "to": "maybe"}, {"what": "renumber", "to": 3}, {"reason": "x" * 501},
    ],
)  # fmt: skip
def test_a_reading_without_a_meaning_is_refused_in_one_line(wrong: dict[str, object]) -> None:
    good = {"what": "grade", "level": "L1", "to": 2, "reason": "r", "who": "w", "at": "2026-11-30T14:05:00Z"}
    parse_reading(good)
    with pytest.raises(InputError) as caught:
        parse_reading(good | wrong)
    assert "\n" not in str(caught.value)


def test_a_file_of_readings_is_read_back(tmp_path: Path) -> None:
    every = (said("renumber", "L1", "T12", "up"), said("set_aside", "L2"), said("grade", "T11", 1))
    (tmp_path / "r.json").write_text(json.dumps(to_document(every)))
    assert read_readings(tmp_path / "r.json") == every


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"format": "x"}', '{"format": "endplate-readings"}', "3"])
def test_a_file_that_is_no_file_of_readings_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InputError):
        read_readings(tmp_path / "r.json")


@pytest.fixture(scope="module")
def plain() -> Case:
    """T11 to L2, the third lower in front: it is called L1 here, and a reader knows better."""
    phantom = make_phantom(
        PhantomSpec(
            levels=tuple(LEVELS), spacing_mm=(1.5, 1.5, 1.5), field_mm=(110, 190),
            deformities={Level.L1: Deformity(shape="wedge", loss=0.4, breach=True)},
        )
    )  # fmt: skip
    return read_case(phantom.volume, phantom.labels)


@pytest.fixture(scope="module")
def measured(plain: Case) -> Case:
    return assess(plain, SHAPES)


def value(case: Case, code: str, level: Level) -> object:
    return next((one.value for one in case.findings if (one.code, one.level) == (code, level)), None)


def test_a_label_off_by_one_moves_every_measurement_to_the_right_level(plain: Case, measured: Case) -> None:
    right = assess(with_readings(plain, [said("renumber", "L1", "T12")]), SHAPES)
    assert [vertebra.level for vertebra in right.spine.vertebrae] == [Level.T10, Level.T11, Level.T12, Level.L1]
    assert value(measured, "genant_grade", Level.L1) == value(right, "genant_grade", Level.T12)
    assert value(measured, "anterior_height", Level.L1) == pytest.approx(value(right, "anterior_height", Level.T12))
    assert int(value(right, "genant_grade", Level.T12)) >= 2 and value(right, "genant_grade", Level.L1) == 0
    note = next(one for one in right.cautions if one.code == "renumbered_by_reader")
    assert "L1 is T12 (Dr. Reader, 2026-11-30): seen on MRI" in note.text
    assert right.provenance.parameters["readings"][0]["to"] == "T12"
    assert np.array_equal(right.labels.labels == 19, plain.labels.labels == 20)
    assert value(plain, "genant_grade", Level.L1) is None and measured.readings == ()


def test_a_vertebra_that_becomes_the_sacrum_is_said_to_be_measured_no_more() -> None:
    moved = resolve([said("renumber", "L4", "L5")], [Level.L3, Level.L4, Level.L5])
    texts = [caution.text for caution in reading_cautions(moved)]
    assert any("labelled L5 now counts as the sacrum and is not measured" in text for text in texts)
    kept = resolve([said("renumber", "L1", "T12")], LEVELS)
    assert not any("sacrum" in caution.text for caution in reading_cautions(kept))


def test_a_level_set_aside_has_gaps_and_measures_no_neighbour(plain: Case) -> None:
    aside = assess(with_readings(plain, [said("set_aside", "T12")]), SHAPES)
    assert value(aside, "anterior_height", Level.T12) is None
    reasons = {gap.reason for gap in aside.gaps if gap.level is Level.T12}
    assert any("set aside by a reader (Dr. Reader, 2026-11-30): seen on MRI" in reason for reason in reasons)
    assert not any(density.level is Level.T12 for density in aside.densities)
    assert value(aside, "anterior_height", Level.L2) is not None


def test_what_a_reader_says_outranks_and_the_computed_stays_beside_it(plain: Case, measured: Case) -> None:
    changed = assess(with_readings(plain, [said("grade", "L1", 1), said("fracture", "L1", "old")]), SHAPES)
    assert value(changed, "genant_grade", Level.L1) == 1
    assert value(changed, "genant_grade_computed", Level.L1) == value(measured, "genant_grade", Level.L1)
    assert value(changed, "fracture", Level.L1) == "yes" and value(changed, "fracture_age", Level.L1) == "old"
    stated = next(one for one in changed.findings if (one.code, one.level) == ("fracture", Level.L1))
    assert "read by Dr. Reader, 2026-11-30: seen on MRI; computed:" in stated.method
    assert next(one for one in changed.fractures if one.level is Level.L1).genant_grade == 1
    assert value(changed, "height_loss", Level.L1) == pytest.approx(value(measured, "height_loss", Level.L1))


def test_no_fracture_by_the_reader_decides_what_the_rules_are_asked(plain: Case, measured: Case) -> None:
    record = parse_record('{"age_yr": 74, "sex": "female"}', "record")
    broken = replace(plain, record=record)
    before = weigh(record, assess(with_readings(broken, [said("fracture", "L1", "yes")]), SHAPES).findings)
    after = weigh(record, assess(with_readings(broken, [said("fracture", "L1", "no")]), SHAPES).findings)
    assert [level.level for level in before.decision.levels] == ["L1"]
    assert after.decision.levels == ()

"""The stages together: what a case holds in the end, and what it says it does not hold."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from verification.check_same_findings import assessed, furthest, on_its_side, reordered, written

from endplate.case.assess import DISTRUSTED, NO_CT, AssessSettings, assess
from endplate.case.model import Case
from endplate.case.read import read_case
from endplate.finding import catalogue
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.level import Level
from endplate.patient import PatientRecord

LEVELS = (Level.T12, Level.L1, Level.L2)
QUICK = AssessSettings(mechanics=False)


@pytest.fixture(scope="module")
def phantom():
    spec = PhantomSpec(
        levels=LEVELS,
        spacing_mm=(2.0, 2.0, 2.0),
        field_mm=(90.0, 110.0),
        deformities={Level.L1: Deformity(shape="wedge", loss=0.32, breach=True)},
        seed=4711,
    )
    return make_phantom(spec)


def case_of(phantom, **changes):
    return Case(id="digital", volume=phantom.volume, labels=phantom.labels, record=None, **changes)


@pytest.fixture(scope="module")
def coarse(phantom):
    settings = AssessSettings()
    settings = dataclasses.replace(settings, model=dataclasses.replace(settings.model, voxel_mm=3.0))
    record = PatientRecord(age_yr=74, sex="female", mass_kg=62, height_cm=160)
    return assess(dataclasses.replace(case_of(phantom), record=record), settings)


def test_the_broken_level_is_found_and_only_it(coarse):
    grades = {f.level: f.value for f in coarse.findings if f.code == "genant_grade"}
    assert grades == {Level.T12: 0, Level.L1: 2, Level.L2: 0}
    assert {f.level for f in coarse.findings if f.code == "fracture" and f.value == "yes"} == {Level.L1}


def test_every_finding_is_catalogued_finite_and_inside_its_band(coarse):
    for finding in coarse.findings:
        assert finding.unit == catalogue()[finding.code].unit
        assert finding.method and finding.source
        if isinstance(finding.value, float):
            assert math.isfinite(finding.value)
            assert finding.low is not None and finding.high is not None, finding.code
            assert finding.low <= finding.value <= finding.high


ONLY_WHERE_SEEN = {"endplate_node", "height_within_node"}
OF_A_READER = {"genant_grade_computed", "fracture_computed", "fracture_age"}
OF_A_REHEARSAL = ("repair_", "balloon_", "cement_", "neighbour_", "needle_")


def test_every_catalogue_code_is_a_finding_or_a_gap_at_every_level(coarse):
    for level in LEVELS:
        known = {f.code for f in coarse.findings if f.level is level} | {
            g.code for g in coarse.gaps if g.level is level
        }
        measured = {code for code in catalogue() if not code.startswith(OF_A_REHEARSAL)}
        missing = measured - known - {"density_calibration", "hu_to_120_kvp"} - ONLY_WHERE_SEEN - OF_A_READER
        assert not missing, (level, missing)


def test_a_record_gives_loads_and_their_absence_is_a_gap(phantom, coarse):
    assert {f.level for f in coarse.findings if f.code == "load_to_strength"} == set(LEVELS)
    bare = assess(case_of(phantom), QUICK)
    assert {g.level for g in bare.gaps if g.code == "load_to_strength"} == set(LEVELS)


def test_labels_alone_give_shapes_and_say_what_is_missing(phantom):
    case = assess(Case(id="labels", volume=None, labels=phantom.labels, record=None))
    codes = {f.code for f in case.findings}
    assert "genant_grade" in codes and not codes & {"trabecular_hu", "stiffness"}
    assert {g.reason for g in case.gaps if g.code in ("trabecular_density", "failure_load")} == {NO_CT}


def test_the_same_case_twice_is_the_same_to_the_last_digit(phantom, coarse):
    again = assess(case_of(phantom), QUICK)
    first = assess(case_of(phantom), QUICK)
    assert again.findings == first.findings and again.gaps == first.gaps


def test_a_distrusted_level_has_no_bone_numbers(phantom):
    labels = phantom.labels.labels.copy()
    half = np.argwhere(labels == Level.L1.verse_id)
    low = half[half[:, 2] < np.median(half[:, 2])]
    labels[tuple(low.T)] = Level.L2.verse_id
    case = assess(
        case_of(dataclasses.replace(phantom, labels=dataclasses.replace(phantom.labels, labels=labels))), QUICK
    )
    assert case.spine is not None and case.spine.distrusted
    for level in case.spine.distrusted:
        assert not [f for f in case.findings if f.level is level and f.code == "trabecular_density"]
        assert any(g.reason == DISTRUSTED for g in case.gaps if g.level is level)


def test_provenance_keeps_settings_and_seconds(coarse):
    assert coarse.provenance.parameters["model"]["voxel_mm"] == 3.0
    assert set(coarse.provenance.seconds) == {"anatomy", "fracture", "bone", "mechanics"}


@pytest.mark.parametrize("stored", [((2, 0, 1), (1, -1, -1)), ((0, 1, 2), (-1, 1, 1)), ((1, 2, 0), (-1, -1, -1))])
def test_left_stays_left_from_file_to_finding(phantom, tmp_path, stored):
    paths = written(phantom, tmp_path)
    turned = [reordered(path, np.array(list(zip(*stored, strict=True))), tmp_path) for path in paths]
    case = assessed(turned)
    assert furthest(assessed(paths), case) < 1e-3
    assert on_its_side(case, phantom)


def test_everything_that_decided_a_number_is_fingerprinted(phantom, tmp_path):
    ct, labels = written(phantom, tmp_path)
    (tmp_path / "ct.json").write_text('{"KVP": 120}')
    scheme = tmp_path / "mine.toml"
    scheme.write_text("".join(f'{level.verse_id} = "{level}"\n' for level in LEVELS))
    inputs = read_case(ct, labels, scheme=scheme).provenance.inputs
    assert {name.split(":")[0] for name in inputs} == {"ct", "labels", "scheme", "sidecar"}
    assert all(len(digest) == 64 for digest in inputs.values())


def test_a_level_of_impossible_density_is_not_solved(phantom):
    hu = phantom.volume.hu.astype(np.int16)
    hu[phantom.labels.labels == Level.L2.verse_id] += 700
    case = case_of(dataclasses.replace(phantom, volume=dataclasses.replace(phantom.volume, hu=hu)))
    settings = AssessSettings()
    settings = dataclasses.replace(
        settings,
        model=dataclasses.replace(settings.model, voxel_mm=3.0),
        strength=dataclasses.replace(settings.strength, nonlinear=False),
    )
    done = assess(case, settings)
    assert {s.level for s in done.strengths} == {Level.T12, Level.L1}
    assert {g.level for g in done.gaps if g.code == "stiffness"} == {Level.L2}

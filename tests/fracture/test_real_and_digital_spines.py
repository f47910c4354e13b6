"""Real spines graded by experts, and a digital spine with exact truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from endplate.anatomy.locate import locate_vertebrae
from endplate.fracture import FractureSettings, HeightSettings, grade_fractures, measure_alignment
from endplate.image.labels import read_labels
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.level import Level

ONCE = FractureSettings(heights=HeightSettings(repeat=False))


def _read(shared_data: Path, name: str):
    masks = sorted((shared_data / name).glob("*vert_msk.nii.gz"))
    if not masks:
        pytest.skip(f"{name} not found in {shared_data}")
    return grade_fractures(locate_vertebrae(read_labels(masks[0])), settings=ONCE)


def test_verse004_has_its_expert_grades(shared_data):
    got = {str(fracture.level): fracture.genant_grade for fracture in _read(shared_data, "verse004")}
    expert = {"T9": 2, "T10": 2, "T11": 0, "T12": 0, "L1": 3, "L2": 0, "L3": 0}
    assert {level: got[level] for level in expert} == expert


def test_verse014_has_no_fracture(shared_data):
    fractures = _read(shared_data, "verse014")
    assert [str(fracture.level) for fracture in fractures] == ["L1", "L2", "L3", "L4", "L5"]
    assert all((f.genant_grade, f.fracture) == (0, "no") for f in fractures)


@pytest.fixture(scope="module")
def digital():
    levels = (Level.T12, Level.L1, Level.L2, Level.L3)
    collapse = {Level.L1: Deformity(shape="biconcave", loss=0.32)}
    phantom = make_phantom(
        PhantomSpec(levels=levels, deformities=collapse, field_mm=(90.0, 120.0), tilt_deg=(8.0, -5.0, 5.0))
    )
    spine = locate_vertebrae(phantom.labels)
    return phantom.truth, grade_fractures(spine, settings=ONCE), measure_alignment(spine)


def test_heights_of_a_digital_spine_are_true(digital):
    truth, fractures, _ = digital
    for fracture in fractures:
        exact = truth.levels[fracture.level]
        assert fracture.heights.anterior.value == pytest.approx(exact.anterior_mm, abs=0.7)
        assert fracture.heights.middle.value == pytest.approx(exact.middle_mm, abs=0.7)
        assert fracture.heights.posterior.value == pytest.approx(exact.posterior_mm, abs=0.7)


def test_grade_and_shape_of_a_digital_spine_are_true(digital):
    truth, fractures, _ = digital
    for fracture in fractures:
        exact = truth.levels[fracture.level]
        assert (fracture.genant_grade, fracture.shape) == (exact.grade, exact.shape)
    assert {str(f.level): f.fracture for f in fractures} == {"T12": "no", "L1": "yes", "L2": "no", "L3": "no"}


def test_angles_of_a_digital_spine_are_true(digital):
    truth, _, alignment = digital
    for level, angle in truth.local_deg.items():
        assert alignment.local_deg[level].value == pytest.approx(angle, abs=3)
    for level, angle in truth.regional_deg.items():
        assert alignment.regional_deg[level].value == pytest.approx(angle, abs=3)

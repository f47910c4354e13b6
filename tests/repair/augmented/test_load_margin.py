"""Further collapse: load over strength before and after, with what is unknown said."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.bone_block import bone_block, middle

from endplate.biomechanics.loading import estimate_loads
from endplate.biomechanics.strength import StrengthSettings
from endplate.patient import PatientRecord
from endplate.repair.augmented.augmented_bone import BeforeAfter, strength_before_after
from endplate.repair.augmented.load_margin import load_margins
from endplate.repair.device.cement import CEMENTS


@pytest.fixture(scope="module")
def repaired() -> BeforeAfter:
    model = bone_block(6, 6)
    return strength_before_after(model, model, middle(model), CEMENTS["standard PMMA"])


def record(**known: float) -> PatientRecord:
    return PatientRecord(id="p", age_yr=74, sex="female", **known)


def test_the_margin_is_the_load_over_each_strength(repaired: BeforeAfter) -> None:
    person = record(mass_kg=61, height_cm=158)
    standing, flexed = load_margins(person, repaired)
    assert (standing.load_case, flexed.load_case) == ("standing", "flexed")
    for margin, place in ((standing, 0), (flexed, 1)):
        for band, strength in ((margin.before, repaired.before), (margin.after, repaired.after)):
            known = estimate_loads(person, margin.level, strength)[place]
            assert (band.value, band.low, band.high) == (known.ratio, known.low, known.high)
            assert band.value == pytest.approx(margin.load_n / strength.failure_load_n)
        assert margin.change.value == pytest.approx(margin.after.value / margin.before.value)
        assert margin.change.value < 1 and margin.change.low < margin.change.value < margin.change.high
    assert flexed.load_n > standing.load_n


def test_the_change_is_known_better_than_either_margin(repaired: BeforeAfter) -> None:
    for margin in load_margins(record(mass_kg=61, height_cm=158), repaired):
        own = (margin.before.high - margin.before.low) / margin.before.value
        assert (margin.change.high - margin.change.low) / margin.change.value < own


def test_without_a_record_or_mass_the_margin_is_unknown_with_its_reason(repaired: BeforeAfter) -> None:
    for person in (None, record(height_cm=158)):
        for margin in load_margins(person, repaired):
            assert margin.load_n is None and margin.before.value is None and margin.after.value is None
            assert "mass" in margin.before.reason


def test_without_stature_standing_is_known_and_bending_is_not(repaired: BeforeAfter) -> None:
    standing, flexed = load_margins(record(mass_kg=61), repaired)
    assert standing.before.value is not None
    assert flexed.before.value is None and "stature" in flexed.before.reason


def test_a_curve_without_failure_load_gives_no_margin(repaired: BeforeAfter) -> None:
    model = bone_block(4, 4)
    cement = np.zeros(model.material.shape, np.float32)
    linear = strength_before_after(
        model, model, cement, CEMENTS["standard PMMA"], settings=StrengthSettings(nonlinear=False)
    )
    for margin in load_margins(record(mass_kg=61, height_cm=158), linear):
        assert margin.before.value is None and "linear" in margin.before.reason
        assert margin.load_n is not None

"""Strength on another device: the same curve, and its name in the provenance. Warp's kernels run on the processor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.block_vertebra import CALIBRATION, block_vertebra

from endplate.biomechanics import strength as strength_stage
from endplate.biomechanics.model import ModelSettings, build_model
from endplate.biomechanics.strength import StrengthSettings, solve_strength
from endplate.case import assess as assess_stage
from endplate.case.assess import AssessSettings, assess
from endplate.case.model import Case
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.level import Level


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> StrengthSettings:
    """Settings that ask for a graphics card, whose kernels run on the processor instead."""
    pytest.importorskip("warp", reason="the extra gpu is not installed: no kernels of Warp to test")
    from endplate.numerics.backend.warp_backend import WarpBackend

    found = WarpBackend("cpu")
    monkeypatch.setattr(strength_stage, "check", lambda device: None)
    for stage in (strength_stage, assess_stage):
        monkeypatch.setattr(stage, "choose", lambda device: found)
    return StrengthSettings(device="cuda")


def test_curve_on_the_card_is_that_of_the_processor(card: StrengthSettings) -> None:
    vertebra, volume = block_vertebra()
    model = build_model(vertebra, volume, CALIBRATION, ModelSettings(voxel_mm=2.9))
    usual, there = solve_strength(model), solve_strength(model, card)
    assert usual.failure_load_n is not None and there.failure_load_n is not None
    assert there.stiffness_n_per_mm == pytest.approx(usual.stiffness_n_per_mm, rel=1e-6)
    assert there.failure_load_n == pytest.approx(usual.failure_load_n, rel=1e-3)
    np.testing.assert_allclose(there.force_n, usual.force_n, rtol=1e-3)


def test_provenance_names_the_device(card: StrengthSettings) -> None:
    made = make_phantom(PhantomSpec(levels=(Level.L1, Level.L2), spacing_mm=(2.5, 2.5, 2.5), field_mm=(90.0, 110.0)))
    case = Case(id="digital", volume=None, labels=made.labels, record=None)
    settings = AssessSettings(mechanics=False)
    found = assess(case, replace(settings, strength=card)).provenance.parameters
    assert found["strength"]["device"] == "cuda" and "Warp" in found["device"]
    usual = assess(case, settings).provenance.parameters
    assert usual["strength"]["device"] == "cpu" and "device" not in usual

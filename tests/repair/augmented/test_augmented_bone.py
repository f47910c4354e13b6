"""Cured cement: the published rule voxel by voxel, and what it does to stiffness, strength and their ratio's band."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.bone_block import BONE_MPA, BONE_YIELD_MPA, bone_block, middle

from endplate.biomechanics.model import BODY, LOWER, NONE, UPPER
from endplate.biomechanics.strength import StrengthSettings, solve_strength
from endplate.errors import OptionError
from endplate.repair.augmented.augmented_bone import cure, set_cement, strength_before_after
from endplate.repair.device.cement import CEMENTS

CEMENT = CEMENTS["standard PMMA"]
LINEAR = StrengthSettings(nonlinear=False, keep_strain=False)


def stiffness(model) -> float:
    return solve_strength(model, LINEAR).stiffness_n_per_mm


def test_a_half_filled_voxel_is_half_bone_and_half_porous_unbonded_cement() -> None:
    model = bone_block()
    saturation = np.where(model.material == BODY, 0.5, 0).astype(np.float32)
    cured = cure(model, saturation, CEMENT, 0.7)
    bone = model.material == BODY
    np.testing.assert_allclose(cured.modulus_mpa[bone], 0.5 * BONE_MPA + 0.5 * 2000 * 0.81 * 0.7, rtol=1e-5)
    np.testing.assert_allclose(cured.yield_mpa[bone], 0.5 * BONE_YIELD_MPA + 0.5 * 70 * 0.81 * 0.7, rtol=1e-5)
    assert (cured.modulus_mpa[~bone] == model.modulus_mpa[~bone]).all()


def test_bone_inside_full_cement_is_dropped() -> None:
    weak, dense = bone_block(), bone_block()
    dense.modulus_mpa[dense.material == BODY] = 3 * BONE_MPA
    moduli = [cure(model, middle(model, 1.0), CEMENT).modulus_mpa for model in (weak, dense)]
    np.testing.assert_array_equal(*moduli)


def test_zero_cement_returns_the_very_same_model() -> None:
    model = bone_block()
    assert cure(model, np.zeros(model.material.shape, np.float32), CEMENT) is model


def test_cement_outside_the_bone_changes_nothing() -> None:
    model = bone_block()
    outside = (model.material == NONE) | (model.material >= LOWER)
    assert cure(model, outside.astype(np.float32), CEMENT) is model


def test_an_enclosed_cavity_is_filled_and_an_open_one_outside_is_not() -> None:
    model = bone_block()
    model.material[5:7, 5:7, 6:8] = NONE
    model.modulus_mpa[5:7, 5:7, 6:8] = model.yield_mpa[5:7, 5:7, 6:8] = 0
    cured = cure(model, np.ones(model.material.shape, np.float32), CEMENT)
    assert (cured.material[5:7, 5:7, 6:8] == BODY).all()
    np.testing.assert_allclose(cured.modulus_mpa[5:7, 5:7, 6:8], set_cement(CEMENT, 0.8)[0], rtol=1e-5)
    assert (cured.material[0] == NONE).all()


def test_a_full_column_of_cement_adds_its_share_of_the_section() -> None:
    model = bone_block(side=10, height=40)
    model.modulus_mpa[model.material >= LOWER] = 1e5  # the layers hold the ends sideways: hence a tall column
    cured = cure(model, middle(model, 0.4), CEMENT)
    section, height = 20.0**2, 80.0
    whole = (0.84 * BONE_MPA + 0.16 * set_cement(CEMENT, 0.8)[0]) * section / height
    assert stiffness(cured) == pytest.approx(whole, rel=0.02)


def test_more_cement_and_a_better_interface_never_soften() -> None:
    model = bone_block()
    more = [stiffness(cure(model, middle(model, share), CEMENT)) for share in (0.2, 0.4, 0.6, 1.0)]
    assert stiffness(model) < more[0] and more == sorted(more)
    better = [stiffness(cure(model, middle(model), CEMENT, factor)) for factor in (0.6, 0.8, 1.0)]
    assert better == sorted(better) and better[0] < better[-1]


def test_bone_denser_than_cement_is_not_softened_by_it() -> None:
    model = bone_block()
    model.modulus_mpa[model.material == BODY] = 5000.0
    assert (cure(model, middle(model), CEMENT).modulus_mpa >= model.modulus_mpa).all()


def test_without_cement_both_ratios_are_exactly_one() -> None:
    model = bone_block(6, 6)
    change = strength_before_after(model, model, np.zeros(model.material.shape, np.float32), CEMENT)
    for ratio in (change.stiffness_ratio, change.failure_ratio):
        assert (ratio.value, ratio.low, ratio.high) == (1.0, 1.0, 1.0)


def test_the_band_of_a_ratio_is_narrower_than_that_of_either_strength() -> None:
    model = bone_block(6, 6)
    saturation = middle(model, 0.5) * (np.arange(model.material.shape[2]) > 6)
    change = strength_before_after(model, model, saturation, CEMENT)
    assert change.stiffness_ratio.value == pytest.approx(
        change.after.stiffness_n_per_mm / change.before.stiffness_n_per_mm
    )
    for ratio in (change.stiffness_ratio, change.failure_ratio):
        assert ratio.value is not None and ratio.value > 1.0
        assert ratio.low < ratio.value < ratio.high
        assert ratio.high / ratio.low < np.exp(2 * 1.96 * change.before.relative_sd)


def test_what_the_density_error_does_to_the_ratio_is_foretold() -> None:
    # All bone 20 % stiffer: the ratio moves by the difference of the elastic shares, to first order.
    model = bone_block(8, 8)
    saturation = middle(model, 0.5)
    stiffer = replace(
        model, modulus_mpa=np.where(model.material == BODY, 1.2, 1).astype(np.float32) * model.modulus_mpa
    )
    ratios = [stiffness(cure(m, saturation, CEMENT)) / stiffness(m) for m in (model, stiffer)]
    alone = replace(model, density_sd_mg_cm3=0.0)
    wide = replace(model, density_sd_mg_cm3=model.density_mg_cm3 * np.log(1.2) / 1.05)
    settings = StrengthSettings(nonlinear=False)
    bands = [strength_before_after(m, m, saturation, CEMENT, settings=settings).stiffness_ratio for m in (alone, wide)]
    variances = [(np.log(band.high / band.low) / (2 * 1.96)) ** 2 for band in bands]
    foretold = np.sqrt(variances[1] - variances[0])
    assert foretold == pytest.approx(abs(np.log(ratios[1] / ratios[0])), rel=0.15)


def test_impossible_interface_and_foreign_grid_are_refused() -> None:
    model = bone_block(4, 4)
    with pytest.raises(OptionError, match="interface"):
        cure(model, middle(model), CEMENT, 1.2)
    with pytest.raises(ValueError, match="saturation"):
        cure(model, np.zeros((3, 3, 3), np.float32), CEMENT)


def test_layers_keep_their_code_and_stiffness() -> None:
    model = bone_block(4, 4)
    cured = cure(model, np.ones(model.material.shape, np.float32), CEMENT)
    for code in (LOWER, UPPER):
        assert ((cured.material == code) == (model.material == code)).all()

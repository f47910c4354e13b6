"""The bone of a repair: the very model of the assessment while it is sound, weaker where soft, gone where hollow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.block_vertebra import CALIBRATION, HALF_MM, block_vertebra

from endplate.biomechanics.model import BODY, build_model
from endplate.biomechanics.strength import StrengthSettings, solve_strength
from endplate.errors import LabelError
from endplate.repair.augmented.bone_model import bone_model
from endplate.repair.site.bone import Bone, body_ml, repair_bone

LINEAR = StrengthSettings(nonlinear=False, keep_strain=False)


def bone(voxel_mm: float = 2.0) -> Bone:
    return repair_bone(*block_vertebra(), CALIBRATION, voxel_mm)


def test_sound_bone_gives_the_very_model_of_the_assessment() -> None:
    ours, theirs = bone_model(bone(1.0)), build_model(*block_vertebra(), CALIBRATION)
    for name in ("material", "modulus_mpa", "yield_mpa"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    assert ours.height_mm == theirs.height_mm and ours.density_mg_cm3 == theirs.density_mg_cm3


def test_volume_is_that_of_the_body() -> None:
    assert body_ml(bone()) == pytest.approx(np.prod(2 * HALF_MM) / 1000, rel=0.02)


def test_softened_bone_is_softer_and_weaker_by_the_root() -> None:
    sound = bone()
    soft = replace(sound, softening=np.full_like(sound.softening, 0.36))
    one, other = bone_model(sound), bone_model(soft)
    body = one.material == BODY
    assert np.allclose(other.modulus_mpa[body], 0.36 * one.modulus_mpa[body], rtol=1e-5)
    assert np.allclose(other.yield_mpa[body], 0.6 * one.yield_mpa[body], rtol=1e-5)
    layers = one.material > BODY
    assert np.array_equal(other.modulus_mpa[layers], one.modulus_mpa[layers])


def test_cavity_takes_bone_away_and_filling_it_keeps_the_voxels() -> None:
    sound = bone()
    centre = tuple(n // 2 for n in sound.field.grid.shape)
    cavity = np.zeros_like(sound.cavity)
    cavity[tuple(slice(c - 2, c + 2) for c in centre)] = 1.0
    hollow = replace(sound, cavity=cavity)
    empty, kept = bone_model(hollow), bone_model(hollow, filled=np.ones_like(cavity))
    assert not (empty.material[cavity > 0] == BODY).any()
    assert (kept.material[cavity > 0] == BODY).all()
    stiff = [solve_strength(model, LINEAR).stiffness_n_per_mm for model in (bone_model(sound), empty)]
    assert 0.5 * stiff[0] < stiff[1] < 0.97 * stiff[0]


def test_body_cut_by_the_field_is_refused() -> None:
    with pytest.raises(LabelError, match="cuts the body"):
        repair_bone(*block_vertebra(cut_by_field=True), CALIBRATION)

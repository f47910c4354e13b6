"""The model: a block's closed-form stiffness, the same in any pose, and honest about what it cannot do."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.block_vertebra import CALIBRATION, HALF_MM, block_vertebra

from endplate.biomechanics.caps import endplate_columns
from endplate.biomechanics.model import ARCH, BODY, LOWER, UPPER, ModelSettings, build_model
from endplate.biomechanics.strength import StrengthSettings, solve_strength
from endplate.bone.material import density_law
from endplate.errors import LabelError, OptionError

LINEAR = StrengthSettings(nonlinear=False, keep_strain=False)


def stiffness(settings: ModelSettings | None = None, **block: object) -> float:
    vertebra, volume = block_vertebra(**block)
    return solve_strength(build_model(vertebra, volume, CALIBRATION, settings), LINEAR).stiffness_n_per_mm


def closed_form() -> float:
    """Bone of 160 mg/cm3 and two caps of 5 mm in series, all 24 x 20 mm wide; bounds the true value from below."""
    area = 4 * HALF_MM[0] * HALF_MM[1]
    modulus = density_law("kopperdahl").properties(np.array([160.0]))[0][0]
    return area / (2 * HALF_MM[2] / modulus + 10 / 2500)


def test_block_has_the_stiffness_of_bone_and_caps_in_series() -> None:
    assert 0.99 < stiffness() / closed_form() < 1.07  # caps hinder the block's widening, which adds a few per cent


@pytest.mark.parametrize("turn", [(20.0, 0.0, 0.0), (10.0, -12.0, 30.0)])
def test_pose_of_the_patient_does_not_change_stiffness(turn: tuple[float, float, float]) -> None:
    assert stiffness(turn_deg=turn) == pytest.approx(stiffness(), rel=0.04)


def test_thick_slices_give_nearly_the_stiffness_of_thin_ones() -> None:
    assert stiffness(spacing_mm=(1.0, 1.0, 2.0)) == pytest.approx(stiffness(), rel=0.08)


def test_voxel_size_hardly_matters() -> None:
    products = []
    for voxel_mm in (1.0, 1.5, 2.0):
        model = build_model(*block_vertebra(), CALIBRATION, ModelSettings(voxel_mm=voxel_mm))
        products.append(solve_strength(model, LINEAR).stiffness_n_per_mm * model.height_mm)
    assert products == pytest.approx([products[0]] * 3, rel=0.08)


def test_noise_does_not_stiffen_weak_bone_once_smoothed() -> None:
    """Flooring noisy densities lifts their mean; smoothing before the density map takes most of that away."""
    vertebra, volume = block_vertebra(hu=50.0, noise_hu=90.0)
    raw = build_model(vertebra, volume, CALIBRATION, ModelSettings(smoothing_mm=0.0))
    smooth = build_model(vertebra, volume, CALIBRATION)
    flat = build_model(*block_vertebra(hu=50.0), CALIBRATION)
    bias = [
        m.yield_mpa[m.material == BODY].mean() / flat.yield_mpa[flat.material == BODY].mean() for m in (raw, smooth)
    ]
    assert bias[0] > 1.15 and bias[1] < 1.06


def test_caps_are_flat_outside_and_five_millimetres_thick() -> None:
    model = build_model(*block_vertebra(), CALIBRATION)
    assert model.height_mm == pytest.approx(2 * HALF_MM[2] + 10, abs=1.01)
    for code, outer in ((UPPER, -1), (LOWER, 0)):
        k = np.nonzero((model.material == code).any(axis=(0, 1)))[0]
        face = (model.material[:, :, k[outer]] == code).sum()
        assert face == pytest.approx(4 * HALF_MM[0] * HALF_MM[1], rel=0.1)
        assert 4 <= len(k) <= 6


def test_wedge_and_hollow_keep_their_endplate_and_walls_do_not_join() -> None:
    i, j = np.indices((30, 30))
    surface = np.where((abs(i - 15) < 11) & (abs(j - 15) < 11), 20 - j // 4, -1)
    surface[13:17, 13:17] -= 9  # a Schmorl node
    surface[3:5, 10:20] = 2  # a spur low on the wall
    columns = endplate_columns(surface, 1.0)
    assert columns[5:25, 5:25].all()
    assert not columns[3:5].any()


def test_patient_left_stays_left_in_the_model() -> None:
    vertebra, volume = block_vertebra()
    hu = volume.hu.copy()
    hu[: hu.shape[0] // 2] *= 2  # patient's right is dense
    model = build_model(vertebra, type(volume)(grid=volume.grid, hu=hu), CALIBRATION)
    where = np.argwhere(model.material == BODY)
    modulus = model.modulus_mpa[model.material == BODY]
    x = model.grid.to_mm(where)[:, 0]
    assert modulus[x < -3].mean() > 1.6 * modulus[x > 3].mean()


def test_body_cut_by_the_field_is_refused() -> None:
    with pytest.raises(LabelError, match="cuts the body of L2"):
        build_model(*block_vertebra(cut_by_field=True), CALIBRATION)


def test_scan_grid_needs_cubes_and_keeps_them() -> None:
    with pytest.raises(OptionError, match="cubes"):
        build_model(*block_vertebra(spacing_mm=(1.0, 1.0, 2.0)), CALIBRATION, ModelSettings(align="scan"))
    model = build_model(*block_vertebra(), CALIBRATION, ModelSettings(align="scan"))
    assert np.allclose(model.grid.spacing_mm, 1.0) and not (model.material == ARCH).any()
    assert stiffness(ModelSettings(align="scan")) == pytest.approx(stiffness(), rel=0.03)


@pytest.mark.parametrize("wrong", [{"voxel_mm": 0.0}, {"voxel_mm": 9.0}, {"law": "carter"}, {"smoothing_mm": -1.0}])
def test_meaningless_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        ModelSettings(**wrong)


def test_disc_layers_are_soft_and_never_yield() -> None:
    model = build_model(*block_vertebra(), CALIBRATION, ModelSettings(layer="disc"))
    layers = model.material >= LOWER
    assert (model.modulus_mpa[layers] == 8).all() and np.isinf(model.yield_mpa[layers]).all()

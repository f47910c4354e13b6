"""Strength: a block yields at area times yield stress; criteria read a known curve; published vertebra."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.block_vertebra import CALIBRATION, block_vertebra
from verification.compatibility import read_benchmark_model

from endplate.biomechanics.criteria import crawford_load, last_elastic_travel, offset_load, plateau_load
from endplate.biomechanics.model import BODY, BoneModel, ModelSettings, build_model
from endplate.biomechanics.strength import StrengthSettings, relative_sd, solve_strength, strain_schedule
from endplate.errors import ImageError, OptionError


@pytest.fixture(scope="module")
def block() -> BoneModel:
    vertebra, volume = block_vertebra()
    return build_model(vertebra, volume, CALIBRATION, ModelSettings(voxel_mm=2.0))


def test_block_fails_at_its_area_times_the_yield_stress(block: BoneModel) -> None:
    seen: list[float] = []
    strength = solve_strength(block, progress=seen.append)
    # The block's own middle sections: caps confine the ends, so these decide.
    place = block.grid.to_mm(np.argwhere(block.material == BODY))[:, 2]
    share = block.yield_mpa[block.material == BODY] * block.voxel_mm**3
    weakest = share[np.abs(place) < 6].sum() / (np.ptp(place[np.abs(place) < 6]) + block.voxel_mm)
    assert strength.solver.converged and strength.reason == ""
    assert 0.99 < strength.plateau_load_n / weakest < 1.2  # caps hold the ends of so short a block together
    assert strength.failure_load_n is not None
    assert 0.8 * strength.plateau_load_n < strength.failure_load_n <= 1.001 * strength.plateau_load_n
    assert seen[-1] == 1.0 and seen == sorted(seen)
    assert (np.diff(strength.force_n) > -1e-3 * strength.force_n.max()).all()
    assert strength.strain is not None and strength.strain.shape == block.material.shape
    assert strength.plastic_strain is not None and strength.plastic_strain[block.material == BODY].max() > 0.005


def test_linear_only_gives_the_crawford_load_and_says_so(block: BoneModel) -> None:
    strength = solve_strength(block, StrengthSettings(nonlinear=False))
    assert strength.failure_load_n is None and "linear" in strength.reason
    assert strength.failure_load_linear_n == 0.0068 * strength.stiffness_n_per_mm * strength.height_mm
    assert strength.force_n.size == 0


def test_flexion_loads_the_front_and_weakens(block: BoneModel) -> None:
    axial = solve_strength(block)
    flexed = solve_strength(block, StrengthSettings(load_case="flexed"))
    assert flexed.failure_load_n < axial.failure_load_n
    body = block.material == BODY
    front = body & (np.arange(block.material.shape[1])[None, :, None] < np.argwhere(body)[:, 1].mean())
    assert flexed.strain[front].mean() > 1.3 * flexed.strain[body & ~front].mean()


def test_von_mises_is_stronger_than_tresca(block: BoneModel) -> None:
    tresca, mises = (solve_strength(block, StrengthSettings(criterion=c)) for c in ("tresca", "von_mises"))
    assert 1.0 < mises.plateau_load_n / tresca.plateau_load_n < 2 / np.sqrt(3) + 0.01


def test_criteria_read_a_bilinear_curve_exactly() -> None:
    travel = np.linspace(0, 0.8, 17)
    force = np.minimum(10000 * travel, 1500 + 100 * (travel - 0.15))
    assert offset_load(travel, force, 10000, 40.0) == pytest.approx(1508.1, rel=1e-3)
    assert plateau_load(travel, force, 40.0) == pytest.approx(1561, rel=1e-4)
    assert last_elastic_travel(travel, force, 10000, 40.0) == pytest.approx(0.15)
    assert crawford_load(10000, 40.0) == pytest.approx(2720)


def test_curve_that_never_meets_the_line_gives_no_load() -> None:
    travel = np.linspace(0, 0.8, 9)
    assert offset_load(travel, 10000 * travel, 10000, 40.0) is None
    assert plateau_load(travel[:5], 10000 * travel[:5], 40.0) is None
    assert offset_load(np.zeros(0), np.zeros(0), 10000, 40.0) is None


def test_schedule_rises_to_two_percent() -> None:
    strains = strain_schedule()
    assert strains[-1] == pytest.approx(0.02) and (np.diff(strains) > 0).all()


def test_band_grows_with_calibration_error_and_never_leaves_out_the_method(block: BoneModel) -> None:
    assert relative_sd(replace(block, density_sd_mg_cm3=0.0)) == pytest.approx(np.hypot(0.16, 0.05))
    assert relative_sd(replace(block, density_sd_mg_cm3=30.0)) > relative_sd(block)


@pytest.mark.parametrize("wrong", [{"criterion": "hill"}, {"element": "tet"}, {"load_case": "x"}, {"tolerance": 0.0}])
def test_unknown_choices_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        StrengthSettings(**wrong)


def test_published_vertebra_has_its_published_stiffness_with_the_shift_and_the_right_one_without(
    shared_data: Path,
) -> None:
    linear = StrengthSettings(nonlinear=False, keep_strain=False, element="full")
    folder = shared_data / "verse004-l2-fe"
    shifted = solve_strength(read_benchmark_model(folder, "shifted"), linear)
    right = solve_strength(read_benchmark_model(folder, "bins"), linear)
    assert shifted.stiffness_n_per_mm == pytest.approx(12362, rel=0.005)
    assert right.stiffness_n_per_mm == pytest.approx(10442, rel=0.01)
    assert shifted.height_mm == 37


def test_folder_without_a_benchmark_is_an_image_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no benchmark"):
        read_benchmark_model(tmp_path)

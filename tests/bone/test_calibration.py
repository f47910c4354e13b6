"""Four routes from HU to K2HPO4-equivalent density, each with its band, none in silence."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from endplate.anatomy.locate import locate_vertebrae
from endplate.bone.calibration import calibrate, to_120_kvp
from endplate.bone.mineral import k2hpo4_per_ha
from endplate.bone.rods import find_rods
from endplate.bone.settings import CalibrationSettings, RodSettings
from endplate.errors import OptionError
from endplate.image.phantom import Phantom, PhantomSpec, Rods, make_phantom
from endplate.image.series_ref import SeriesRef
from endplate.image.volume import Grid, Volume
from endplate.level import Level

CONCENTRATIONS = (0.0, 50.0, 100.0, 150.0, 200.0)


def patient(**changes: object) -> Phantom:
    spec = PhantomSpec(levels=(Level.L1, Level.L2), spacing_mm=(2.0, 2.0, 2.0))
    return make_phantom(dataclasses.replace(spec, **changes))


@pytest.fixture(scope="module")
def with_rods() -> Phantom:
    return patient(rods=Rods(mg_cm3=CONCENTRATIONS))


@pytest.fixture(scope="module")
def with_ha_rods() -> Phantom:
    return patient(rods=Rods(mineral="HA", mg_cm3=CONCENTRATIONS))


def bone_of(phantom: Phantom) -> np.ndarray:
    return phantom.labels.labels > 0


def told(phantom: Phantom, **series: object) -> Volume:
    """The phantom's CT with other facts in its header."""
    assert phantom.volume.series is not None
    return dataclasses.replace(phantom.volume, series=dataclasses.replace(phantom.volume.series, **series))


def test_given_line_is_used_as_it_is(with_rods: Phantom) -> None:
    settings = CalibrationSettings(slope_mg_cm3_per_hu=0.71, offset_mg_cm3=-3)
    line, cautions, gaps = calibrate(with_rods.volume, None, settings)
    assert line is not None and line.route == "given" and not cautions and not gaps
    assert line.to_mg_cm3(np.array([100.0]))[0] == pytest.approx(68.0)
    assert line.sd_mg_cm3 > 0 and line.kvp == 120


def test_a_line_given_in_hydroxyapatite_is_converted(with_rods: Phantom) -> None:
    given = CalibrationSettings(slope_mg_cm3_per_hu=0.8, mineral="HA", offset_mg_cm3=10)
    line, _, _ = calibrate(with_rods.volume, None, given)
    assert line is not None and line.equivalent == "K2HPO4"
    assert line.slope_mg_cm3_per_hu == pytest.approx(0.8 * 0.8267, rel=1e-3)
    assert line.offset_mg_cm3 == pytest.approx(8.267, rel=1e-3) and any("HA" in note for note in line.notes)


def test_hydroxyapatite_factor_is_goodsitts_at_both_ends() -> None:
    assert k2hpo4_per_ha(80) == pytest.approx(0.86) and k2hpo4_per_ha(140) == pytest.approx(0.81)
    assert k2hpo4_per_ha(None) == k2hpo4_per_ha(120)


def test_rods_are_found_and_give_the_scanners_line(with_rods: Phantom) -> None:
    line, cautions, _ = calibrate(
        with_rods.volume, bone_of(with_rods), CalibrationSettings(rods=RodSettings(mg_cm3=CONCENTRATIONS))
    )
    assert line is not None and line.route == "rods" and not cautions
    assert line.slope_mg_cm3_per_hu == pytest.approx(with_rods.truth.mg_cm3_per_hu, rel=0.02)
    assert line.offset_mg_cm3 == pytest.approx(0, abs=2)


def test_rods_in_hydroxyapatite_end_in_k2hpo4(with_ha_rods: Phantom) -> None:
    rods = RodSettings(mg_cm3=CONCENTRATIONS, mineral="HA")
    line, _, _ = calibrate(with_ha_rods.volume, None, CalibrationSettings(rods=rods))
    mistaken, _, _ = calibrate(with_ha_rods.volume, None, CalibrationSettings(rods=RodSettings(mg_cm3=CONCENTRATIONS)))
    assert line is not None and mistaken is not None
    assert line.slope_mg_cm3_per_hu == pytest.approx(with_ha_rods.truth.mg_cm3_per_hu, rel=0.02)
    assert 0.81 <= line.slope_mg_cm3_per_hu / mistaken.slope_mg_cm3_per_hu <= 0.86


def test_rods_pointed_at_need_no_search(with_rods: Phantom) -> None:
    k = with_rods.volume.hu.shape[2] // 2
    centres = [tuple(with_rods.volume.grid.to_mm((i, j, k))) for (i, j), _ in find_rods(with_rods.volume)]
    rods = RodSettings(mg_cm3=CONCENTRATIONS, centres_mm=tuple(centres))
    line, _, _ = calibrate(with_rods.volume, None, CalibrationSettings(rods=rods))
    assert line is not None and line.route == "rods"
    assert line.slope_mg_cm3_per_hu == pytest.approx(with_rods.truth.mg_cm3_per_hu, rel=0.02)
    outside = RodSettings(mg_cm3=(0.0, 100.0), centres_mm=((0.0, 0.0, 0.0), (900.0, 0.0, 0.0)))
    refused, _, gaps = calibrate(with_rods.volume, None, CalibrationSettings(route="rods", rods=outside))
    assert refused is None and "outside" in gaps[0].reason


def test_mindways_rods_follow_the_published_steps() -> None:
    """Rods that displace water: HU = water + sigma density + beta, the CT line from sigma and beta."""
    density, water = np.array([0.0, 100.0, 200.0]), np.array([1012.0, 1000.0, 990.0])
    hu = water + 1.5 * density - 1005
    volume = np.full((60, 40, 8), -1000, np.float32)
    volume[5:55, 2:20] = 40
    for number, value in enumerate(hu):
        volume[8 + 18 * number : 16 + 18 * number, 28:36] = value
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    scan = Volume(grid=Grid(shape=volume.shape, affine=affine), hu=volume)
    rods = RodSettings(mg_cm3=tuple(density), water_mg_cm3=tuple(water))
    line, _, gaps = calibrate(scan, None, CalibrationSettings(route="rods", rods=rods))
    assert line is not None, gaps
    assert line.slope_mg_cm3_per_hu == pytest.approx(1 / (1.5 - 0.2174), rel=1e-6)
    assert line.offset_mg_cm3 == pytest.approx(-(-1005 + 999.6) / (1.5 - 0.2174), abs=1e-3)


def test_rods_are_found_inside_a_slab() -> None:
    phantom = patient()
    density, slab_hu = np.array([0.0, 75.0, 150.0]), 25.0
    hu = phantom.volume.hu.astype(np.float32)
    below = np.full((hu.shape[0], 24, hu.shape[2]), -1000, np.float32)
    below[30:-30, 4:22] = slab_hu
    i, j = np.meshgrid(np.arange(hu.shape[0]), np.arange(24), indexing="ij")
    for number, value in enumerate(density / 0.67):
        below[np.hypot(i - (50 + 26 * number), j - 13) < 5] = value
    below += np.random.default_rng(4711).normal(0, 20, below.shape).astype(np.float32)
    scan = np.concatenate((hu, below), axis=1)
    volume = Volume(grid=dataclasses.replace(phantom.volume.grid, shape=scan.shape), hu=scan)
    rods = RodSettings(mg_cm3=tuple(density))
    line, _, gaps = calibrate(volume, None, CalibrationSettings(route="rods", rods=rods))
    assert line is not None, gaps
    assert line.slope_mg_cm3_per_hu == pytest.approx(0.67, rel=0.03) and abs(line.offset_mg_cm3) < 3


def test_wrong_concentrations_are_not_forced_onto_the_rods(with_rods: Phantom) -> None:
    wrong = RodSettings(mg_cm3=(0.0, 10.0, 20.0, 30.0, 800.0))
    line, _, gaps = calibrate(with_rods.volume, None, CalibrationSettings(route="rods", rods=wrong))
    assert line is None and "do not follow" in gaps[0].reason
    few = RodSettings(mg_cm3=(0.0, 100.0, 200.0))
    line, cautions, _ = calibrate(with_rods.volume, bone_of(with_rods), CalibrationSettings(rods=few))
    assert line is not None and line.route == "tissue"
    assert any("5 rods were found" in caution.text for caution in cautions)


@pytest.mark.parametrize(
    "changes", [{"noise_hu": 0.0}, {"noise_hu": 40.0}, {"tilt_deg": (5.0, 10.0, -8.0)}, {"spacing_mm": (1.2, 1.2, 5.0)}]
)
def test_tissues_are_found_without_a_drawn_region(changes: dict) -> None:
    phantom = patient(**changes)
    line, cautions, gaps = calibrate(phantom.volume, bone_of(phantom))
    assert line is not None and line.route == "tissue" and not gaps and not cautions
    fat = float(line.notes[0].split("fat ")[1].split(",")[0])
    assert fat == pytest.approx(-110, abs=3)
    at_bone = line.to_mg_cm3(np.array([95 / phantom.truth.mg_cm3_per_hu]))[0]
    assert at_bone == pytest.approx(95, abs=8) and 17 < line.sd_mg_cm3 < 21


def test_tissue_route_follows_a_shifted_scanner() -> None:
    """All HU 5 % stretched: the tissue line shrinks with them, a published line would not."""
    stretched = patient(air_hu=-1000.0, fat_hu=-110 * 1.05, muscle_hu=50 * 1.05, mg_cm3_per_hu=0.67 / 1.05)
    plain = patient()
    lines = [calibrate(p.volume, bone_of(p))[0] for p in (stretched, plain)]
    assert lines[0] is not None and lines[1] is not None
    values = [line.to_mg_cm3(np.array([hu]))[0] for line, hu in zip(lines, (150 * 1.05, 150), strict=True) if line]
    assert values[0] == pytest.approx(values[1], abs=6)


def test_tight_crop_falls_back_to_the_published_line_and_says_so() -> None:
    phantom = patient(field_mm=(80.0, 110.0))
    line, cautions, gaps = calibrate(phantom.volume, bone_of(phantom))
    assert line is not None and line.route == "published" and not gaps
    assert cautions[0].code == "published_density_line" and "no air" in cautions[0].text
    unknown, warned, _ = calibrate(told(phantom, kvp=None), bone_of(phantom))
    assert unknown is not None and unknown.sd_mg_cm3 > line.sd_mg_cm3
    assert "assumed 120 kVp" in warned[0].text and "tube voltage not stated: 120 kVp assumed" in unknown.notes


def test_padding_is_not_air() -> None:
    phantom = patient(field_mm=(90.0, 110.0))
    hu = phantom.volume.hu.copy()
    hu[:12] = -1024
    padded = dataclasses.replace(phantom.volume, hu=hu)
    line, cautions, _ = calibrate(padded, bone_of(phantom))
    assert line is not None and line.route == "published" and "no air" in cautions[0].text


def test_tube_voltage_moves_the_published_line_and_80_kvp_is_refused() -> None:
    assert to_120_kvp(100) == pytest.approx(0.927) and to_120_kvp(140) == pytest.approx(1.053)
    assert to_120_kvp(120) == 1 and to_120_kvp(80) is None
    phantom = patient(field_mm=(80.0, 110.0))
    line, _, gaps = calibrate(told(phantom, kvp=80.0), bone_of(phantom))
    assert line is None and "80 kVp" in gaps[0].reason and gaps[0].code == "density_calibration"


def test_tissue_line_is_corrected_for_bone_at_other_tube_voltages() -> None:
    phantom = patient()
    usual, _, _ = calibrate(phantom.volume, bone_of(phantom))
    soft, _, _ = calibrate(told(phantom, kvp=100.0), bone_of(phantom))
    assert usual is not None and soft is not None and soft.route == "tissue"
    assert soft.slope_mg_cm3_per_hu == pytest.approx(0.927 * usual.slope_mg_cm3_per_hu)
    assert soft.sd_mg_cm3 > usual.sd_mg_cm3 and any("100 kVp" in note for note in soft.notes)
    line, _, gaps = calibrate(told(phantom, kvp=80.0), bone_of(phantom))
    assert line is None and "80 kVp" in gaps[0].reason


def test_contrast_medium_widens_the_band_and_is_told(with_rods: Phantom) -> None:
    given = CalibrationSettings(slope_mg_cm3_per_hu=0.67)
    plain, _, _ = calibrate(with_rods.volume, None, given)
    after, cautions, _ = calibrate(told(with_rods, contrast=True), None, given)
    assert plain is not None and after is not None and after.sd_mg_cm3 > plain.sd_mg_cm3 + 4
    assert any(caution.code == "contrast_phase" for caution in cautions)
    unknown, _, _ = calibrate(told(with_rods, contrast=None), None, given)
    assert unknown is not None and any("not stated" in note for note in unknown.notes)


@pytest.mark.parametrize(
    ("slope", "offset", "code"),
    [
        (0.45, 0, "calibration_slope_unusual"),
        (1.1, 0, "calibration_slope_unusual"),
        (0.7, 45, "calibration_offset_unusual"),
    ],
)
def test_implausible_lines_are_warned_of(with_rods: Phantom, slope: float, offset: float, code: str) -> None:
    settings = CalibrationSettings(slope_mg_cm3_per_hu=slope, offset_mg_cm3=offset)
    _, cautions, _ = calibrate(with_rods.volume, None, settings)
    assert code in [caution.code for caution in cautions]


def test_a_route_that_was_asked_for_is_never_swapped_for_another() -> None:
    phantom = patient(field_mm=(80.0, 110.0))
    line, cautions, gaps = calibrate(phantom.volume, bone_of(phantom), CalibrationSettings(route="tissue"))
    assert line is None and not cautions and "tissue" in gaps[0].reason


def test_settings_without_sense_are_refused() -> None:
    for wrong in (
        {"slope_mg_cm3_per_hu": -0.7},
        {"slope_mg_cm3_per_hu": 0.001, "offset_mg_cm3": -999.0},
        {"slope_mg_cm3_per_hu": 0.7, "offset_mg_cm3": -151.0},
        {"slope_mg_cm3_per_hu": 2.0},
        {"route": "given"},
        {"route": "rods"},
    ):
        with pytest.raises(OptionError):
            CalibrationSettings(**wrong)
    with pytest.raises(OptionError):
        RodSettings(mg_cm3=(100.0,))
    with pytest.raises(OptionError):
        RodSettings(mg_cm3=(0.0, 100.0), mineral="HA", water_mg_cm3=(1000.0, 990.0))


def test_a_scan_without_a_header_still_calibrates() -> None:
    phantom = patient()
    bare = Volume(grid=phantom.volume.grid, hu=phantom.volume.hu, series=None)
    line, _, _ = calibrate(bare, bone_of(phantom))
    assert line is not None and line.route == "tissue" and line.kvp is None
    known, _, _ = calibrate(
        Volume(grid=bare.grid, hu=bare.hu, series=SeriesRef(path="x", kvp=120.0, contrast=False)), bone_of(phantom)
    )
    assert known is not None and known.sd_mg_cm3 < line.sd_mg_cm3


def test_real_tight_crop_is_not_calibrated_by_padding(shared_data) -> None:
    from endplate.image.ct import read_ct
    from endplate.image.labels import read_labels

    folder = shared_data / "verse014"
    scan = read_ct(folder / "sub-verse014_ct.nii.gz")
    labels = read_labels(folder / "sub-verse014_seg-vert_msk.nii.gz")
    line, cautions, _ = calibrate(scan, labels.labels > 0)
    assert line is not None and line.route == "published" and line.kvp is None
    assert line.sd_mg_cm3 > 25 and "assumed 120 kVp" in cautions[0].text


def test_a_line_that_makes_all_bone_impossible_is_refused() -> None:
    phantom = patient()
    spine = locate_vertebrae(phantom.labels)
    dense = Volume(grid=phantom.volume.grid, hu=(phantom.volume.hu + 900).astype(np.int16))
    line, _, gaps = calibrate(dense, spine, CalibrationSettings(slope_mg_cm3_per_hu=0.7))
    assert line is None and "impossible trabecular density" in gaps[0].reason
    right, _, none = calibrate(phantom.volume, spine, CalibrationSettings(slope_mg_cm3_per_hu=0.7))
    assert right is not None and not none

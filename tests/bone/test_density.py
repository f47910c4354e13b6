"""Trabecular density: the region, the value, the category, and what is said beside it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from endplate.anatomy.vertebra import Vertebra
from endplate.bone.calibration import calibrate
from endplate.bone.density import category_of, compare_levels, measure_density
from endplate.bone.findings import density_cautions, density_gaps, findings
from endplate.bone.result import BoneDensity, Calibration
from endplate.bone.settings import CalibrationSettings, DensitySettings
from endplate.finding import Gap, catalogue
from endplate.image.phantom import Deformity, Phantom, PhantomSpec, make_phantom
from endplate.level import Level

CORE = {Level.T12: 70.0, Level.L1: 100.0, Level.L2: 150.0}


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    wedge = {Level.L1: Deformity(shape="wedge", loss=0.3)}
    spec = PhantomSpec(
        levels=tuple(CORE), spacing_mm=(1.0, 1.0, 1.5), core_mg_cm3=CORE, deformities=wedge, field_mm=(80.0, 100.0)
    )
    return make_phantom(spec)


@pytest.fixture(scope="module")
def line(phantom: Phantom) -> Calibration:
    found, _, _ = calibrate(phantom.volume, None, CalibrationSettings(slope_mg_cm3_per_hu=0.67))
    assert found is not None
    return found


def vertebra_of(phantom: Phantom, level: Level, **changes: object) -> Vertebra:
    """The vertebra as the truth knows it, so that density is tested alone."""
    truth = phantom.truth.levels[level]
    where = np.argwhere(phantom.labels.labels == level.verse_id)
    start, stop = where.min(axis=0), where.max(axis=0) + 1
    i, j, k = (slice(a, b) for a, b in zip(start, stop, strict=True))
    mine = phantom.labels.labels[i, j, k] == level.verse_id
    body = mine & (phantom.subregion[i, j, k] == 50)
    vertebra = Vertebra(
        level=level,
        grid=phantom.labels.grid.crop(start, stop),
        body=body,
        arch=mine & ~body,
        fill=mine.astype(np.float32),
        centroid_mm=truth.centroid_mm,
        axes=truth.axes,
        superior=None,
        inferior=None,
        left=None,
        right=None,
        cut_by_field=False,
        cut_arch=False,
    )
    return dataclasses.replace(vertebra, **changes)


def measured(phantom: Phantom, level: Level, line: Calibration | None, **options: object) -> BoneDensity:
    result = measure_density(vertebra_of(phantom, level), phantom.volume, line, **options)
    assert isinstance(result, BoneDensity), result
    return result


@pytest.mark.parametrize("level", list(CORE))
def test_density_of_the_core_is_recovered(phantom: Phantom, line: Calibration, level: Level) -> None:
    result = measured(phantom, level, line)
    assert result.density_mg_cm3 == pytest.approx(CORE[level], abs=1.0)
    assert result.hu_sd == pytest.approx(20, rel=0.1) and result.hu_se < 2
    assert result.density_sd_mg_cm3 is not None and result.density_sd_mg_cm3 >= line.sd_mg_cm3


def test_region_keeps_clear_of_the_cortex_and_of_the_vein(phantom: Phantom, line: Calibration) -> None:
    result = measured(phantom, Level.L2, line)
    truth = phantom.truth.levels[Level.L2]
    points = result.grid.to_mm(np.argwhere(result.roi))
    depth = -truth.placed.body.distance(*truth.placed.to_local(points).T)
    assert depth.min() > 3.0
    local = truth.placed.to_local(points)
    vein = (np.abs(local[:, 2]) < 2) & (local[:, 1] < truth.placed.body.back_mm + 9)
    assert not vein.any()


def test_bone_island_and_hole_are_left_out(phantom: Phantom, line: Calibration) -> None:
    hu = phantom.volume.hu.copy()
    centre = phantom.truth.levels[Level.L2].centroid_mm
    for shift, value in (((6, -4, 6), 900), ((-6, -4, -6), -80)):
        i, j, k = np.rint(phantom.volume.grid.to_index(centre + shift)).astype(int)
        hu[i - 2 : i + 3, j - 2 : j + 3, k - 1 : k + 2] = value
    marred = dataclasses.replace(phantom.volume, hu=hu)
    result = measure_density(vertebra_of(phantom, Level.L2), marred, line)
    assert isinstance(result, BoneDensity)
    assert result.density_mg_cm3 == pytest.approx(CORE[Level.L2], abs=2.0)
    assert any("left out" in note for note in result.notes)


@pytest.mark.parametrize(
    ("density", "category"),
    [(40, "osteoporosis"), (80, "osteoporosis"), (80.1, "low"), (120, "low"), (120.1, "normal")],
)
def test_categories_change_at_the_published_cutoffs(density: float, category: str) -> None:
    assert category_of(density) == category


def test_without_calibration_hu_stays_and_density_is_a_gap(phantom: Phantom) -> None:
    result = measured(phantom, Level.T12, None)
    assert result.hu_mean == pytest.approx(70 / 0.67, abs=2)
    assert result.density_mg_cm3 is None and result.category is None
    codes = [finding.code for finding in findings([result], None)]
    assert codes == ["trabecular_hu"]
    assert {gap.code for gap in density_gaps([result])} == {"trabecular_density", "density_category"}


def test_cut_or_tiny_bodies_are_gaps_with_reasons(phantom: Phantom, line: Calibration) -> None:
    cut = measure_density(vertebra_of(phantom, Level.L1, cut_by_field=True), phantom.volume, line)
    assert isinstance(cut, Gap) and "border" in cut.reason and cut.level is Level.L1
    small = measure_density(vertebra_of(phantom, Level.L1), phantom.volume, line, DensitySettings(minimum_mm3=90_000))
    assert isinstance(small, Gap) and "90000 are needed" in small.reason
    empty = np.zeros_like(vertebra_of(phantom, Level.L1).body)
    nothing = measure_density(vertebra_of(phantom, Level.L1, body=empty), phantom.volume, line)
    assert isinstance(nothing, Gap)


def test_a_vertebra_off_the_grid_is_a_gap(phantom: Phantom, line: Calibration) -> None:
    vertebra = vertebra_of(phantom, Level.L1)
    affine = vertebra.grid.affine.copy()
    affine[:3, 3] += 0.4
    moved = dataclasses.replace(vertebra, grid=dataclasses.replace(vertebra.grid, affine=affine))
    result = measure_density(moved, phantom.volume, line)
    assert isinstance(result, Gap) and "grid" in result.reason


def test_fractured_and_contrast_levels_say_so(phantom: Phantom, line: Calibration) -> None:
    bright = dataclasses.replace(line, contrast=True)
    result = measured(phantom, Level.L1, bright, fractured=True)
    assert any("fractured" in note for note in result.notes) and any("contrast" in note for note in result.notes)


def test_a_sclerotic_level_is_out_of_line_with_the_rest(phantom: Phantom, line: Calibration) -> None:
    normal = [measured(phantom, Level.T12, line) for _ in range(3)]
    dense = dataclasses.replace(normal[0], level=Level.L2, hu_mean=normal[0].hu_mean * 2)
    flagged = compare_levels([*normal, dense])
    assert "out of line" in flagged[3].notes[-1] and not flagged[0].notes
    assert compare_levels([normal[0], dense])[1].notes == dense.notes


def test_findings_carry_bands_methods_and_catalogue_units(phantom: Phantom, line: Calibration) -> None:
    results = [measured(phantom, level, line) for level in CORE]
    found = findings(results, line)
    assert [f.code for f in found].count("density_calibration") == 1
    assert len(found) + len(density_gaps(results)) == 2 + 3 * len(CORE)
    for finding in found:
        assert finding.unit == catalogue()[finding.code].unit and finding.method and finding.source
    amount = next(f for f in found if f.code == "trabecular_density" and f.level is Level.L1)
    assert amount.low is not None and amount.high is not None and amount.low < 100 < amount.high
    assert "given route" in amount.method and "K2HPO4" in amount.method
    sure = dataclasses.replace(line, sd_mg_cm3=3.0)
    certain = findings([measured(phantom, Level.T12, sure)], sure)
    category = next(f for f in certain if f.code == "density_category" and f.level is Level.T12)
    assert category.value == "osteoporosis"
    weak = dataclasses.replace(line, sd_mg_cm3=14.3)
    unsure = measured(phantom, Level.T12, weak)
    assert "density_category" not in [f.code for f in findings([unsure], weak)]
    (gap,) = density_gaps([unsure])
    assert gap.code == "density_category" and "the band reaches from osteoporosis to low" in gap.reason


def test_an_impossible_density_is_a_gap_with_its_reason(phantom: Phantom, line: Calibration) -> None:
    for shift in (900, -400):
        strange = dataclasses.replace(phantom.volume, hu=(phantom.volume.hu + shift).astype(np.int16))
        result = measure_density(vertebra_of(phantom, Level.L2), strange, line)
        assert isinstance(result, BoneDensity) and result.density_mg_cm3 is None and result.category is None
        assert all("no density of vertebral trabecular bone" in gap.reason for gap in density_gaps([result]))
        codes = [finding.code for finding in findings([result], line)]
        assert codes == ["density_calibration", "hu_to_120_kvp", "trabecular_hu"]


def test_cement_in_a_body_is_named_with_its_volume(phantom: Phantom, line: Calibration) -> None:
    grid, hu = phantom.volume.grid, phantom.volume.hu.copy()
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    away = np.linalg.norm(grid.to_mm(index) - phantom.truth.levels[Level.L2].centroid_mm, axis=-1)
    hu[away < 8] = 1200
    cemented = measure_density(vertebra_of(phantom, Level.L2), dataclasses.replace(phantom.volume, hu=hu), line)
    assert isinstance(cemented, BoneDensity) and cemented.inclusion_ml == pytest.approx(2.14, rel=0.1)
    assert "dense_inclusion" in [caution.code for caution in density_cautions([cemented])]
    assert any("cement or metal" in note for note in cemented.notes)
    plain = measured(phantom, Level.L2, line)
    assert plain.inclusion_ml == 0 and not density_cautions([plain])

"""The scan of the digital spine: labels, sides, densities, partial volume, noise, pose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from endplate.image.phantom import Deformity, Phantom, PhantomSpec, Rods, make_phantom
from endplate.level import Level

LEVELS = (Level.T12, Level.L1, Level.L2)


@pytest.fixture(scope="module")
def quiet() -> Phantom:
    return make_phantom(PhantomSpec(levels=LEVELS, spacing_mm=(1.5, 1.5, 1.5), noise_hu=0))


def test_every_level_is_labelled_by_its_verse_number(quiet: Phantom) -> None:
    found = set(np.unique(quiet.labels.labels).tolist()) - {0}
    assert found == {level.verse_id for level in LEVELS}


def test_body_of_the_label_map_has_the_true_volume_and_place(quiet: Phantom) -> None:
    for level, truth in quiet.truth.levels.items():
        body = (quiet.labels.labels == level.verse_id) & (quiet.subregion == 50)
        assert body.sum() * 1.5**3 == pytest.approx(truth.body_mm3, rel=0.02)
        centre = quiet.labels.grid.to_mm(np.argwhere(body)).mean(axis=0)
        assert np.abs(centre - truth.centroid_mm).max() < 0.3


@pytest.mark.parametrize("shape", ["wedge", "biconcave", "crush"])
def test_heights_of_truth_are_the_heights_of_the_label_map(shape: str) -> None:
    """Columns through the rendered body along the true axis, at the published places."""
    deformity = Deformity(shape=shape, loss=0.3)
    phantom = make_phantom(
        PhantomSpec(
            levels=(Level.L1,),
            spacing_mm=(0.8, 0.8, 0.8),
            deformities={Level.L1: deformity},
            tilt_deg=(12.0, -7.0, 5.0),
            field_mm=(90.0, 110.0),
        )
    )
    truth, grid = phantom.truth.levels[Level.L1], phantom.labels.grid
    body = (phantom.subregion == 50).astype(np.float32)
    y0 = truth.placed.body.front_mm
    for share, height in ((0.125, truth.anterior_mm), (0.5, truth.middle_mm), (0.875, truth.posterior_mm)):
        x, y, z = np.meshgrid(
            np.linspace(-5, 5, 21), y0 - share * truth.depth_mm + np.linspace(-0.7, 0.7, 5), np.arange(-25, 25, 0.1)
        )
        points = grid.to_index(truth.placed.to_world(np.stack((x, y, z), axis=-1)))
        inside = map_coordinates(body, np.moveaxis(points, -1, 0), order=1)
        assert inside.sum(axis=-1).mean() * 0.1 == pytest.approx(height, abs=0.2)


def test_longer_transverse_process_is_on_the_patients_left(quiet: Phantom) -> None:
    bone = np.argwhere(quiet.labels.labels == Level.L1.verse_id)
    x = quiet.labels.grid.to_mm(bone)[:, 0] - quiet.truth.levels[Level.L1].centroid_mm[0]
    assert quiet.truth.longer_transverse == "left" and x.max() > -x.min() + 3
    left = quiet.subregion == 43
    right = quiet.subregion == 44
    assert np.argwhere(left)[:, 0].mean() > np.argwhere(right)[:, 0].mean() and left.sum() > right.sum()


def test_front_is_front_and_head_is_up(quiet: Phantom) -> None:
    grid, region = quiet.labels.grid, quiet.subregion
    body, spinous = (grid.to_mm(np.argwhere(region == code)).mean(axis=0) for code in (50, 42))
    assert spinous[1] > body[1] + 30
    assert quiet.truth.levels[Level.T12].centroid_mm[2] > quiet.truth.levels[Level.L2].centroid_mm[2]
    assert np.allclose(quiet.truth.levels[Level.L1].axes @ quiet.truth.levels[Level.L1].axes.T, np.eye(3))


def test_core_shows_its_stated_density() -> None:
    wanted = {Level.T12: 80.0, Level.L1: 110.0, Level.L2: 150.0}
    spec = PhantomSpec(levels=LEVELS, spacing_mm=(1, 1, 1), core_mg_cm3=wanted, noise_hu=0, field_mm=(80, 100))
    phantom = make_phantom(spec)
    for level, truth in phantom.truth.levels.items():
        ahead = truth.centroid_mm + 6 * truth.axes[1]
        i, j, k = np.rint(phantom.volume.grid.to_index(ahead)).astype(int)
        hu = phantom.volume.hu[i, j, k]
        assert hu * phantom.truth.mg_cm3_per_hu == pytest.approx(wanted[level], abs=1)


def test_mineral_in_the_scan_does_not_depend_on_voxel_size() -> None:
    def mineral(spacing: float) -> float:
        spec = PhantomSpec(levels=(Level.L1,), spacing_mm=(spacing,) * 3, noise_hu=0, blur_mm=0, field_mm=(90, 80))
        phantom = make_phantom(spec)
        near = phantom.labels.grid.to_mm(np.argwhere(np.ones(phantom.volume.hu.shape, bool)))
        away = np.linalg.norm(near - phantom.truth.levels[Level.L1].centroid_mm, axis=1).reshape(
            phantom.volume.hu.shape
        )
        return float((phantom.volume.hu[away < 12] * spacing**3).sum())

    assert mineral(2.0) == pytest.approx(mineral(0.8), rel=0.03)


def test_noise_has_the_stated_size_and_the_seed_decides_it(quiet: Phantom) -> None:
    spec = {"levels": LEVELS, "spacing_mm": (1.5, 1.5, 1.5)}
    loud = make_phantom(PhantomSpec(**spec, noise_hu=25, seed=4711))
    again = make_phantom(PhantomSpec(**spec, noise_hu=25, seed=4711))
    other = make_phantom(PhantomSpec(**spec, noise_hu=25, seed=4713))
    muscle = quiet.volume.hu == 50
    assert loud.volume.hu[muscle].std() == pytest.approx(25, rel=0.03)
    assert np.array_equal(loud.volume.hu, again.volume.hu) and not np.array_equal(loud.volume.hu, other.volume.hu)


@pytest.mark.parametrize("tilt", [(20.0, 0.0, 0.0), (0.0, -15.0, 0.0), (10.0, 5.0, 20.0)])
def test_truth_turns_with_the_patient(tilt: tuple[float, float, float]) -> None:
    spec = PhantomSpec(levels=(Level.L1,), spacing_mm=(1.5, 1.5, 1.5), tilt_deg=tilt, noise_hu=0, field_mm=(120, 120))
    phantom = make_phantom(spec)
    truth = phantom.truth.levels[Level.L1]
    body = phantom.labels.grid.to_mm(np.argwhere(phantom.subregion == 50))
    assert np.abs(body.mean(axis=0) - truth.centroid_mm).max() < 0.3
    arch = phantom.labels.grid.to_mm(np.argwhere(phantom.subregion == 42)).mean(axis=0) - truth.centroid_mm
    assert arch @ truth.axes[1] < -30 and abs(arch @ truth.axes[0]) < 1.5


def test_oblique_grid_shows_the_same_patient() -> None:
    common = {"levels": (Level.L1,), "spacing_mm": (1.5, 1.5, 1.5), "noise_hu": 0, "field_mm": (120, 120)}
    straight = make_phantom(PhantomSpec(**common))
    oblique = make_phantom(PhantomSpec(**common, grid_tilt_deg=(8, -6, 12)))
    centres = [p.labels.grid.to_mm(np.argwhere(p.subregion == 50)).mean(axis=0) for p in (straight, oblique)]
    assert np.abs(centres[0] - centres[1]).max() < 0.3
    assert abs(oblique.labels.grid.affine[0, 1]) > 0.1


def test_rods_stand_outside_the_skin_at_their_density() -> None:
    rods = Rods(mineral="HA", mg_cm3=(0.0, 100.0, 200.0))
    spec = PhantomSpec(levels=(Level.L1,), spacing_mm=(2, 2, 2), noise_hu=0, rods=rods)
    phantom = make_phantom(spec)
    middle = phantom.volume.hu[:, :, phantom.volume.hu.shape[2] // 2]
    behind = middle[:, -19]
    assert (behind > -20).sum() > 3 * 5
    assert behind.max() == pytest.approx(200 * 0.827 / 0.67, abs=3)


def test_breach_opens_the_upper_endplate_beside_the_height_band() -> None:
    spec = PhantomSpec(levels=(Level.L1,), deformities={Level.L1: Deformity(shape="wedge", loss=0.3, breach=True)})
    whole = PhantomSpec(levels=(Level.L1,), deformities={Level.L1: Deformity(shape="wedge", loss=0.3)})
    tiny = {"spacing_mm": (2.0, 2.0, 2.0), "field_mm": (70.0, 70.0)}
    broken, intact = (
        make_phantom(PhantomSpec(levels=s.levels, deformities=s.deformities, **tiny)).truth.levels[Level.L1]
        for s in (spec, whole)
    )
    assert broken.anterior_mm == intact.anterior_mm and broken.middle_mm == intact.middle_mm
    assert broken.breach and broken.body_mm3 < intact.body_mm3 - 100

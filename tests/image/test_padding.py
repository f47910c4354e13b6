"""What lies outside the round field of a scanner is neither tissue nor air, whatever number is written there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from tests.support.small_spine import dicom_slices, save_nifti, save_series, series_header

from endplate.anatomy.locate import locate_vertebrae
from endplate.bone.calibration import calibrate
from endplate.bone.density import measure_density
from endplate.bone.settings import CalibrationSettings
from endplate.image.ct import read_ct
from endplate.image.padding import PADDING_HU, fill_padding
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.image.volume import Volume
from endplate.level import Level

TRUE_MG_CM3 = 95.0
PHANTOM = make_phantom(
    PhantomSpec(
        levels=(Level.L1, Level.L2, Level.L3), spacing_mm=(2.0, 2.0, 2.0), field_mm=(150.0, 150.0),
        core_mg_cm3=TRUE_MG_CM3,
    )
)  # fmt: skip
SPINE = locate_vertebrae(PHANTOM.labels, PHANTOM.volume)


def outside(radius_mm: float = 75.0, shape=PHANTOM.volume.hu.shape, off=(0.0, 0.0)) -> np.ndarray:
    i, j = np.mgrid[: shape[0], : shape[1]]
    radius = np.hypot(i - (shape[0] - 1) / 2 - off[0], j - (shape[1] - 1) / 2 - off[1]) * 2
    return np.broadcast_to((radius > radius_mm)[:, :, None], shape)


def padded(pad: float, **where) -> np.ndarray:
    hu = PHANTOM.volume.hu.astype(np.float32 if pad != int(pad) else np.int16).copy()
    hu[outside(**where)] = pad
    return hu


def hold_the_truth(volume: Volume) -> bool:
    """Near the truth by the image's own tissues; within its band by the published line, where no air is left."""
    line, _, _ = calibrate(volume, SPINE)
    assert line is not None
    near = 12.0 if line.route == "tissue" else 1.96 * line.sd_mg_cm3
    assert line.route in ("tissue", "published")
    return densities(volume) == pytest.approx([TRUE_MG_CM3] * 3, abs=near)


def densities(volume: Volume) -> list[float]:
    line, _, gaps = calibrate(volume, SPINE)
    assert not gaps
    return [measure_density(vertebra, volume, line).density_mg_cm3 for vertebra in SPINE.vertebrae]


@pytest.mark.parametrize("pad", [-3024, -2000, -2048, -1025, -32768, -9999.5, 32767, 4095])
def test_a_round_field_moves_no_density_whatever_its_padding(tmp_path, pad):
    ct = read_ct(save_nifti(tmp_path / "ct.nii.gz", padded(pad), PHANTOM.volume.grid))
    assert (ct.hu[outside()] == PADDING_HU).all()
    assert f"padding of {pad:g} HU" in ct.series.notes[0]
    assert densities(ct) == pytest.approx(densities(PHANTOM.volume), abs=4)
    assert densities(ct) == pytest.approx([TRUE_MG_CM3] * 3, abs=12)


@pytest.mark.parametrize("where", [{"radius_mm": 60.0}, {"radius_mm": 95.0}, {"radius_mm": 80.0, "off": (9.0, -6.0)}])
def test_nor_does_another_field(tmp_path, where):
    """A field so small that no air is left takes the published line, and its wider band."""
    ct = read_ct(save_nifti(tmp_path / "ct.nii.gz", padded(-3024, **where), PHANTOM.volume.grid))
    assert hold_the_truth(ct)


def test_nor_does_a_rim_that_interpolation_left(tmp_path):
    soft = ndimage.gaussian_filter(padded(-3024).astype(np.float32), 0.6)
    ct = read_ct(save_nifti(tmp_path / "ct.nii.gz", soft, PHANTOM.volume.grid))
    assert ct.hu.min() >= PADDING_HU - 0.5
    assert hold_the_truth(ct)


def test_nor_in_a_dicom_series_that_does_not_declare_it(tmp_path):
    slices = dicom_slices(PHANTOM.volume, series_header())
    for ds in slices:
        raw = np.frombuffer(ds.PixelData, np.uint16).reshape(ds.Rows, ds.Columns).astype(np.int16)
        raw[outside()[:, :, 0].T] = -2000
        ds.PixelRepresentation, ds.PixelData = 1, raw.tobytes()
    ct = read_ct(save_series(tmp_path / "ct", slices))
    assert (ct.hu[outside()] == PADDING_HU).all()
    assert "padding of -3024 HU" in ct.series.notes[-1]


@pytest.mark.parametrize("pad", [-3024, -2000])
def test_a_volume_made_in_memory_is_no_exception(pad):
    """No reader has touched it: the air that the tissue route finds is not the padding."""
    volume = Volume(grid=PHANTOM.volume.grid, hu=padded(pad))
    assert hold_the_truth(volume)


def test_noise_below_the_scale_and_metal_above_it_are_left_alone():
    rng = np.random.default_rng(4711)
    hu = PHANTOM.volume.hu.astype(np.int16).copy()
    hu[hu < -900] = rng.normal(-1010, 25, np.count_nonzero(hu < -900))
    hu[30:36, 30:36, 20:40] = 3095
    before = hu.copy()
    assert fill_padding(hu) == ()
    assert np.array_equal(hu, before)


def test_an_impossible_line_is_not_used_but_falls_back_and_says_so():
    """Air ten times too dense: the tissue line would be far too flat."""
    hu = PHANTOM.volume.hu.astype(np.float32)
    volume = Volume(grid=PHANTOM.volume.grid, hu=np.where((hu > -200) & (hu < 80), hu * 0.5, hu).astype(np.float32))
    line, cautions, _ = calibrate(volume, SPINE)
    assert line is not None
    assert line.route == "published"
    assert any("tissue: " in caution.text for caution in cautions)
    alone, _, gaps = calibrate(volume, SPINE, CalibrationSettings(route="tissue"))
    assert alone is None
    assert gaps[0].code == "density_calibration"

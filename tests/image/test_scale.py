"""A CT off the Hounsfield scale is refused by name; fat, contrast medium, metal, padding and tight crops are not."""

import nibabel as nib
import numpy as np
import pytest

from endplate.errors import ImageError
from endplate.image.hounsfield import check_hounsfield
from endplate.image.volume import Grid

GRID = Grid(shape=(2, 2, 2), affine=np.eye(4))


@pytest.fixture(scope="module", params=["verse014/sub-verse014_ct.nii.gz", "tptbox-l3/sub-ct_label-22_ct.nii.gz"])
def hu(request, shared_data):
    return np.asarray(nib.load(shared_data / request.param).dataobj).astype(np.int32)


@pytest.mark.parametrize("shift", [1024, 1000, 300, -300, -1024])
def test_a_shifted_scale_is_refused(hu, shift):
    with pytest.raises(ImageError, match="not in Hounsfield units"):
        check_hounsfield(hu + shift, GRID, "scan")


def test_the_lost_intercept_is_named_under_padding(hu):
    with pytest.raises(ImageError, match="intercept"):
        check_hounsfield(np.pad(hu + 1000, 4, constant_values=-1024), GRID, "scan")


def test_ten_times_the_scale_is_refused(hu):
    with pytest.raises(ImageError, match=r"shifted by about|below"):
        check_hounsfield(hu * 10, GRID, "scan")


def test_half_the_scale_is_refused_where_air_is_in_view(shared_data):
    hu = np.asarray(nib.load(shared_data / "verse014/sub-verse014_ct.nii.gz").dataobj)
    with pytest.raises(ImageError, match="air lies near"):
        check_hounsfield(hu / 2, GRID, "scan")


def test_a_window_is_refused(hu):
    with pytest.raises(ImageError, match="cut to a window"):
        check_hounsfield(np.clip(hu, -160, 240), GRID, "scan")


def test_mri_with_ct_padding_is_refused(hu):
    values = np.clip(hu + 200, 0, 600)
    values[:2] = -1024
    with pytest.raises(ImageError, match="darker than water"):
        check_hounsfield(values, GRID, "scan")


def test_true_scans_are_accepted_whatever_is_in_them(hu):
    inner = tuple(slice(n // 4, n - n // 4) for n in hu.shape)
    metal = hu.copy()
    metal[inner[0].start : inner[0].start + 6, inner[1], inner[2]] = 3071
    fat = np.where((hu > -20) & (hu < 100), hu - 110, hu)
    contrast = np.where((hu > 20) & (hu < 90), hu + 120, hu)
    padded = [np.pad(hu, 12, constant_values=value) for value in (-1024, -3024)]
    for values in (hu, metal, fat, contrast, hu[inner], *padded):
        check_hounsfield(np.ascontiguousarray(values), GRID, "scan")

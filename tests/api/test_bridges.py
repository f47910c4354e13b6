"""To and from nibabel and SimpleITK: every voxel stays in the same millimetre of the patient, on the same side."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from endplate.errors import ImageError, OptionError
from endplate.image.volume import Grid, Volume

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
RNG = np.random.default_rng(4711)


def oblique() -> np.ndarray:
    """An affine in LPS mm: turned, uneven voxels, off the origin."""
    from scipy.spatial.transform import Rotation

    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", (8, -5, 12), degrees=True).as_matrix() * np.array([0.7, 0.9, 2.5])
    affine[:3, 3] = (-31.0, 17.5, 240.0)
    return affine


def volume() -> Volume:
    """Every voxel has a value of its own."""
    shape = (5, 6, 7)
    return Volume(grid=Grid(shape=shape, affine=oblique()), hu=RNG.permutation(210).reshape(shape).astype(np.int16))


def place_of(values: np.ndarray, affine: np.ndarray, wanted: int) -> np.ndarray:
    return (affine @ [*np.argwhere(values == wanted)[0], 1.0])[:3]


def test_a_voxel_has_one_place_in_all_three() -> None:
    ct = volume()
    image, other = ct.to_nibabel(), ct.to_sitk()
    for wanted in (0, 57, 209):
        here = place_of(ct.hu, ct.grid.affine, wanted)
        in_ras = place_of(np.asarray(image.dataobj), image.affine, wanted)
        index = np.argwhere(wanted == sitk.GetArrayFromImage(other).T)[0]
        np.testing.assert_allclose(in_ras * [-1, -1, 1], here, atol=1e-4)
        np.testing.assert_allclose(other.TransformIndexToPhysicalPoint([int(n) for n in index]), here, atol=1e-4)
    assert image.header.get_xyzt_units()[0] == "mm" and nibabel.aff2axcodes(image.affine) == ("L", "P", "S")


@pytest.mark.parametrize("way", ["nibabel", "sitk"])
def test_there_and_back_is_the_same_volume(way: str) -> None:
    ct = volume()
    back = Volume.from_nibabel(ct.to_nibabel()) if way == "nibabel" else Volume.from_sitk(ct.to_sitk())
    np.testing.assert_array_equal(back.hu, ct.hu)
    assert back.hu.dtype == ct.hu.dtype and not back.hu.flags.writeable
    np.testing.assert_allclose(back.grid.affine, ct.grid.affine, atol=1e-4)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
def test_any_orientation_comes_to_the_same_places(order: tuple[int, ...], flips: tuple[int, ...]) -> None:
    ct = volume()
    values = ct.hu.transpose(order)[tuple(slice(None, None, step) for step in flips)]
    affine = np.eye(4)
    affine[:3, :3] = ct.grid.affine[:3, list(order)] * flips
    start = [0 if step > 0 else n - 1 for step, n in zip(flips, values.shape, strict=True)]
    index = np.zeros(3)
    index[list(order)] = start
    affine[:3, 3] = ct.grid.to_mm(index)
    for found in (
        Volume.from_array(values, affine, "LPS"),
        Volume.from_array(values, FLIP @ affine, "RAS"),
        Volume.from_nibabel(nibabel.Nifti1Image(values, FLIP @ affine)),
    ):
        np.testing.assert_array_equal(found.hu, ct.hu)
        np.testing.assert_allclose(found.grid.affine, ct.grid.affine, atol=1e-4)


def test_left_stays_left() -> None:
    hu = np.zeros((4, 5, 6), np.int16)
    hu[0] = 500  # the first plane of a RAS image is the patient's left only if x falls along it
    right_first = Volume.from_array(hu, np.eye(4), "RAS")
    assert right_first.hu[-1].min() == 500, "x = 0 is the leftmost plane of an identity in RAS, and i runs to the left"
    assert Volume.from_array(hu, np.eye(4), "LPS").hu[0].min() == 500


def test_units_of_a_header_count() -> None:
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.int16), np.diag([1000.0, 1000, 1000, 1]))
    image.header.set_xyzt_units("micron")
    np.testing.assert_allclose(Volume.from_nibabel(image).grid.spacing_mm, 1.0)


def test_doubles_become_singles_and_wide_whole_numbers_too() -> None:
    assert Volume.from_array(np.ones((3, 4, 5)), np.eye(4), "LPS").hu.dtype == np.float32
    assert Volume.from_array(np.full((3, 4, 5), 40000), np.eye(4), "LPS").hu.dtype == np.float32
    assert Volume.from_array(np.full((3, 4, 5), 400), np.eye(4), "LPS").hu.dtype == np.int16


SHEARED = np.array([[1.0, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (
            lambda: Volume.from_array(np.zeros((3, 4)), np.eye(4), "LPS"),
            r"three-dimensional volume is needed; give \(I, J, K\)",
        ),
        (lambda: Volume.from_array(np.zeros((3, 4, 5), complex), np.eye(4), "LPS"), "whole or decimal"),
        (lambda: Volume.from_array(np.zeros((3, 4, 5)), np.eye(3), "LPS"), "give 4 x 4"),
        (lambda: Volume.from_array(np.zeros((3, 4, 5)), np.full((4, 4), np.nan), "LPS"), "give 4 x 4"),
        (lambda: Volume.from_array(np.zeros((3, 4, 5)), np.diag([1.0, 1, 0, 1]), "LPS"), "no spine CT has such"),
        (lambda: Volume.from_array(np.zeros((3, 4, 5)), np.diag([1.0, 1, 900, 1]), "LPS"), "no spine CT has such"),
        (lambda: Volume.from_sitk(sitk.Image([4, 4], sitk.sitkInt16)), "one three-dimensional volume"),
        (lambda: Volume.from_sitk(sitk.Image([4, 4, 4], sitk.sitkVectorFloat32, 3)), "one three-dimensional volume"),
        (lambda: Volume.from_array(np.zeros((3, 4, 5)), SHEARED, "LPS").to_sitk(), "right angles"),
    ],
)
def test_what_is_no_volume_is_refused(make, why: str) -> None:
    with pytest.raises(ImageError, match=why):
        make()


@pytest.mark.parametrize("frame", [None, "ras", "LAS", 3])
def test_an_affine_without_its_frame_is_refused(frame) -> None:
    with pytest.raises(OptionError, match="exchanges left and right"):
        Volume.from_array(np.zeros((3, 4, 5)), np.eye(4), frame)

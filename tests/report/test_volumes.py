"""Every volume that leaves lies on the grid of the scan, in its axis order, says what it is, and is listed."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from tests.support.synthetic_case import synthetic_case
from tests.support.synthetic_rehearsal import rehearsed_case

from endplate.case import Case
from endplate.image.labels import read_labels
from endplate.image.nifti import Meaning, read_nifti, write_box
from endplate.image.orient import LPS_AXES, StoredAxes, stored_axes
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.report.volume_folder import README, on_grid
from endplate.report.volumes import write_volumes

ORDERS = [StoredAxes(), StoredAxes(order=(1, 2, 0), flips=(True, False, True)), StoredAxes(order=(2, 0, 1))]
RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def turned(case: Case, axes: StoredAxes) -> Case:
    assert case.volume is not None
    return replace(case, volume=replace(case.volume, axes=axes))


@pytest.fixture(scope="module")
def case() -> Case:
    return rehearsed_case()


@pytest.mark.parametrize("axes", ORDERS)
def test_each_volume_has_shape_affine_and_axes_of_the_ct(case: Case, axes: StoredAxes, tmp_path: Path) -> None:
    here = turned(case, axes)
    shape = axes.stored_shape(here.volume.grid.shape)
    affine = RAS @ axes.stored_affine(here.volume.grid.shape, here.volume.grid.affine)
    volumes = [path for path in write_volumes(here, tmp_path) if path.name.endswith(".nii.gz")]
    assert len(volumes) > 15
    for path in volumes:
        image = nib.load(path)
        assert image.shape == shape, path.name
        assert np.allclose(image.affine, affine, atol=1e-4), path.name
        assert nib.aff2axcodes(image.affine) == nib.aff2axcodes(affine)
        assert image.header.get_xyzt_units()[0] == "mm"
        assert bytes(image.header["descrip"]).strip(b"\0") and bytes(image.header["intent_name"]).strip(b"\0")
        assert np.asarray(image.dataobj).any(), path.name


@pytest.mark.parametrize("axes", ORDERS[1:2])
def test_a_voxel_keeps_its_place_whatever_the_axis_order(case: Case, axes: StoredAxes, tmp_path: Path) -> None:
    plain, other = tmp_path / "plain", tmp_path / "turned"
    plain.mkdir()
    other.mkdir()
    write_volumes(turned(case, LPS_AXES), plain)
    write_volumes(turned(case, axes), other)
    for path in plain.glob("*.nii.gz"):
        one, two = nib.load(path), nib.load(other / path.name)
        again = nib.as_closest_canonical(two).get_fdata()
        assert np.array_equal(nib.as_closest_canonical(one).get_fdata(), again), path.name


def test_a_mask_is_where_the_vertebra_is(case: Case, tmp_path: Path) -> None:
    write_volumes(turned(case, ORDERS[1]), tmp_path)
    vertebra = next(item for item in case.spine.vertebrae if item.level is Level.L1)
    image = nib.load(tmp_path / "L1_body.nii.gz")
    found = nib.affines.apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj) > 0)) * (-1, -1, 1)
    meant = vertebra.grid.to_mm(np.argwhere(vertebra.body))
    assert len(found) == len(meant)
    assert np.allclose(found.min(axis=0), meant.min(axis=0), atol=1e-3)
    assert np.allclose(found.max(axis=0), meant.max(axis=0), atol=1e-3)


def test_a_file_that_was_read_is_written_back_with_its_own_affine(tmp_path: Path) -> None:
    phantom = synthetic_case()
    axes = ORDERS[1]
    grid = phantom.volume.grid
    affine = RAS @ axes.stored_affine(grid.shape, grid.affine)
    nib.save(nib.Nifti1Image(np.array(axes.as_stored(phantom.volume.hu)), affine), tmp_path / "ct.nii.gz")
    nib.save(nib.Nifti1Image(np.array(axes.as_stored(phantom.labels.labels)), affine), tmp_path / "labels.nii.gz")
    ct, labels = read_nifti(tmp_path / "ct.nii.gz"), read_labels(tmp_path / "labels.nii.gz", "verse")
    assert ct.axes == labels.axes == stored_axes(RAS @ affine)
    (tmp_path / "out").mkdir()
    write_volumes(replace(phantom, volume=None, labels=labels), tmp_path / "out")
    given = nib.load(tmp_path / "labels.nii.gz")
    for name in ("labels.nii.gz", "L1_body.nii.gz"):
        back = nib.load(tmp_path / "out" / name)
        assert back.shape == given.shape and np.array_equal(back.affine, given.affine)
    assert np.array_equal(np.asarray(nib.load(tmp_path / "out/labels.nii.gz").dataobj), np.asarray(given.dataobj))


def test_crops_keep_the_voxels_of_the_ct_and_are_smaller(case: Case, tmp_path: Path) -> None:
    here = turned(case, ORDERS[1])
    (tmp_path / "whole").mkdir()
    (tmp_path / "crop").mkdir()
    write_volumes(here, tmp_path / "whole")
    write_volumes(here, tmp_path / "crop", crop=True)
    whole, crop = (nib.load(tmp_path / name / "L1_body.nii.gz") for name in ("whole", "crop"))
    assert np.prod(crop.shape) < np.prod(whole.shape)
    offset = np.linalg.inv(whole.affine) @ crop.affine
    assert np.allclose(offset[:3, :3], np.eye(3), atol=1e-6)
    start = np.rint(offset[:3, 3]).astype(int)
    box = tuple(slice(a, a + n) for a, n in zip(start, crop.shape, strict=True))
    assert np.array_equal(np.asarray(whole.dataobj)[box], np.asarray(crop.dataobj))
    assert np.asarray(whole.dataobj).sum() == np.asarray(crop.dataobj).sum()
    assert "cut to the box" in (tmp_path / "crop" / README).read_text()


def test_the_list_names_every_file_with_unit_and_frame(case: Case, tmp_path: Path) -> None:
    paths = write_volumes(turned(case, ORDERS[1]), tmp_path)
    assert {path.name for path in paths} == {path.name for path in tmp_path.iterdir()}
    text = (tmp_path / README).read_text()
    for path in paths:
        assert path.name == README or f"\n{path.name} " in text
    assert "per cent of the pores" in text and "frame: RAS" in text and "frame: LPS" in text
    assert f"axis codes {''.join(nib.aff2axcodes(nib.load(tmp_path / 'labels.nii.gz').affine))}" in text


def test_the_cement_says_its_unit_in_the_header(case: Case, tmp_path: Path) -> None:
    write_volumes(case, tmp_path)
    header = nib.load(tmp_path / "L1_vertebroplasty_cement.nii.gz").header
    assert bytes(header["descrip"]).startswith(b"cement, per cent of the pores")
    assert header.get_intent()[2] == "% of pores"
    assert header.get_data_dtype() == np.uint8


def test_stl_is_lps_and_gifti_ras_and_both_hold_the_cement(case: Case, tmp_path: Path) -> None:
    """Slicer and ITK read the STL in LPS, as the header says; NIfTI viewers the GIFTI in RAS, as its system says."""
    write_volumes(turned(case, ORDERS[1]), tmp_path)
    image = sitk.ReadImage(str(tmp_path / "L1_vertebroplasty_cement.nii.gz"))
    inside = np.argwhere(sitk.GetArrayFromImage(image).T >= 50)
    lps = np.array([image.TransformIndexToPhysicalPoint([int(n) for n in index]) for index in inside])
    stl = (tmp_path / "L1_vertebroplasty_cement_LPS.stl").read_bytes()
    assert b"SPACE=LPS" in stl[:80]
    record = np.dtype([("normal", "<f4", 3), ("corner", "<f4", (3, 3)), ("spare", "<u2")])
    corners = np.frombuffer(stl[84:], record)["corner"].reshape(-1, 3)
    half = case.volume.grid.spacing_mm / 2
    assert np.abs(corners.min(axis=0) - (lps.min(axis=0) - half)).max() < 1.0
    assert np.abs(corners.max(axis=0) - (lps.max(axis=0) + half)).max() < 1.0
    surface = nib.load(tmp_path / "L1_vertebroplasty_cement_RAS.gii")
    points, triangles = surface.agg_data()
    assert surface.darrays[0].coordsys.dataspace == nib.nifti1.xform_codes["scanner"]
    assert np.allclose(np.sort(np.unique((points * (-1, -1, 1)).round(3), axis=0)),
                       np.sort(np.unique(corners.round(3), axis=0)), atol=2e-3)  # fmt: skip
    edge = points[triangles]
    assert np.einsum("ij,ij->i", edge[:, 0], np.cross(edge[:, 1], edge[:, 2])).sum() > 0


def test_slicers_markups_end_inside_the_body_in_lps(case: Case, tmp_path: Path) -> None:
    """The target of each needle path, read as Slicer does, lies in the body of the mask, on the side that it names."""
    write_volumes(turned(case, ORDERS[1]), tmp_path)
    body = sitk.ReadImage(str(tmp_path / "L1_body.nii.gz"))
    document = json.loads((tmp_path / "L1_vertebroplasty_path.mrk.json").read_text())
    centre = next(item for item in case.spine.vertebrae if item.level is Level.L1)
    lines = [markup for markup in document["markups"] if markup["type"] == "Line"]
    assert len(lines) == 2
    for line in lines:
        assert line["coordinateSystem"] == "LPS"
        target = line["controlPoints"][1]["position"]
        assert body[body.TransformPhysicalPointToIndex(target)] == 1
        to_left = target[0] - centre.centroid_mm[0]
        assert to_left > 0 if " left " in line["name"] else to_left < 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_a_sparse_file_reads_back_in_every_reader(tmp_path: Path, dtype: type) -> None:
    """Planes of zeros that are not compressed anew give a gzip file like any other."""
    grid = Grid(shape=(300, 200, 120), affine=np.diag([0.5, 0.5, 1.0, 1.0]))
    box = np.random.default_rng(1).integers(0, 90, (40, 30, 20)).astype(dtype)
    box[:, :, 7] = 0
    meaning = Meaning(what="test", unit="per cent of the pores", name="% of pores")
    path = tmp_path / "sparse.nii.gz"
    write_box(path, grid, box, (100, 50, 60), ORDERS[1], meaning)
    whole = np.zeros(grid.shape, dtype)
    whole[100:140, 50:80, 60:80] = box
    stored = ORDERS[1].as_stored(whole)
    assert np.array_equal(np.asarray(nib.load(path).dataobj), stored)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))).T, stored)
    raw = gzip.decompress(path.read_bytes())
    assert len(raw) == 352 + stored.nbytes
    write_box(tmp_path / "plain.nii", grid, box, (100, 50, 60), ORDERS[1], meaning)
    assert (tmp_path / "plain.nii").read_bytes() == raw


def test_a_box_past_the_grid_is_refused(tmp_path: Path) -> None:
    grid = Grid(shape=(10, 10, 10), affine=np.eye(4))
    with pytest.raises(ValueError, match="reaches past"):
        write_box(tmp_path / "x.nii.gz", grid, np.ones((4, 4, 4), np.uint8), (8, 0, 0))


def test_elements_are_sampled_at_voxel_centres_and_amounts_between() -> None:
    source = Grid(shape=(4, 4, 4), affine=np.diag([2.0, 2.0, 2.0, 1.0]))
    values = np.arange(64, dtype=np.float32).reshape(4, 4, 4)
    fine = Grid(shape=(8, 8, 8), affine=np.diag([1.0, 1.0, 1.0, 1.0]))
    box, start = on_grid(values, source, fine, order=0)
    assert set(np.unique(box)) <= set(values.ravel())
    near = tuple(np.array([4, 4, 4]) - start)
    assert box[near] == values[2, 2, 2]
    smooth, start = on_grid(values, source, fine, order=1)
    assert smooth[tuple(np.array([3, 4, 4]) - start)] == pytest.approx((values[1, 2, 2] + values[2, 2, 2]) / 2)

"""DICOM SEG objects become labels on the CT they were made from."""

from __future__ import annotations

import sys

import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from tests.support.small_spine import dicom_slices, grid, save_series, spine

from endplate.errors import LabelError
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.resample import match_grids

hd = pytest.importorskip("highdicom", reason="highdicom (extra `dicom`) reads DICOM SEG")
ON = grid(shape=(36, 44, 66))
VOLUME, LABELS = spine(ON)
CODED = {20: codes.SCT.L1Vertebra, 21: codes.SCT.L2Vertebra, 22: codes.SCT.L3Vertebra}
NAMED = {23: "vertebrae_L4", 24: "L5"}


def segment(number, label):
    bone = codes.SCT.Bone
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=NAMED.get(label, f"part {number}"),
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=CODED.get(label, bone),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def save_seg(path, images, present, kind="BINARY"):
    """A SEG of the labels in the order given; label 0 makes a segment that is no vertebra."""
    ordered = sorted(images, key=lambda ds: ds.ImagePositionPatient[2])
    masks = np.stack([(LABELS.labels == label).transpose(2, 1, 0) & (label > 0) for label in present], axis=-1)
    if kind == "LABELMAP":
        pixels = np.zeros(masks.shape[:3], np.uint8)
        for index in range(len(present)):
            pixels[masks[..., index]] = index + 1
    else:
        pixels = masks.astype(np.uint8)
    seg = hd.seg.Segmentation(
        source_images=ordered, pixel_array=pixels, segmentation_type=kind,
        segment_descriptions=[segment(n, label) for n, label in enumerate(present, start=1)],
        series_instance_uid=hd.UID(), series_number=9, sop_instance_uid=hd.UID(), instance_number=1,
        manufacturer="endplate", manufacturer_model_name="test", software_versions="1", device_serial_number="1",
        omit_empty_frames=False,
    )  # fmt: skip
    seg.save_as(path)
    return path


@pytest.fixture(scope="module")
def images():
    slices = dicom_slices(VOLUME)
    for ds in slices:
        ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "Doe^Jo", "", ""
        ds.StudyDate = ds.StudyTime = ds.AccessionNumber = ds.StudyID = ds.ReferringPhysicianName = ""
    return slices


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_a_seg_lands_on_the_ct_it_was_made_from(tmp_path, images, kind):
    ct = read_ct(save_series(tmp_path / "ct", images))
    labels = read_labels(save_seg(tmp_path / "seg.dcm", images, [24, 22, 20, 21, 23], kind))
    assert labels.scheme == "DICOM SEG"
    assert labels.series.modality == "SEG"
    matched = match_grids(ct, labels)
    assert np.array_equal(matched.labels, LABELS.labels)


def test_segments_that_are_no_vertebra_are_left_out_and_said(tmp_path, images):
    labels = read_labels(save_seg(tmp_path / "seg.dcm", images, [20, 0, 21]))
    assert np.unique(labels.labels).tolist() == [0, 20, 21]
    assert "1 segments of other structures" in labels.notes[0]


def test_a_folder_with_one_seg_is_read(tmp_path, images):
    (tmp_path / "seg").mkdir()
    save_seg(tmp_path / "seg" / "one.dcm", images, [20, 21])
    assert np.unique(read_labels(tmp_path / "seg").labels).tolist() == [0, 20, 21]


@pytest.mark.parametrize(("present", "words"), [([0], "no segment named after"), ([20, 20], "two segments are L1")])
def test_a_seg_that_names_no_vertebra_or_one_twice_is_refused(tmp_path, images, present, words):
    with pytest.raises(LabelError, match=words):
        read_labels(save_seg(tmp_path / "seg.dcm", images, present))


def test_a_ct_image_given_as_labels_is_refused(tmp_path, images):
    pydicom.dcmwrite(tmp_path / "ct.dcm", images[0])
    with pytest.raises(LabelError, match="DICOM SEG"):
        read_labels(tmp_path / "ct.dcm")


def test_without_highdicom_it_says_what_to_install(tmp_path, images, monkeypatch):
    path = save_seg(tmp_path / "seg.dcm", images, [20, 21])
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(LabelError, match=r"pip install 'endplate\[dicom\]'"):
        read_labels(path)


def save_overlapping(path, images, grown):
    """L1 and L2, where L2 also claims the lowest `grown` slices of L1."""
    ordered = sorted(images, key=lambda ds: ds.ImagePositionPatient[2])
    masks = np.stack([(LABELS.labels == label).transpose(2, 1, 0) for label in (20, 21)], axis=-1)
    lowest = np.flatnonzero(masks[..., 0].any(axis=(1, 2)))[:grown]
    masks[lowest, ..., 1] |= masks[lowest, ..., 0]
    seg = hd.seg.Segmentation(
        source_images=ordered, pixel_array=masks.astype(np.uint8), segmentation_type="BINARY",
        segment_descriptions=[segment(n, label) for n, label in enumerate((20, 21), start=1)],
        series_instance_uid=hd.UID(), series_number=9, sop_instance_uid=hd.UID(), instance_number=1,
        manufacturer="endplate", manufacturer_model_name="test", software_versions="1", device_serial_number="1",
    )  # fmt: skip
    seg.save_as(path)
    return path, int(masks[lowest, ..., 0].sum())


def test_segments_that_share_a_rim_are_read_and_the_shared_voxels_said(tmp_path, images):
    path, shared = save_overlapping(tmp_path / "seg.dcm", images, 1)
    labels = read_labels(path)
    kept = np.where(LABELS.labels < 22, LABELS.labels, 0)
    assert [np.count_nonzero(labels.labels == n) for n in (20, 21)] == [np.count_nonzero(kept == n) for n in (20, 21)]
    assert f"{shared} voxels of L2 were also claimed" in labels.notes[0]


def test_segments_that_share_more_are_refused_with_the_share(tmp_path, images):
    path, shared = save_overlapping(tmp_path / "seg.dcm", images, 6)
    with pytest.raises(LabelError, match=f"segment L2 of seg.dcm covers {shared} voxels of another vertebra"):
        read_labels(path)


def test_a_ct_and_its_seg_in_one_folder(tmp_path, images):
    folder = save_series(tmp_path / "both", images)
    save_seg(folder / "seg.dcm", images, [20, 21, 22])
    labels = read_labels(folder)
    assert np.unique(labels.labels).tolist() == [0, 20, 21, 22]
    assert read_ct(folder).hu.shape == VOLUME.hu.shape
    save_seg(folder / "second.dcm", images, [20, 21])
    with pytest.raises(LabelError, match="2 DICOM SEG objects among 68 DICOM files"):
        read_labels(folder)


@pytest.mark.parametrize("missing", ["SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"])
def test_a_missing_uid_is_no_reason_to_fail(tmp_path, images, missing):
    path = save_seg(tmp_path / "seg.dcm", images, [20, 21])
    ds = pydicom.dcmread(path)
    delattr(ds, missing)
    pydicom.dcmwrite(path, ds)
    try:
        assert np.unique(read_labels(path).labels).tolist() == [0, 20, 21]
    except LabelError as error:  # highdicom needs a frame of reference
        assert "cannot be read as DICOM SEG" in str(error)


@pytest.mark.parametrize("value", [7, 255])
def test_a_pixel_value_without_a_segment_is_refused(tmp_path, images, value):
    path = save_seg(tmp_path / "seg.dcm", images, [20, 21], "LABELMAP")
    ds = pydicom.dcmread(path)
    pixels = bytearray(ds.PixelData)
    pixels[len(pixels) // 2] = value
    ds.PixelData = bytes(pixels)
    pydicom.dcmwrite(path, ds)
    with pytest.raises(LabelError, match="cannot be read as DICOM SEG"):
        read_labels(path)


def test_a_damaged_seg_is_refused(tmp_path, images):
    path = save_seg(tmp_path / "seg.dcm", images, [20, 21])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(LabelError, match="cannot be read"):
        read_labels(path)

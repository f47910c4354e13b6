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


def test_a_damaged_seg_is_refused(tmp_path, images):
    path = save_seg(tmp_path / "seg.dcm", images, [20, 21])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(LabelError, match="cannot be read"):
        read_labels(path)

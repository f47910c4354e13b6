"""DICOM series: what is read, what is left out, and what is refused by name."""

from __future__ import annotations

import copy

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    MRImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)
from tests.support.small_spine import LEFT_MARK_HU, ct_dataset, dicom_slices, grid, save_series, series_header, spine

from endplate.errors import ImageError
from endplate.image.ct import read_ct
from endplate.image.gantry_tilt import skew
from endplate.image.volume import Grid, Volume

ON = grid(shape=(36, 44, 30))
VOLUME, LABELS = spine(ON)
VOLUME = Volume(grid=ON, hu=VOLUME.hu.clip(-1024, None))


def refused(path, *words):
    with pytest.raises(ImageError) as caught:
        read_ct(path)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word.lower() in message.lower() for word in words), message
    assert caught.value.exit_code == 2


def same(ct):
    return np.array_equal(ct.hu, VOLUME.hu) and ct.grid.matches(ON, 1e-3)


def test_a_series_reads_as_the_volume_it_was(tmp_path):
    ct = read_ct(save_series(tmp_path / "ct", dicom_slices(VOLUME)))
    assert same(ct)
    assert ct.hu.dtype == np.int16
    assert ct.hu.flags.c_contiguous


def test_what_density_needs_is_kept(tmp_path):
    series = series_header(ContrastBolusAgent="Iomeron")
    found = read_ct(save_series(tmp_path / "ct", dicom_slices(VOLUME, series))).series
    assert (found.kvp, found.kernel, found.contrast, found.slice_thickness_mm) == (120.0, "B60s", True, 2.5)
    assert (found.manufacturer, found.patient_id, found.modality) == ("SIEMENS Sensation", "P-4711", "CT")
    assert found.series_uid == series.SeriesInstanceUID
    assert found.frame_of_reference_uid == series.FrameOfReferenceUID
    assert len(set(found.sop_uids)) == ON.shape[2]


def test_what_the_header_does_not_say_is_unknown(tmp_path):
    series = series_header()
    for key in ("KVP", "ConvolutionKernel", "Manufacturer", "ManufacturerModelName", "SliceThickness"):
        delattr(series, key)
    found = read_ct(save_series(tmp_path / "ct", dicom_slices(VOLUME, series))).series
    assert (found.kvp, found.kernel, found.manufacturer, found.slice_thickness_mm, found.contrast) == (None,) * 5


def test_a_file_of_the_series_stands_for_the_series(tmp_path):
    folder = save_series(tmp_path / "ct", dicom_slices(VOLUME))
    save_series(folder, dicom_slices(VOLUME), prefix="other")
    assert same(read_ct(sorted(folder.glob("image*"))[3]))


def test_reversed_and_sagittal_storage_keep_left_left(tmp_path):
    """Sagittal images from right to left, rows running down the spine: another order, the same patient."""
    series, slices = series_header(), []
    for i in range(ON.shape[0]):
        raw = (VOLUME.hu[i, :, ::-1].T.astype(np.int32) + 1024).astype(np.uint16)
        ds = ct_dataset(ON.shape[0] - i, np.ascontiguousarray(raw), series)
        ds.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        ds.ImagePositionPatient = list(ON.to_mm([i, 0, ON.shape[2] - 1]))
        ds.PixelSpacing = [ON.spacing_mm[2], ON.spacing_mm[1]]
        slices.append(ds)
    ct = read_ct(save_series(tmp_path / "ct", slices[::-1]))
    assert same(ct)
    assert np.array_equal(np.argwhere(ct.hu == LEFT_MARK_HU), np.argwhere(VOLUME.hu == LEFT_MARK_HU))


def test_pixels_that_are_not_square_keep_their_two_sizes(tmp_path):
    on = grid(spacing=(1.5, 2.5, 3.0), shape=(44, 34, 30))
    volume, _ = spine(on)
    ct = read_ct(save_series(tmp_path / "ct", dicom_slices(volume)))
    assert np.allclose(ct.grid.spacing_mm, (1.5, 2.5, 3.0))


def test_each_slice_has_its_own_rescale(tmp_path):
    slices = dicom_slices(VOLUME)
    for k, ds in enumerate(slices):
        ds.RescaleIntercept = -1024 - k
        ds.PixelData = (np.frombuffer(ds.PixelData, np.uint16) + k).astype(np.uint16).tobytes()
    assert same(read_ct(save_series(tmp_path / "ct", slices)))


def test_a_fractional_rescale_gives_real_numbers(tmp_path):
    slices = dicom_slices(VOLUME)
    for ds in slices:
        ds.RescaleSlope = "0.5"
        ds.PixelData = (np.frombuffer(ds.PixelData, np.uint16) * 2).astype(np.uint16).tobytes()
    ct = read_ct(save_series(tmp_path / "ct", slices))
    assert ct.hu.dtype == np.float32
    assert np.allclose(ct.hu, VOLUME.hu)


def test_signed_pixels_with_padding(tmp_path):
    slices = dicom_slices(VOLUME)
    for ds in slices:
        raw = np.frombuffer(ds.PixelData, np.uint16).astype(np.int16)
        raw[:7] = -2000
        ds.PixelRepresentation, ds.PixelData = 1, raw.tobytes()
        ds.add_new("PixelPaddingValue", "US", 2**16 - 2000)  # often written in the wrong representation
    ct = read_ct(save_series(tmp_path / "ct", slices))
    assert ct.hu.min() >= -1024
    assert f"{7 * ON.shape[2]} padding voxels" in ct.series.notes[0]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_compressed_images_are_read(tmp_path, syntax):
    slices = dicom_slices(VOLUME)
    for ds in slices:
        # 12 stored bits, as scanners write them.
        ds.BitsStored, ds.HighBit = 12, 11
        ds.compress(syntax, generate_instance_uid=False)
    assert same(read_ct(save_series(tmp_path / "ct", slices)))


def test_jpeg_lossless_images_are_read(tmp_path):
    gdcm = pytest.importorskip("gdcm", reason="python-gdcm (extra `dicom`) decodes JPEG lossless")
    folder = save_series(tmp_path / "plain", dicom_slices(VOLUME))
    (tmp_path / "ct").mkdir()
    for path in folder.iterdir():
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.SetFileName(str(tmp_path / "ct" / path.name))
        assert writer.Write()
    assert pydicom.dcmread(next((tmp_path / "ct").iterdir())).file_meta.TransferSyntaxUID == JPEGLosslessSV1
    assert same(read_ct(tmp_path / "ct"))


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_byte_orders_are_read(tmp_path, syntax):
    slices = dicom_slices(VOLUME)
    (tmp_path / "ct").mkdir()
    for k, ds in enumerate(slices):
        if syntax == ExplicitVRBigEndian:
            ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
        ds.file_meta.TransferSyntaxUID = syntax
        ds["PixelData"].VR = "OW"
        pydicom.dcmwrite(
            tmp_path / "ct" / f"{k}.dcm", ds, little_endian=syntax != ExplicitVRBigEndian,
            implicit_vr=syntax == ImplicitVRLittleEndian,
        )  # fmt: skip
    assert same(read_ct(tmp_path / "ct"))


@pytest.mark.parametrize("degrees", [-20, 12])
def test_gantry_tilt_is_undone(tmp_path, degrees):
    """Images tilted by so much show the vertebrae where they are, on axes at right angles."""
    series, slices = series_header(), []
    angle = np.radians(degrees)
    row, column = np.array([1.0, 0, 0]), np.array([0.0, np.cos(angle), np.sin(angle)])
    affine = ON.affine.copy()
    affine[:3, 0], affine[:3, 1] = row * ON.spacing_mm[0], column * ON.spacing_mm[1]
    tilted = Grid(shape=ON.shape, affine=affine)
    volume, _ = spine(tilted)
    for k in range(ON.shape[2]):
        raw = (volume.hu[:, :, k].T.astype(np.int32) + 1024).clip(0, None).astype(np.uint16)
        ds = ct_dataset(k, np.ascontiguousarray(raw), series)
        ds.ImageOrientationPatient = [*row, *column]
        ds.ImagePositionPatient = list(tilted.to_mm([0, 0, k]))
        ds.PixelSpacing = [ON.spacing_mm[1], ON.spacing_mm[0]]
        slices.append(ds)
    ct = read_ct(save_series(tmp_path / "ct", slices))
    assert skew(ct.grid) < 1e-6
    assert f"{abs(degrees)}.0 degrees" in ct.series.notes[-1]
    bone = ct.grid.to_mm(np.argwhere(ct.hu > 150)).mean(axis=0)
    expected = tilted.to_mm(np.argwhere(volume.hu > 150)).mean(axis=0)
    assert np.linalg.norm(bone - expected) < 0.6


def test_localizers_other_objects_and_copies_are_left_out_and_said(tmp_path):
    slices = dicom_slices(VOLUME)
    scout = ct_dataset(99, np.zeros((60, 60), np.uint16), series_header())
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.SeriesInstanceUID = slices[0].SeriesInstanceUID
    scout.ImageOrientationPatient, scout.ImagePositionPatient = [1, 0, 0, 0, 0, -1], [0, 0, 0]
    scout.PixelSpacing = [1, 1]
    capture = copy.deepcopy(slices[0])
    capture.SOPClassUID = SecondaryCaptureImageStorage
    folder = save_series(tmp_path / "ct", slices)
    save_series(folder, [scout], "scout")
    save_series(folder, [capture], "capture")
    save_series(folder, slices[:2], "copy")
    (folder / "notes.txt").write_text("not an image")
    ct = read_ct(folder)
    assert same(ct)
    assert "1 localizer" in ct.series.notes[0]
    assert "2 duplicate" in ct.series.notes[1]


def enhanced(volume) -> pydicom.Dataset:
    """The volume as one multi-frame file."""
    slices = dicom_slices(volume)
    ds = slices[0]
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    ds.NumberOfFrames = len(slices)
    frames = []
    for one in slices:
        frame, place, turn = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient, turn.ImageOrientationPatient = one.ImagePositionPatient, [1, 0, 0, 0, 1, 0]
        frame.PlanePositionSequence, frame.PlaneOrientationSequence = Sequence([place]), Sequence([turn])
        frames.append(frame)
    measures, rescale, shared, kernel = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = slices[0].PixelSpacing, 2.5
    rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 1, -1024, "HU"
    kernel.ConvolutionKernel = "Br64"
    shared.PixelMeasuresSequence, shared.PixelValueTransformationSequence = Sequence([measures]), Sequence([rescale])
    shared.CTReconstructionSequence = Sequence([kernel])
    ds.PerFrameFunctionalGroupsSequence, ds.SharedFunctionalGroupsSequence = Sequence(frames), Sequence([shared])
    ds.PixelData = b"".join(one.PixelData for one in slices)
    for key in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept",
                "RescaleType", "ConvolutionKernel", "SliceThickness"):  # fmt: skip
        delattr(ds, key)
    return ds


def test_a_multi_frame_file_is_read(tmp_path):
    pydicom.dcmwrite(tmp_path / "ct.dcm", enhanced(VOLUME))
    ct = read_ct(tmp_path / "ct.dcm")
    assert same(ct)
    assert (ct.series.kernel, ct.series.slice_thickness_mm) == ("Br64", 2.5)


class TestRefused:
    """Named, in one line, with exit code 2."""

    def test_an_empty_folder(self, tmp_path):
        refused(tmp_path, "no CT images", "empty")

    def test_a_folder_without_images(self, tmp_path):
        (tmp_path / "readme.txt").write_text("nothing here")
        refused(tmp_path, "no CT images", "1 not DICOM")

    def test_two_series(self, tmp_path):
        folder = save_series(tmp_path / "ct", dicom_slices(VOLUME, series_header(SeriesDescription="Bone 1.0")))
        save_series(folder, dicom_slices(VOLUME, series_header(SeriesDescription="Soft 3.0")), "other")
        refused(folder, "2 CT series", "Bone 1.0", "Soft 3.0", "30 images")

    def test_a_missing_slice(self, tmp_path):
        slices = dicom_slices(VOLUME)
        del slices[11]
        refused(save_series(tmp_path / "ct", slices), "missing", "5.00 mm", "2.50 mm")

    def test_uneven_slices(self, tmp_path):
        slices = dicom_slices(VOLUME)
        for ds in slices[15:]:
            ds.ImagePositionPatient[2] += 0.8
        refused(save_series(tmp_path / "ct", slices), "not evenly spaced", "beside its place")

    def test_two_phases_in_one_series(self, tmp_path):
        series = series_header()
        folder = save_series(tmp_path / "ct", dicom_slices(VOLUME, series))
        later = Volume(grid=ON, hu=VOLUME.hu + 5)
        save_series(folder, dicom_slices(later, series), "second")
        refused(folder, "same place", "acquisitions or phases")

    def test_axial_and_coronal_images_in_one_series(self, tmp_path):
        slices = dicom_slices(VOLUME)
        for ds in slices[:9]:
            ds.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
        refused(save_series(tmp_path / "ct", slices), "mixes 2 kinds")

    def test_images_that_jump_sideways(self, tmp_path):
        slices = dicom_slices(VOLUME)
        for ds in slices[15:]:
            ds.ImagePositionPatient[0] += 30
        refused(save_series(tmp_path / "ct", slices), "do not lie on a line")

    def test_a_single_image(self, tmp_path):
        refused(save_series(tmp_path / "ct", dicom_slices(VOLUME)[:1]), "single CT image")

    def test_only_localizers(self, tmp_path):
        slices = dicom_slices(VOLUME, series_header(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
        refused(save_series(tmp_path / "ct", slices), "only localizer")

    def test_mr_images(self, tmp_path):
        slices = dicom_slices(VOLUME, series_header(Modality="MR"))
        for ds in slices:
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = MRImageStorage
        refused(save_series(tmp_path / "mr", slices), "MR images, not CT")

    @pytest.mark.parametrize("modality", ["MR", "PT"])
    def test_another_modality_in_the_clothes_of_a_ct(self, tmp_path, modality):
        slices = dicom_slices(VOLUME, series_header(Modality=modality))
        refused(save_series(tmp_path / "other", slices), modality)

    def test_a_slice_of_another_patient(self, tmp_path):
        slices = dicom_slices(VOLUME)
        slices[7].PatientID = "P-815"
        refused(save_series(tmp_path / "mixed", slices), "different patients")

    def test_values_that_are_not_hu(self, tmp_path):
        slices = dicom_slices(VOLUME, series_header(RescaleType="MGML"))
        refused(save_series(tmp_path / "ct", slices), "MGML", "not Hounsfield")

    def test_no_rescale(self, tmp_path):
        series = series_header()
        del series.RescaleSlope, series.RescaleIntercept
        refused(save_series(tmp_path / "ct", dicom_slices(VOLUME, series)), "no rescale")

    def test_zero_rescale(self, tmp_path):
        refused(save_series(tmp_path / "ct", dicom_slices(VOLUME, series_header(RescaleSlope=0))), "rescale 0")

    @pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
    def test_a_truncated_image(self, tmp_path, keep):
        folder = save_series(tmp_path / "ct", dicom_slices(VOLUME))
        victim = sorted(folder.iterdir())[5]
        content = victim.read_bytes()
        victim.write_bytes(content[: int(len(content) * keep)])
        refused(folder, victim.name)

    def test_absurd_size(self, tmp_path):
        slices = dicom_slices(VOLUME)
        for ds in slices:
            ds.Rows = ds.Columns = 65535
        refused(save_series(tmp_path / "ct", slices), "65535 rows")

    def test_colour_pictures(self, tmp_path):
        slices = dicom_slices(VOLUME)
        for ds in slices:
            ds.SamplesPerPixel, ds.PhotometricInterpretation = 3, "RGB"
        refused(save_series(tmp_path / "ct", slices), "RGB picture")

    def test_all_air(self, tmp_path):
        air = Volume(grid=ON, hu=np.full(ON.shape, -1000, np.int16))
        refused(save_series(tmp_path / "ct", dicom_slices(air)), "only air")

    def test_a_wrong_uid_in_the_file_of_a_series(self, tmp_path):
        slices = dicom_slices(VOLUME)
        slices[4].SeriesInstanceUID = generate_uid()
        refused(save_series(tmp_path / "ct", slices), "2 CT series")

"""A DICOM CT series of the built-in phantom with all that a scanner writes, its labels, and results measured in it."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import generate_uid
from tests.support.small_spine import dicom_slices, save_series, series_header

from endplate.image.nifti import write_labels
from endplate.image.phantom import Phantom, PhantomSpec, make_phantom
from endplate.level import Level

SPEC = PhantomSpec(levels=(Level.L1, Level.L2), spacing_mm=(1.5, 1.5, 2.0), field_mm=(100, 120))


def scanner_header(seed: str = "phantom", **changes) -> Dataset:
    """Patient, study, series and equipment as scanners write them; UIDs follow from the seed."""
    ds = series_header()
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = (
        generate_uid(entropy_srcs=[seed, name]) for name in ("study", "series", "frame")
    )
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Müller^Anna", "P-4711", "19520301", "F"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20260511", "101530", "S1", "A-99"
    ds.ReferringPhysicianName, ds.StudyDescription = "Dr^House", "CT lumbar spine"
    ds.SeriesNumber, ds.AcquisitionNumber, ds.BodyPartExamined = 3, 1, "LSPINE"
    ds.PatientAge, ds.PatientPosition, ds.PositionReferenceIndicator = "074Y", "HFS", ""
    ds.SoftwareVersions, ds.DeviceSerialNumber, ds.InstitutionName = "VA50", "12345", "General Hospital"
    ds.SliceThickness = 2.0
    for key, value in changes.items():
        setattr(ds, key, value)
    return ds


def phantom_slices(phantom: Phantom, header: Dataset | None = None) -> list[FileDataset]:
    """The phantom's CT as axial images whose UIDs follow from the series."""
    header = header or scanner_header()
    slices = dicom_slices(phantom.volume, header)
    for ds in slices:
        ds.SOPInstanceUID = generate_uid(entropy_srcs=[header.SeriesInstanceUID, str(ds.InstanceNumber)])
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.BitsStored, ds.HighBit = 16, 15
    return slices


def write_scan(folder: Path, header: Dataset | None = None, spec: PhantomSpec = SPEC) -> tuple[Path, Path]:
    """A series folder and its label map."""
    phantom = make_phantom(spec)
    series = save_series(folder / "ct", phantom_slices(phantom, header))
    write_labels(folder / "labels.nii.gz", phantom.labels)
    return series, folder / "labels.nii.gz"


def assessed(folder: Path, *more: str, header: Dataset | None = None) -> tuple[Path, Path]:
    """A series folder, and the results folder of `endplate assess` on it."""
    from endplate.cli.app import main

    series, labels = write_scan(folder, header)
    given = [str(series), "--labels", str(labels), "--out", str(folder / "results"), "--quiet"]
    assert main(["assess", *given, *(more or ("--no-mechanics",))]) == 0
    return series, folder / "results"

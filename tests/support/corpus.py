"""Small whole inputs of every kind that a reader meets, made here: what a fuzzer begins with."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless
from tests.support.small_spine import LPS_TO_RAS, dicom_slices, grid, save_series, series_header, spine

ON = grid(shape=(18, 22, 16), spacing=(4.0, 4.0, 5.0))
CT, LABELS = spine(ON)
TABLE = "<CaretExtension><LabelTable>" + "".join(
    f'<Label Key="{n}">vertebrae_L{n - 19}</Label>' for n in range(20, 25)
)  # fmt: skip


def _nifti(path: Path, array: np.ndarray, kind=nib.Nifti1Image, extension: tuple[int, bytes] | None = None) -> bytes:
    image = kind(array, LPS_TO_RAS @ ON.affine)
    if extension:
        image.header.extensions.append(nib.nifti1.Nifti1Extension(*extension))
    nib.save(image, path)
    return path.read_bytes()


def nifti_files(folder: Path) -> list[tuple[str, bytes]]:
    """CT and labels as NIfTI of several kinds: name and content."""
    path, labels = folder / "x.nii", LABELS.labels
    slope = bytearray(_nifti(path, np.where(labels, labels - 15, 0).astype(np.uint8)))
    slope[112:120] = struct.pack("<ff", 1.0000003, 0.0)
    swapped = nib.Nifti1Image(labels.astype(">u2"), LPS_TO_RAS @ ON.affine, nib.Nifti1Header(endianness=">"))
    swapped.to_filename(path)
    big_endian = path.read_bytes()
    xml = (TABLE + "</LabelTable></CaretExtension>").encode()
    return [
        ("ct.nii", _nifti(path, CT.hu)),
        ("ct.nii.gz", _nifti(folder / "x.nii.gz", CT.hu)),
        ("float.nii", _nifti(path, CT.hu.astype(np.float64))),
        ("second.nii", _nifti(path, CT.hu, nib.Nifti2Image)),
        ("labels.nii", _nifti(path, labels)),
        ("table.nii", _nifti(path, labels, extension=(0, xml))),
        ("dicom.nii", _nifti(path, labels, extension=(6, b"BOOL" + bytes(60)))),
        ("slope.nii", bytes(slope)),
        ("swapped.nii", big_endian),
        ("vertebrae_L1.nii", _nifti(path, (labels == 20).astype(np.uint8))),
    ]


def dicom_series(folder: Path) -> dict[str, list[tuple[str, bytes]]]:
    """Short series by kind: names and contents of their files."""
    on = grid(shape=(24, 24, 4), spacing=(3.0, 3.0, 8.0))
    found = {}
    for kind in ("plain", "rle", "deflated", "bare"):
        slices = dicom_slices(spine(on)[0], series_header())
        for ds in slices:
            if kind == "rle":
                ds.compress(RLELossless, generate_instance_uid=False)
            if kind == "deflated":
                ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        files = sorted(save_series(folder / kind, slices).iterdir())
        start = 132 if kind == "bare" else 0
        found[kind] = [(file.name, file.read_bytes()[start:]) for file in files]
    return found


def seg_file(folder: Path) -> bytes:
    """A DICOM SEG of two vertebrae; raises ImportError without highdicom."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    on = grid(shape=(24, 24, 4), spacing=(3.0, 3.0, 8.0))
    images = dicom_slices(spine(on)[0], series_header())
    for ds in images:
        ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "Doe^Jo", "", ""
        ds.StudyDate = ds.StudyTime = ds.AccessionNumber = ds.StudyID = ds.ReferringPhysicianName = ""
    pixels = np.zeros((4, 24, 24, 2), np.uint8)
    pixels[:2, 4:12, 4:12, 0] = pixels[2:, 4:12, 4:12, 1] = 1
    described = [
        hd.seg.SegmentDescription(
            segment_number=n, segment_label=f"L{n}", segmented_property_category=codes.SCT.AnatomicalStructure,
            segmented_property_type=codes.SCT.Bone, algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for n in (1, 2)
    ]  # fmt: skip
    seg = hd.seg.Segmentation(
        source_images=images, pixel_array=pixels, segmentation_type="BINARY", segment_descriptions=described,
        series_instance_uid=hd.UID(), series_number=9, sop_instance_uid=hd.UID(), instance_number=1,
        manufacturer="endplate", manufacturer_model_name="test", software_versions="1", device_serial_number="1",
    )  # fmt: skip
    pydicom.dcmwrite(folder / "seg.dcm", seg)
    return (folder / "seg.dcm").read_bytes()


SCHEMES = [
    b"L1 = 20\nL2 = 21\nL3 = 22\nL4 = 23\nL5 = 24\n",
    b'ignore = [91, "100-117"]\n[levels]\n20 = "L1"\n21 = "Bone structure of L2"\n22 = "Th12"\n',
    json.dumps({"L1": 20, "vertebrae_L2": "21", "ignore": "rest"}).encode(),
]
SIDECARS = [
    json.dumps({"Modality": "CT", "KVP": 120, "ConvolutionKernel": "Br59", "SliceThickness": "0.75"}).encode(),
    b'{"KVP": 1e999, "Manufacturer": ["x"], "ContrastBolusAgent": null}',
]

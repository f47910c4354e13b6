"""A small CT of L1-L5 with a mark on the patient's left, and ways to store it as scanners and tools do."""

from __future__ import annotations

import copy
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from endplate.image.volume import Grid, LabelMap, Volume

LEVEL_IDS = (20, 21, 22, 23, 24)
SHAPE = (36, 44, 66)
SPACING = (2.0, 2.0, 2.5)
LEFT_MARK_HU = 700
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def grid(spacing=SPACING, shape=SHAPE) -> Grid:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-35.0, -180.0, -410.0)
    return Grid(shape=shape, affine=affine)


def spine(on: Grid | None = None) -> tuple[Volume, LabelMap]:
    """Five ellipsoid bodies with spinous processes, L1 uppermost; a calcification to the left of L2 only."""
    on = on or grid()
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in on.shape), indexing="ij"), axis=-1)
    xyz = on.to_mm(ijk)
    centre = grid().to_mm((np.array(SHAPE) - 1) / 2)
    x, y, z = np.moveaxis(xyz - centre, -1, 0)
    body = (x / 34) ** 2 + (y / 42) ** 2 < 1
    rng = np.random.default_rng(4711)
    noise = rng.normal(0, 12, on.shape)
    hu = np.where(body, np.where(np.abs(x) > 26, -100.0, 45.0), -1000.0) + noise
    labels = np.zeros(on.shape, np.uint16)
    for index, label in enumerate(LEVEL_IDS):
        z0 = 62.0 - 31.0 * index
        vertebra = ((x / 19) ** 2 + ((y + 8) / 14) ** 2 + ((z - z0) / 13.5) ** 2 < 1) | (
            (np.abs(x) < 3.5) & (y > 0) & (y < 26) & (np.abs(z - z0 + 6) < 6)
        )
        labels[vertebra] = label
        hu[vertebra] = 230.0 + noise[vertebra] + 6 * index
    mark = ((x - 24) ** 2 + (y + 8) ** 2 + (z - 31) ** 2) < 16
    hu[mark] = LEFT_MARK_HU
    stored = np.rint(hu).astype(np.int16)
    return Volume(grid=on, hu=stored), LabelMap(grid=on, labels=labels, scheme="truth")


def save_nifti(path: Path, array: NDArray, on: Grid, **header) -> Path:
    """Store in the array's own order; header fields as given (scl_slope needs the array to be raw already)."""
    image = nib.Nifti1Image(array, LPS_TO_RAS @ on.affine)
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path


def ct_dataset(index: int, pixels: NDArray, series: Dataset) -> FileDataset:
    """One axial CT image with everything the reader relies on; pixels (rows, columns) int16."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.update(copy.deepcopy(series))
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    ds.InstanceNumber = index + 1
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.tobytes()
    return ds


def series_header(**changes) -> Dataset:
    ds = Dataset()
    ds.Modality, ds.PatientID, ds.SeriesDescription = "CT", "P-4711", "Spine 2.5 B60"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = (generate_uid() for _ in range(3))
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.KVP, ds.ConvolutionKernel, ds.SliceThickness = 120, "B60s", 2.5
    ds.Manufacturer, ds.ManufacturerModelName = "SIEMENS", "Sensation"
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, -1024, "HU"
    for key, value in changes.items():
        setattr(ds, key, value)
    return ds


def dicom_slices(volume: Volume, series: Dataset | None = None, tilt=0.0) -> list[FileDataset]:
    """The volume as axial images, foot first; `tilt` moves each image forward by that many mm per mm of height."""
    series = series or series_header()
    on, slices = volume.grid, []
    for k in range(on.shape[2]):
        raw = (volume.hu[:, :, k].T.astype(np.int32) + 1024).clip(0, None).astype(np.uint16)
        ds = ct_dataset(k, np.ascontiguousarray(raw), series)
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        position = on.to_mm([0, 0, k])
        position[1] += tilt * (position[2] - on.affine[2, 3])
        ds.ImagePositionPatient = [round(float(v), 4) for v in position]
        ds.PixelSpacing = [float(on.spacing_mm[1]), float(on.spacing_mm[0])]
        slices.append(ds)
    return slices


def save_series(folder: Path, slices: list[FileDataset], prefix="image") -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    for index, ds in enumerate(slices):
        # File names deliberately say nothing about the order.
        pydicom.dcmwrite(folder / f"{prefix}{(index * 7919) % 1009:04d}.dcm", ds)
    return folder

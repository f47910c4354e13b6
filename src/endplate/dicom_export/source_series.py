"""The CT series that results were measured in: its headers, its geometry, and whether it is the right one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from endplate.case.provenance import patient_mark, sha256
from endplate.dicom_export.saved_results import SavedResults
from endplate.errors import GridMismatchError, OptionError
from endplate.image.dicom.header import ImagePlane, find_images
from endplate.image.dicom.pixels import Decoder, decoder
from endplate.image.dicom.stack import SamePixels, Stack, stack_images
from endplate.image.file_type import exists, is_dicom
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.orient import axis_order, reoriented_affine
from endplate.image.volume import Grid

NO_DICOM = "the scan was read as {name}, which is no DICOM series"
WHY = "a DICOM object refers to the images, the study and the patient that it was made from"
TYPE_2 = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
    "StudyID", "ReferringPhysicianName",
)  # fmt: skip
"""What every object has, if only empty: patient and study."""
COPIED = (
    "IssuerOfPatientID", "OtherPatientIDs", "PatientAge", "PatientSize", "PatientWeight",
    "StudyDescription", "PatientIdentityRemoved", "DeidentificationMethod", "TimezoneOffsetFromUTC",
)  # fmt: skip
"""What is copied where it is there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceSeries:
    """Headers of a CT series in the order of its stack, and the place of its voxels.

    Parameters
    ----------
    headers : list of pydicom.Dataset
        One a file, without pixels, from the foot of the stack's normal to its end.
    grid : Grid
        Columns, rows, slices, and the affine from their index to LPS mm.
    """

    headers: list[Dataset]
    grid: Grid

    @property
    def first(self) -> Dataset:
        """Any header: patient, study and series are the same in all."""
        return self.headers[0]

    @property
    def study_uid(self) -> str:
        """StudyInstanceUID."""
        return str(self.first.StudyInstanceUID)

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID."""
        return str(self.first.SeriesInstanceUID)

    @property
    def frame_of_reference_uid(self) -> str:
        """FrameOfReferenceUID."""
        return str(self.first.FrameOfReferenceUID)


def read_source(path: Path, results: SavedResults, settings: ReadSettings = DEFAULT) -> SourceSeries:
    """The series that results were measured in, refused where it is another one.

    Parameters
    ----------
    path : Path
        Folder of the series, or one file of it.
    results : SavedResults
        What was measured in it.
    settings : ReadSettings, optional
        Limits of what is read.

    Returns
    -------
    SourceSeries
        Headers and geometry.

    Raises
    ------
    ImageError
        No readable CT series.
    OptionError
        The scan came as something else than DICOM, or the series is of another scan, frame or patient.
    """
    if results.ct_input is None:
        raise OptionError("these results were measured in labels without a CT", WHY, "assess the CT series itself")
    if not exists(path):
        raise OptionError(f"{path} does not exist", "", "give the folder of the CT series")
    if path.is_file() and path.name != "DICOMDIR" and not is_dicom(path):
        raise no_dicom(path.name)
    with decoder(settings.limits) as pixels:
        stack = stack_images(find_images(path, settings), path, _same_pixels(pixels))
    series = SourceSeries(headers=_headers(stack), grid=Grid(shape=stack.shape, affine=stack.affine))
    _refuse_another(path, series, results)
    return series


def no_dicom(name: str) -> OptionError:
    """The refusal of what came as NIfTI or from memory."""
    return OptionError(NO_DICOM.format(name=name), WHY, "assess the CT as a DICOM series")


def _same_pixels(pixels: Decoder) -> SamePixels:
    def same(one: ImagePlane, other: ImagePlane) -> bool:
        first, second = (pixels(plane.path, plane.frame, plane.shape) for plane in (one, other))
        return bool(np.array_equal(first, second))

    return same


def _headers(stack: Stack) -> list[Dataset]:
    """Headers in the order of the stack, each file once, with what objects must have if only empty."""
    found: list[Dataset] = []
    for path in dict.fromkeys(plane.path for plane in stack.planes):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            for key in TYPE_2:
                if key not in header:
                    setattr(header, key, "")
            if not header.get("SliceThickness") and "PerFrameFunctionalGroupsSequence" not in header:
                # Only for the geometry of a segmentation: its frames are as thick as they lie apart.
                header.SliceThickness = round(float(np.linalg.norm(stack.affine[:3, 2])), 6)
        found.append(header)
    for key in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"):
        if any(not header.get(key) for header in found):
            raise OptionError(f"an image of the series has no {key}", WHY, "export the series again from the archive")
    return found


def _refuse_another(path: Path, series: SourceSeries, results: SavedResults) -> None:
    """By UIDs where the case keeps them; else by the hash of the folder."""
    name, digest = results.ct_input or ("", "")
    kept = results.source
    if kept is None:
        if sha256(path) != digest:
            if Path(name).suffix in (".nii", ".gz"):
                raise no_dicom(name)
            raise OptionError(
                f"{path} is not the series that was measured: its SHA-256 is not that of {name}",
                "the case keeps no UID of its scan",
                "give that very folder, or assess the series again",
            )
        return
    for key, words in (("series_uid", "series"), ("study_uid", "study"), ("frame_of_reference_uid", "frame")):
        if kept.get(key) and kept[key] != getattr(series, key):
            raise OptionError(
                f"{path} is another {words} than the one that was measured: {getattr(series, key)}, not {kept[key]}",
                "results would be filed with a scan that they are not of",
                "give the series that was measured",
            )
    mark = kept.get("patient", "")
    if mark and mark != patient_mark(str(series.first.PatientID or "")):
        raise OptionError(
            f"the series {path} names another patient than when it was measured",
            "results would be filed with a person whom they are not of",
            "check whose scan it is, and assess it again",
        )


def canonical(grid: Grid) -> Grid:
    """The same voxels in the axis order closest to LPS."""
    order, flips = axis_order(grid.affine)
    i, j, k = (grid.shape[axis] for axis in order)
    return Grid(shape=(i, j, k), affine=reoriented_affine(grid.shape, grid.affine, order, flips))


def stored_order(values: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """An array (I, J, K) of `canonical(grid)` in the grid's own order.

    Raises
    ------
    GridMismatchError : another shape.
    """
    order, flips = axis_order(grid.affine)
    if values.shape != canonical(grid).shape:
        raise GridMismatchError(f"{values.shape} voxels on a series of {grid.shape}", "", "assess the scan again")
    turned = values[tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)]
    return turned.transpose([order.index(axis) for axis in range(3)])

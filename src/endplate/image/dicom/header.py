"""What DICOM headers say: which files are CT images, where each image lies, and how its numbers become HU."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

from endplate.errors import ImageError
from endplate.image.dicom.facts import clean
from endplate.image.dicom.files import files_of
from endplate.image.dicom.opened import AGAIN as _AGAIN
from endplate.image.dicom.opened import damaged, opened
from endplate.image.error_text import name_of
from endplate.image.file_type import is_dicom
from endplate.image.limits import DEFAULT, RAISE, Limits, ReadSettings

MAX_EDGE_VOXELS = 8192
_CT_CLASSES = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImagePlane:
    """One CT image (a file, or a frame of a multi-frame file) and its place.

    `position_mm` (3,) is the centre of the first voxel, `row`, `column` (3,) the directions of growing column and row
    index, all LPS; `spacing_mm` is (between columns, between rows). `facts` are attributes as text. `padding` are the
    first and last stored value that mean "outside the field".
    """

    path: Path
    frame: int | None
    facts: dict[str, str]
    padding: tuple[int, int] | None
    shape: tuple[int, int]
    position_mm: NDArray[np.float64]
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    slope: float
    intercept: float
    localizer: bool

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID, "" if absent."""
        return self.facts.get("SeriesInstanceUID", "")

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit normal of the image plane (3,)."""
        return np.cross(self.row, self.column)

    @property
    def depth_mm(self) -> float:
        """Position along the normal."""
        return float(self.normal @ self.position_mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The CT images of a folder and what else lay there: modality or kind to number of files."""

    planes: list[ImagePlane]
    others: dict[str, int]


def find_images(path: Path, settings: ReadSettings = DEFAULT) -> Found:
    """All CT images under a folder, or those of the series that the given file belongs to.

    A DICOMDIR stands for its folder.

    Raises
    ------
    ImageError : a DICOM file is damaged, or more than the limits allow.
    """
    whole = path.is_dir() or path.name == "DICOMDIR"
    folder = path if path.is_dir() else path.parent
    wanted = None if whole else opened(path, settings.limits)[1].get("SeriesInstanceUID", "")
    planes: list[ImagePlane] = []
    others: dict[str, int] = {}
    for file in files_of(folder, settings.limits):
        if file.name == "DICOMDIR":
            continue
        if not is_dicom(file):
            others["not DICOM"] = others.get("not DICOM", 0) + 1
            continue
        header, facts = opened(file, settings.limits)
        if wanted is not None and facts.get("SeriesInstanceUID", "") != wanted:
            continue
        kind = _other_kind(facts)
        if kind:
            others[kind] = others.get(kind, 0) + 1
        else:
            planes += _planes(file, header, facts, settings.limits)
    return Found(planes=planes, others=others)


def _other_kind(facts: dict[str, str]) -> str:
    """What a file is that holds no CT image, else nothing; a CT without any stated class is taken for an image."""
    kind, modality = facts.get("SOPClassUID"), facts.get("Modality", "").upper()
    if (kind in _CT_CLASSES and modality in ("CT", "")) or (kind is None and modality == "CT"):
        return ""
    if modality == "CT":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a UID may hold anything
            return f"CT of the class {clean(UID(kind or '').name)}"
    return modality or "other DICOM"


def _planes(path: Path, header: pydicom.Dataset, facts: dict[str, str], limits: Limits) -> list[ImagePlane]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(_planes_of(path, header, facts, limits))
    except ImageError:
        raise
    except Exception as error:  # values are parsed on access, so any of them can raise here
        raise damaged(path, error, limits) from error


def _planes_of(path: Path, header: pydicom.Dataset, facts: dict[str, str], limits: Limits) -> Iterator[ImagePlane]:
    claimed = int(header.get("NumberOfFrames") or 1)
    _check_claim(path, header, claimed, limits)
    if "PerFrameFunctionalGroupsSequence" not in header:
        if claimed != 1:
            raise ImageError(
                f"{name_of(path)} holds {claimed} frames and the place of one of them",
                "where the others lie in the patient is not said",
                "export the series as single images, or as Enhanced CT",
            )
        yield _plane(path, None, facts, [header])
        return
    frames = list(header.PerFrameFunctionalGroupsSequence)
    if len(frames) != claimed:
        raise ImageError(f"{name_of(path)} has {len(frames)} frame descriptions for {claimed}", "", _AGAIN)
    shared = header.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()]
    for number, frame in enumerate(frames):
        groups = [item for group in (frame, shared[0]) for item in _macros(group)]
        yield _plane(path, number, facts, [*groups, header])


def _check_claim(path: Path, header: pydicom.Dataset, frames: int, limits: Limits) -> None:
    """Refuse pictures, more frames or voxels than the limits; a few compressed bytes may claim a whole scan."""
    if not 1 <= frames <= limits.frames:
        raise ImageError(f"{name_of(path)} claims {frames} frames", f"1 to {limits.frames} are read", RAISE)
    samples, kind = int(header.get("SamplesPerPixel") or 1), clean(header.get("PhotometricInterpretation"))
    if samples != 1 or not kind.startswith("MONOCHROME"):
        raise ImageError(f"{name_of(path)} is a {kind or 'colour'} picture, not CT values", "", _AGAIN)
    rows, columns = _plane_shape(path, header)
    voxels = frames * rows * columns
    if voxels > limits.voxels:
        raise ImageError(f"{name_of(path)} claims {voxels} voxels", f"at most {limits.voxels} are read", RAISE)


def _macros(group: pydicom.Dataset) -> list[pydicom.Dataset]:
    """The first item of each functional group macro of a frame."""
    return [element.value[0] for element in group if element.VR == "SQ" and len(element.value) == 1]


def _plane(path: Path, frame: int | None, facts: dict[str, str], groups: list[pydicom.Dataset]) -> ImagePlane:
    kinds = [str(kind).upper() for kind in (_value(groups, "ImageType") or [])]
    if any("LOCALIZER" in kind for kind in kinds) and _value(groups, "ImageOrientationPatient") is None:
        return _unplaced_localizer(path, frame, facts)
    orientation = _numbers(path, groups, "ImageOrientationPatient", 6)
    spacing = _numbers(path, groups, "PixelSpacing", 2)
    rescale = [_value(groups, key) for key in ("RescaleSlope", "RescaleIntercept")]
    localizer = any("LOCALIZER" in kind for kind in kinds)
    if None in rescale and not localizer:
        raise ImageError(f"{name_of(path)} has no rescale slope and intercept", "its values are not in HU", _AGAIN)
    _check_rescale_type(path, groups)
    plane = ImagePlane(
        path=path, frame=frame, facts=facts, padding=_padding(groups[-1]), shape=_plane_shape(path, groups[-1]),
        position_mm=_numbers(path, groups, "ImagePositionPatient", 3), row=orientation[:3], column=orientation[3:],
        spacing_mm=(float(spacing[1]), float(spacing[0])), slope=1.0 if rescale[0] is None else float(rescale[0]),
        intercept=0.0 if rescale[1] is None else float(rescale[1]),
        localizer=localizer,
    )  # fmt: skip
    _check_plane(plane)
    return plane


def _unplaced_localizer(path: Path, frame: int | None, facts: dict[str, str]) -> ImagePlane:
    """A localizer without a place in space: kept only to be counted."""
    e1, e2, _ = np.eye(3)
    return ImagePlane(
        path=path, frame=frame, facts=facts, padding=None, shape=(1, 1), position_mm=np.zeros(3), row=e1, column=e2,
        spacing_mm=(1.0, 1.0), slope=1.0, intercept=0.0, localizer=True,
    )  # fmt: skip


def _plane_shape(path: Path, header: pydicom.Dataset) -> tuple[int, int]:
    rows, columns = int(header.Rows), int(header.Columns)
    if not 2 <= rows <= MAX_EDGE_VOXELS or not 2 <= columns <= MAX_EDGE_VOXELS:
        raise ImageError(f"{name_of(path)} has {rows} rows and {columns} columns", "the header is damaged", _AGAIN)
    return rows, columns


def _padding(header: pydicom.Dataset) -> tuple[int, int] | None:
    first = header.get("PixelPaddingValue")
    return None if first is None else (int(first), int(header.get("PixelPaddingRangeLimit", first)))


def _check_plane(plane: ImagePlane) -> None:
    lengths = [float(np.linalg.norm(plane.row)), float(np.linalg.norm(plane.column))]
    skew = abs(float(plane.row @ plane.column))
    if any(abs(length - 1) > 0.01 for length in lengths) or skew > 0.01:
        raise ImageError(f"{name_of(plane.path)} has no valid image orientation", "its place is unknown", _AGAIN)
    if not all(0.02 <= edge <= 20 for edge in plane.spacing_mm):
        raise ImageError(f"{name_of(plane.path)} has the pixel spacing {plane.spacing_mm} mm", "no CT has it", _AGAIN)
    if plane.slope == 0 or not np.isfinite([plane.slope, plane.intercept]).all():
        raise ImageError(f"{name_of(plane.path)} has the rescale {plane.slope:g}, {plane.intercept:g}", "", _AGAIN)


def _check_rescale_type(path: Path, groups: list[pydicom.Dataset]) -> None:
    kind = clean(_value(groups, "RescaleType") or "HU").upper()
    if kind not in ("HU", "US", ""):
        raise ImageError(
            f"{name_of(path)} holds {kind} values", "they are not Hounsfield units", "give the plain CT reconstruction"
        )


def _value(groups: list[pydicom.Dataset], key: str) -> Any:
    for group in groups:
        value = group.get(key)
        if value is not None and value != "":
            return value
    return None


def _numbers(path: Path, groups: list[pydicom.Dataset], key: str, count: int) -> NDArray[np.float64]:
    value = _value(groups, key)
    numbers = np.array([float(v) for v in value], float) if value is not None else np.zeros(0)
    if numbers.shape != (count,) or not np.isfinite(numbers).all() or np.abs(numbers).max() > 1e6:
        raise ImageError(f"{name_of(path)} has no valid {key}", "its place in the patient is unknown", _AGAIN)
    return numbers

"""Read a DICOM CT series into one volume, keeping what density and the report must cite."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from endplate.errors import ImageError
from endplate.image.dicom_header import ImagePlane, find_images
from endplate.image.dicom_stack import Stack, stack_images
from endplate.image.hounsfield import check_hounsfield
from endplate.image.nifti_header import MAX_VOXELS
from endplate.image.orient import closest_lps
from endplate.image.straight import straighten_volume
from endplate.image.told import one_line
from endplate.image.volume import Grid, SeriesRef, Volume

PADDING_HU = -1024  # what scanners write outside the field of view


def read_series(path: Path) -> Volume:
    """The CT of a DICOM folder, or of the series that a file belongs to.

    Compressed pixels are decoded by the plug-ins of the `dicom` extra. A tilted gantry is undone by resampling.

    Raises
    ------
    ImageError : not exactly one CT volume, missing slices, damaged files, or values that are not HU.
    """
    stack = stack_images(find_images(path), path)
    stored, notes = _decode(stack)
    hu, affine = closest_lps(stored.transpose(2, 1, 0), stack.affine)
    i, j, k = hu.shape
    volume = Volume(
        grid=Grid(shape=(i, j, k), affine=affine), hu=hu, series=_reference(path, stack, stack.notes + notes)
    )
    check_hounsfield(volume.hu, volume.grid, path.name)
    return straighten_volume(volume)


def _decode(stack: Stack) -> tuple[NDArray[Any], tuple[str, ...]]:
    """HU (slices, rows, columns), int16 where exact else float32."""
    rows, columns = stack.planes[0].shape
    count = len(stack.planes)
    if count * rows * columns > MAX_VOXELS:
        raise ImageError(
            f"the series claims {count} x {rows} x {columns} voxels", "no scan has so many", "check the files"
        )
    volume: NDArray[Any] = np.empty((count, rows, columns), np.int16)
    padded = 0
    frames: dict[Path, NDArray[Any]] = {}
    for index, plane in enumerate(stack.planes):
        raw, padding = _pixels(plane, frames)
        hu = _to_hu(raw, plane)
        if padding is not None:
            padded += int(np.count_nonzero(padding))
            hu[padding] = PADDING_HU
        if hu.dtype != volume.dtype and volume.dtype == np.int16:
            volume = volume.astype(np.float32)
        volume[index] = hu
    notes = (f"{padded} padding voxels set to {PADDING_HU} HU",) if padded else ()
    return volume, notes


def _pixels(plane: ImagePlane, frames: dict[Path, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Stored values (rows, columns) of one image and its padding mask."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if plane.frame is None:
                dataset = pydicom.dcmread(plane.path)
                _check_pixel_format(plane, dataset)
                raw = dataset.pixel_array
            else:
                if plane.path not in frames:
                    frames.clear()
                    dataset = pydicom.dcmread(plane.path)
                    _check_pixel_format(plane, dataset)
                    frames[plane.path] = dataset.pixel_array
                raw = frames[plane.path][plane.frame]
            if raw.shape != plane.shape:
                raise ValueError(f"pixels {raw.shape} where the header says {plane.shape}")
            return raw, _padding(raw, plane.header)
    except ImageError:
        raise
    except Exception as error:  # every codec has its own exceptions
        syntax = getattr(getattr(plane.header, "file_meta", None), "TransferSyntaxUID", None)
        name = getattr(syntax, "name", "unknown transfer syntax")
        raise ImageError(
            f"the pixels of {plane.path.name} ({name}) cannot be decoded: {one_line(error)}",
            "",
            "pip install 'endplate[dicom]' for compressed images, or export the series again uncompressed",
        ) from error


def _check_pixel_format(plane: ImagePlane, dataset: pydicom.Dataset) -> None:
    samples, photometric = int(dataset.get("SamplesPerPixel", 1)), str(dataset.get("PhotometricInterpretation", ""))
    if samples != 1 or photometric not in ("MONOCHROME2", "MONOCHROME1"):
        raise ImageError(
            f"{plane.path.name} is a {photometric or 'colour'} picture", "not CT values", "give the CT series"
        )


def _padding(raw: NDArray[Any], header: pydicom.Dataset) -> NDArray[np.bool_] | None:
    first = header.get("PixelPaddingValue")
    if first is None:
        return None
    last = header.get("PixelPaddingRangeLimit", first)
    bounds = sorted(_as_stored(value, raw.dtype) for value in (first, last))
    return (raw >= bounds[0]) & (raw <= bounds[1])


def _as_stored(value: Any, dtype: np.dtype[Any]) -> int:
    """The padding value with the sign of the pixels: headers often carry it in the other representation."""
    bits = dtype.itemsize * 8
    number = int(value) % 2**bits
    return number - 2**bits if dtype.kind == "i" and number >= 2 ** (bits - 1) else number


def _to_hu(raw: NDArray[Any], plane: ImagePlane) -> NDArray[Any]:
    if plane.slope == int(plane.slope) and plane.intercept == int(plane.intercept):
        slope, intercept = int(plane.slope), int(plane.intercept)
        limits = np.iinfo(np.int16)
        ends = sorted(int(end) * slope + intercept for end in (raw.min(), raw.max()))
        if ends[0] >= limits.min and ends[1] <= limits.max:
            return (raw.astype(np.int32) * slope + intercept).astype(np.int16)
    return raw.astype(np.float32) * np.float32(plane.slope) + np.float32(plane.intercept)


def _reference(path: Path, stack: Stack, notes: tuple[str, ...]) -> SeriesRef:
    header = stack.planes[0].header
    kvps = {_positive(_text(plane.header, "KVP")) for plane in stack.planes}
    if len(kvps) > 1:
        notes = (*notes, "the tube voltage differs between images; it is taken as unknown")
    maker = " ".join(filter(None, (_text(header, "Manufacturer"), _text(header, "ManufacturerModelName"))))
    return SeriesRef(
        path=str(path),
        modality="CT",
        study_uid=_text(header, "StudyInstanceUID"),
        series_uid=_text(header, "SeriesInstanceUID"),
        frame_of_reference_uid=_text(header, "FrameOfReferenceUID"),
        sop_uids=tuple(dict.fromkeys(_text(plane.header, "SOPInstanceUID") or "" for plane in stack.planes)),
        kvp=kvps.pop() if len(kvps) == 1 else None,
        contrast=_contrast(header),
        kernel=_text(header, "ConvolutionKernel"),
        manufacturer=maker or None,
        slice_thickness_mm=_positive(_text(header, "SliceThickness")),
        patient_id=_text(header, "PatientID"),
        notes=notes,
    )


def _text(header: pydicom.Dataset, key: str) -> str | None:
    """An attribute as text, looked for in the functional groups of multi-frame files too; None if absent or empty."""
    try:
        value = header.get(key)
        if value is None and "SharedFunctionalGroupsSequence" in header:
            value = next(
                (
                    element.value
                    for element in header.SharedFunctionalGroupsSequence[0].iterall()
                    if element.keyword == key
                ),
                None,
            )
    except Exception:  # a damaged attribute that nothing depends on is an unknown one
        return None
    if value is None:
        return None
    joined = "\\".join(map(str, value)) if isinstance(value, pydicom.multival.MultiValue) else str(value)
    return joined.strip() or None


def _positive(text: str | None) -> float | None:
    try:
        number = float(text) if text else 0.0
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def _contrast(header: pydicom.Dataset) -> bool | None:
    """Whether contrast agent is stated; an absent or empty attribute says nothing."""
    agent = _text(header, "ContrastBolusAgent")
    if agent is None:
        return None
    return agent.upper() not in ("NONE", "NO", "N", "WITHOUT")

"""Read a DICOM CT series into one volume, keeping what density and the report must cite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.errors import ImageError
from endplate.image.dicom.header import ImagePlane, find_images
from endplate.image.dicom.pixels import decoder
from endplate.image.dicom.stack import Stack, stack_images
from endplate.image.gantry_tilt import straighten_volume
from endplate.image.hounsfield import check_hounsfield
from endplate.image.nifti.header import MAX_VOXELS
from endplate.image.orient import closest_lps
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
    padded = 0
    with decoder() as pixels:
        # The first image proves the claimed size before memory for all of it is taken.
        pixels(stack.planes[0].path, stack.planes[0].frame, (rows, columns))
        volume: NDArray[Any] = np.empty((count, rows, columns), np.int16)
        for index, plane in enumerate(stack.planes):
            raw = pixels(plane.path, plane.frame, plane.shape)
            hu, outside = _to_hu(raw, plane), _padded(raw, plane)
            if outside is not None:
                padded += int(np.count_nonzero(outside))
                hu[outside] = PADDING_HU
            if hu.dtype != volume.dtype and volume.dtype == np.int16:
                volume = volume.astype(np.float32)
            volume[index] = hu
    notes = (f"{padded} padding voxels set to {PADDING_HU} HU",) if padded else ()
    return volume, notes


def _padded(raw: NDArray[Any], plane: ImagePlane) -> NDArray[np.bool_] | None:
    """Where the stored values mean "outside the field", or None."""
    if plane.padding is None:
        return None
    bounds = sorted(_as_stored(value, raw.dtype) for value in plane.padding)
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
    facts = stack.planes[0].facts
    kvps = {_positive(plane.facts.get("KVP")) for plane in stack.planes}
    if len(kvps) > 1:
        notes = (*notes, "the tube voltage differs between images; it is taken as unknown")
    if len({(plane.slope, plane.intercept) for plane in stack.planes}) > 1:
        notes = (*notes, "the rescale to HU differs between images")
    maker = " ".join(facts[key] for key in ("Manufacturer", "ManufacturerModelName") if key in facts)
    return SeriesRef(
        path=str(path),
        modality="CT",
        study_uid=facts.get("StudyInstanceUID"),
        series_uid=facts.get("SeriesInstanceUID"),
        frame_of_reference_uid=facts.get("FrameOfReferenceUID"),
        sop_uids=tuple(dict.fromkeys(plane.facts.get("SOPInstanceUID", "") for plane in stack.planes)),
        kvp=kvps.pop() if len(kvps) == 1 else None,
        contrast=_contrast(facts.get("ContrastBolusAgent")),
        kernel=facts.get("ConvolutionKernel"),
        manufacturer=maker or None,
        slice_thickness_mm=_positive(facts.get("SliceThickness")),
        patient_id=facts.get("PatientID"),
        notes=notes,
    )


def _positive(text: str | None) -> float | None:
    try:
        number = float(text) if text else 0.0
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def _contrast(agent: str | None) -> bool | None:
    """Whether contrast agent is stated; an absent or empty attribute says nothing."""
    return None if agent is None else agent.upper() not in ("NONE", "NO", "N", "WITHOUT")

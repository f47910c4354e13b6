"""Read a DICOM CT series into one volume, keeping what density and the report must cite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.errors import ImageError
from endplate.image.dicom.header import ImagePlane, find_images
from endplate.image.dicom.pixels import Decoder, decoder
from endplate.image.dicom.stack import Stack, stack_images
from endplate.image.error_text import name_of
from endplate.image.gantry_tilt import straighten_volume
from endplate.image.hounsfield import check_hounsfield
from endplate.image.limits import DEFAULT, RAISE, Limits, ReadSettings
from endplate.image.orient import axis_order, empty_lps, reoriented_affine
from endplate.image.padding import PADDING_HU, fill_padding
from endplate.image.series_ref import SeriesRef
from endplate.image.volume import Grid, Volume


def read_series(path: Path, settings: ReadSettings = DEFAULT) -> Volume:
    """The CT of a DICOM folder, or of the series that a file belongs to.

    Compressed pixels are decoded by the plug-ins of the `dicom` extra. A tilted gantry is undone by resampling.

    Raises
    ------
    ImageError : not exactly one CT volume, missing slices, damaged files, values that are not HU, or more than the
        limits allow.
    """
    with decoder(settings.limits) as pixels:
        found = find_images(path, settings)
        stack = stack_images(found, path, lambda one, other: _same_pixels(pixels, one, other))
        hu, notes = _decode(stack, pixels, settings.limits)
    notes = stack.notes + notes + fill_padding(hu)
    affine = reoriented_affine(stack.shape, stack.affine, *axis_order(stack.affine))
    i, j, k = hu.shape
    volume = Volume(grid=Grid(shape=(i, j, k), affine=affine), hu=hu, series=_reference(path, stack, notes))
    check_hounsfield(volume.hu, volume.grid, name_of(path))
    return straighten_volume(volume)


def _same_pixels(pixels: Decoder, one: ImagePlane, other: ImagePlane) -> bool:
    """Whether two images hold the same stored values."""
    values = [pixels(plane.path, plane.frame, plane.shape) for plane in (one, other)]
    return bool(np.array_equal(values[0], values[1]))


def _decode(stack: Stack, pixels: Decoder, limits: Limits) -> tuple[NDArray[Any], tuple[str, ...]]:
    """HU (I, J, K) in the order closest to LPS, int16 where exact else float32, and what was said of padding."""
    _check_size(stack, limits, np.dtype(np.int16))
    volume, as_stored = empty_lps(stack.shape, stack.affine, np.dtype(np.int16))
    padded = 0
    # Frames of one file are decoded in order; only what is filled takes memory.
    for index in sorted(range(len(stack.planes)), key=lambda n: _place_in_files(stack.planes[n])):
        plane = stack.planes[index]
        raw = pixels(plane.path, plane.frame, plane.shape)
        hu, outside = _to_hu(raw, plane), _padded(raw, plane)
        if outside is not None:
            padded += int(np.count_nonzero(outside))
            hu[outside] = PADDING_HU
        if hu.dtype != volume.dtype and volume.dtype == np.int16:
            _check_size(stack, limits, hu.dtype)
            ints = as_stored
            volume, as_stored = empty_lps(stack.shape, stack.affine, np.dtype(np.float32))
            as_stored[...] = ints
        as_stored[:, :, index] = hu.T
    notes = (f"{padded} padding voxels set to {PADDING_HU} HU",) if padded else ()
    return volume, notes


def _place_in_files(plane: ImagePlane) -> tuple[str, int]:
    return str(plane.path), plane.frame or 0


def _check_size(stack: Stack, limits: Limits, kept: np.dtype[Any]) -> None:
    voxels = int(np.prod(np.array(stack.shape, dtype=object)))
    if voxels > limits.voxels or voxels * kept.itemsize > limits.volume_bytes:
        raise ImageError(
            f"the series claims {stack.shape} voxels, {voxels * kept.itemsize / 2**30:.1f} GiB",
            f"at most {limits.voxels} voxels and {limits.volume_bytes / 2**30:.1f} GiB are read",
            RAISE,
        )


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
    return int(number - 2**bits if dtype.kind == "i" and number >= 2 ** (bits - 1) else number)


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

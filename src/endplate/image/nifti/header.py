"""What a NIfTI header says about shape, numbers and place in the patient, checked before anything is allocated."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from endplate.errors import ImageError
from endplate.image.error_text import name_of, one_line
from endplate.image.limits import DEFAULT, RAISE, Limits, ReadSettings
from endplate.image.nifti.affine import is_invertible, lps_affine
from endplate.image.nifti.extension import label_table
from endplate.image.nifti.gunzip import is_zipped, plain_bytes

MIN_SPACING_MM, MAX_SPACING_MM = 0.02, 20.0  # micro-CT to the thickest clinical slices
MAX_EXTENT_MM = 3000.0  # no patient is longer
MAX_FROM_ORIGIN_MM = 1e5
# DEFLATE cannot expand by more than 1032:1.
MAX_DEFLATE_RATIO = 1040

_CONVERT = "convert it to .nii.gz, or give the DICOM series folder"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NiftiHeader:
    """The checked header: what to read where, and where it lies.

    `affine` is (4, 4) index to LPS mm; `shape` is three-dimensional; `slope`, `inter` are the scaling (1, 0 if none).
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    offset: int
    slope: float
    inter: float
    affine: NDArray[np.float64]
    label_xml: str | None
    notes: tuple[str, ...]


def read_header(path: Path, settings: ReadSettings = DEFAULT) -> NiftiHeader:
    """Read and check the header of a single-file NIfTI-1 or NIfTI-2 image.

    Raises
    ------
    ImageError : not NIfTI, truncated, not three-dimensional, unusable number type, impossible spacing or size, more
        than the limits allow, or statements of its place that contradict one another.
    """
    raw, head = _raw_header(path, settings.limits)
    shape = _shape(path, raw, settings.limits)
    dtype = _number_type(path, raw)
    offset = _offset(path, raw, settings.limits)
    slope, inter = _scaling(path, raw)
    _check_memory(path, shape, kept_type(dtype, slope, inter), settings.limits)
    _check_fits_in_file(path, shape, dtype, offset)
    affine, notes = lps_affine(path, raw, settings.trust_affine)
    _check_geometry(path, shape, affine)
    return NiftiHeader(
        shape=shape, dtype=dtype, offset=offset, slope=slope, inter=inter, affine=affine,
        label_xml=_label_extension(raw, head, offset, settings.limits), notes=notes,
    )  # fmt: skip


def kept_type(dtype: np.dtype[Any], slope: float, inter: float) -> np.dtype[Any]:
    """The type in which stored numbers are kept: float32 for reals and scaled numbers, at most int32 for whole ones."""
    if slope != 1 or inter != 0 or dtype.kind == "f":
        return np.dtype(np.float32)
    return np.dtype(np.int32) if dtype.itemsize > 2 else np.dtype(dtype.newbyteorder("="))


def _raw_header(path: Path, limits: Limits) -> tuple[Any, bytes]:
    """The header as stored, and all bytes before the voxels where it has extensions.

    nibabel's own repairs (taking the absolute value of a spacing) and its reading of extensions are not wanted here.
    """
    try:
        with plain_bytes(path) as stream:
            head = stream.read(544)
            kind = _header_class(path, head)
            if _has_extension(kind, head):
                head += stream.read(limits.header_bytes - len(head))
    except (OSError, EOFError, zlib.error) as error:
        raise ImageError(
            f"{name_of(path)} cannot be read: {one_line(error)}", "the file is damaged or cut short", _CONVERT
        ) from error
    try:
        size = 348 if kind is nib.Nifti1Header else 540
        return kind.from_fileobj(io.BytesIO(head[:size] + bytes(4)), check=False), head
    except Exception as error:  # nibabel raises many kinds on broken bytes; all mean the same to the user
        raise ImageError(f"{name_of(path)} has an unreadable NIfTI header: {one_line(error)}", "", _CONVERT) from error


def _header_class(path: Path, head: bytes) -> Any:
    size = head[:4]
    for kind, length in ((nib.Nifti1Header, 348), (nib.Nifti2Header, 540)):
        if size in (length.to_bytes(4, "little"), length.to_bytes(4, "big")) and len(head) >= length:
            magic = head[344:348] if length == 348 else head[4:8]
            if magic[:3] in (b"n+1", b"n+2"):
                return kind
            if magic[:3] in (b"ni1", b"ni2") or path.suffix in (".hdr", ".img"):
                raise ImageError(f"{name_of(path)} is half of a .hdr/.img pair", "pairs are not read", _CONVERT)
    raise ImageError(f"{name_of(path)} is not a NIfTI file", "its first bytes are no NIfTI header", _CONVERT)


def _has_extension(kind: Any, head: bytes) -> bool:
    at = 348 if kind is nib.Nifti1Header else 540
    return len(head) > at and head[at] != 0


def _shape(path: Path, raw: Any, limits: Limits) -> tuple[int, int, int]:
    dim = [int(n) for n in raw["dim"]]
    if not 1 <= dim[0] <= 7 or any(n < 1 for n in dim[1 : dim[0] + 1]):
        raise ImageError(f"{name_of(path)} has impossible dimensions {dim}", "the header is damaged", _CONVERT)
    shape = dim[1 : dim[0] + 1]
    if any(n > 1 for n in shape[3:]):
        raise ImageError(
            f"{name_of(path)} has {len(shape)} dimensions {tuple(shape)}",
            "one three-dimensional volume is needed",
            "extract a single volume from it",
        )
    shape = [*shape, 1, 1][:3]
    if min(shape) < 2:
        raise ImageError(
            f"{name_of(path)} is a single slice {tuple(shape)}", "a volume is needed", "give the whole scan"
        )
    if shape[0] * shape[1] * shape[2] > limits.voxels:
        raise ImageError(f"{name_of(path)} claims {tuple(shape)} voxels", f"at most {limits.voxels} are read", RAISE)
    return shape[0], shape[1], shape[2]


def _number_type(path: Path, raw: Any) -> np.dtype[Any]:
    try:
        dtype = raw.get_data_dtype()
    except Exception as error:  # unknown codes raise several kinds
        raise ImageError(f"{name_of(path)} has an unknown number type {int(raw['datatype'])}", "", _CONVERT) from error
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise ImageError(f"{name_of(path)} holds {dtype} values", "whole or real numbers are needed", _CONVERT)
    return np.dtype(dtype)


def _offset(path: Path, raw: Any, limits: Limits) -> int:
    offset = float(raw["vox_offset"])
    least = 352 if isinstance(raw, nib.Nifti1Header) and not isinstance(raw, nib.Nifti2Header) else 544
    if not np.isfinite(offset) or offset < 0:
        raise ImageError(f"{name_of(path)} puts its voxels at byte {offset:g}", "the header is damaged", _CONVERT)
    if offset > limits.header_bytes:
        raise ImageError(
            f"{name_of(path)} puts its voxels at byte {offset:g}", f"at most {limits.header_bytes} are read", RAISE
        )
    return max(int(offset), least)


def _check_memory(path: Path, shape: tuple[int, int, int], kept: np.dtype[Any], limits: Limits) -> None:
    needed = shape[0] * shape[1] * shape[2] * kept.itemsize
    if needed > limits.volume_bytes:
        raise ImageError(
            f"{name_of(path)} claims {shape} voxels, {needed / 2**30:.1f} GiB as {kept}",
            f"at most {limits.volume_bytes / 2**30:.1f} GiB are read",
            f"save it as 16-bit whole numbers, or {RAISE}",
        )


def _check_fits_in_file(path: Path, shape: tuple[int, int, int], dtype: np.dtype[Any], offset: int) -> None:
    needed = offset + shape[0] * shape[1] * shape[2] * dtype.itemsize
    available = path.stat().st_size * (MAX_DEFLATE_RATIO if is_zipped(path) else 1)
    if available < needed:
        raise ImageError(
            f"{name_of(path)} is cut short: {shape} voxels need {needed} bytes, the file has {path.stat().st_size}",
            "part of the scan is missing",
            "copy or export it again",
        )


def _scaling(path: Path, raw: Any) -> tuple[float, float]:
    slope, inter = float(raw["scl_slope"]), float(raw["scl_inter"])
    if slope == 0 or (np.isnan(slope) and np.isnan(inter)):
        return 1.0, 0.0
    if not np.isfinite(slope) or not np.isfinite(inter):
        raise ImageError(f"{name_of(path)} has the scaling {slope:g}, {inter:g}", "values cannot be computed", _CONVERT)
    return slope, inter


def _check_geometry(path: Path, shape: tuple[int, int, int], affine: NDArray[np.float64]) -> None:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    size = f"{spacing[0]:g} x {spacing[1]:g} x {spacing[2]:g} mm"
    if not is_invertible(affine) or (spacing < MIN_SPACING_MM).any() or (spacing > MAX_SPACING_MM).any():
        raise ImageError(f"{name_of(path)} has voxels of {size}", "no spine CT has such voxels", _CONVERT)
    if (spacing * np.array(shape) > MAX_EXTENT_MM).any() or np.abs(affine[:3, 3]).max() > MAX_FROM_ORIGIN_MM:
        raise ImageError(
            f"{name_of(path)} spans {shape} voxels of {size} from {affine[:3, 3].tolist()} mm",
            "that is larger or farther than any patient",
            _CONVERT,
        )


def _label_extension(raw: Any, head: bytes, offset: int, limits: Limits) -> str | None:
    """The XML label table that TotalSegmentator and Slicer leave in a header extension, if any."""
    start = 544 if isinstance(raw, nib.Nifti2Header) else 352
    little = raw.endianness == "<"
    return label_table(head[:offset], start, little_endian=little, max_bytes=limits.table_bytes)

"""What a NIfTI header says about shape, numbers and place in the patient, checked before anything is allocated."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from endplate.errors import ImageError
from endplate.image.error_text import one_line

# Limits that keep a broken header from asking for absurd memory or passing nonsense on.
MAX_VOXELS = 2**31  # a whole body at 0.5 mm has about 1e9
MAX_OFFSET_BYTES = 2**26
MIN_SPACING_MM, MAX_SPACING_MM = 0.02, 20.0  # micro-CT to the thickest clinical slices
MAX_EXTENT_MM = 3000.0  # no patient is longer
MAX_FROM_ORIGIN_MM = 1e5
# DEFLATE cannot expand by more than 1032:1.
MAX_DEFLATE_RATIO = 1040

_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_CONVERT = "convert it to .nii.gz, or give the DICOM series folder"
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


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


def open_maybe_gzip(path: Path) -> IO[bytes]:
    """The file as a stream of plain bytes; compression is told by its first bytes, not by the name."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path, "rb") if zipped else path.open("rb"))


def read_header(path: Path) -> NiftiHeader:
    """Read and check the header of a single-file NIfTI-1 or NIfTI-2 image.

    Raises
    ------
    ImageError : not NIfTI, truncated, not three-dimensional, unusable number type, or impossible spacing or size.
    """
    raw = _raw_header(path)
    shape = _shape(path, raw)
    dtype = _number_type(path, raw)
    offset = _offset(path, raw)
    _check_fits_in_file(path, shape, dtype, offset)
    slope, inter = _scaling(path, raw)
    affine, notes = _lps_affine(path, raw)
    _check_geometry(path, shape, affine)
    return NiftiHeader(
        shape=shape, dtype=dtype, offset=offset, slope=slope, inter=inter, affine=affine,
        label_xml=_label_extension(raw), notes=notes,
    )  # fmt: skip


def _raw_header(path: Path) -> Any:
    """The header as stored: nibabel's own repairs (taking the absolute value of a spacing) are not wanted here."""
    try:
        with open_maybe_gzip(path) as stream:
            head = stream.read(544)
            kind = _header_class(path, head)
            stream.seek(0)
            prefix = stream.read(MAX_OFFSET_BYTES if _has_extension(kind, head) else 544)
    except (OSError, EOFError, zlib.error) as error:
        raise ImageError(
            f"{path.name} cannot be read: {one_line(error)}", "the file is damaged or cut short", _CONVERT
        ) from error
    try:
        return kind.from_fileobj(io.BytesIO(prefix), check=False)
    except Exception as error:  # nibabel raises many kinds on broken bytes; all mean the same to the user
        raise ImageError(f"{path.name} has an unreadable NIfTI header: {one_line(error)}", "", _CONVERT) from error


def _header_class(path: Path, head: bytes) -> Any:
    size = head[:4]
    for kind, length in ((nib.Nifti1Header, 348), (nib.Nifti2Header, 540)):
        if size in (length.to_bytes(4, "little"), length.to_bytes(4, "big")) and len(head) >= length:
            magic = head[344:348] if length == 348 else head[4:8]
            if magic[:3] in (b"n+1", b"n+2"):
                return kind
            if magic[:3] in (b"ni1", b"ni2") or path.suffix in (".hdr", ".img"):
                raise ImageError(f"{path.name} is half of a .hdr/.img pair", "pairs are not read", _CONVERT)
    raise ImageError(f"{path.name} is not a NIfTI file", "its first bytes are no NIfTI header", _CONVERT)


def _has_extension(kind: Any, head: bytes) -> bool:
    at = 348 if kind is nib.Nifti1Header else 540
    return len(head) > at and head[at] != 0


def _shape(path: Path, raw: Any) -> tuple[int, int, int]:
    dim = [int(n) for n in raw["dim"]]
    if not 1 <= dim[0] <= 7 or any(n < 1 for n in dim[1 : dim[0] + 1]):
        raise ImageError(f"{path.name} has impossible dimensions {dim}", "the header is damaged", _CONVERT)
    shape = dim[1 : dim[0] + 1]
    if any(n > 1 for n in shape[3:]):
        raise ImageError(
            f"{path.name} has {len(shape)} dimensions {tuple(shape)}",
            "one three-dimensional volume is needed",
            "extract a single volume from it",
        )
    shape = [*shape, 1, 1][:3]
    if min(shape) < 2:
        raise ImageError(f"{path.name} is a single slice {tuple(shape)}", "a volume is needed", "give the whole scan")
    if np.prod(np.array(shape, dtype=object)) > MAX_VOXELS:
        raise ImageError(f"{path.name} claims {tuple(shape)} voxels", "that is more than any scan has", _CONVERT)
    return shape[0], shape[1], shape[2]


def _number_type(path: Path, raw: Any) -> np.dtype[Any]:
    try:
        dtype = raw.get_data_dtype()
    except Exception as error:  # unknown codes raise several kinds
        raise ImageError(f"{path.name} has an unknown number type {int(raw['datatype'])}", "", _CONVERT) from error
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise ImageError(f"{path.name} holds {dtype} values", "whole or real numbers are needed", _CONVERT)
    return np.dtype(dtype)


def _offset(path: Path, raw: Any) -> int:
    offset = float(raw["vox_offset"])
    least = 352 if isinstance(raw, nib.Nifti1Header) and not isinstance(raw, nib.Nifti2Header) else 544
    if not np.isfinite(offset) or not 0 <= offset <= MAX_OFFSET_BYTES:
        raise ImageError(f"{path.name} puts its voxels at byte {offset:g}", "the header is damaged", _CONVERT)
    return max(int(offset), least)


def _check_fits_in_file(path: Path, shape: tuple[int, int, int], dtype: np.dtype[Any], offset: int) -> None:
    needed = offset + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    available = path.stat().st_size * (MAX_DEFLATE_RATIO if zipped else 1)
    if available < needed:
        raise ImageError(
            f"{path.name} is cut short: {shape} voxels need {needed} bytes, the file has {path.stat().st_size}",
            "part of the scan is missing",
            "copy or export it again",
        )


def _scaling(path: Path, raw: Any) -> tuple[float, float]:
    slope, inter = float(raw["scl_slope"]), float(raw["scl_inter"])
    if slope == 0 or (np.isnan(slope) and np.isnan(inter)):
        return 1.0, 0.0
    if not np.isfinite(slope) or not np.isfinite(inter):
        raise ImageError(f"{path.name} has the scaling {slope:g}, {inter:g}", "values cannot be computed", _CONVERT)
    return slope, inter


def _lps_affine(path: Path, raw: Any) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The affine to LPS mm: sform, else qform, else the voxel sizes alone, and what had to be said about it."""
    spacing = np.array([float(v) for v in raw["pixdim"][1:4]])
    if not np.isfinite(spacing).all() or (spacing <= 0).any():
        raise ImageError(
            f"{path.name} has the voxel size {spacing[0]:g} x {spacing[1]:g} x {spacing[2]:g}",
            "zero, negative or undefined spacing gives no lengths",
            _CONVERT,
        )
    sform, qform = _usable_sform(raw), _usable_qform(raw)
    notes = []
    if sform is not None:
        affine = sform
        if qform is not None and not _agree(sform, qform, np.array(raw["dim"][1:4], float)):
            notes.append("sform and qform disagree; the sform is used")
        elif not np.allclose(np.linalg.norm(sform[:3, :3], axis=0), spacing, rtol=0.01):
            notes.append("the sform and the voxel sizes in the header disagree; the sform is used")
    elif qform is not None:
        affine = qform
        if int(raw["sform_code"]) > 0:
            notes.append("the sform is unusable; the qform is used")
    else:
        affine = np.asarray(raw.get_base_affine(), float)
        notes.append("the file states no orientation (no sform, no qform): left and right are assumed, not known")
    factor = _MM_PER_UNIT.get(int(raw["xyzt_units"]) & 7)
    if factor is None:
        raise ImageError(f"{path.name} has an unknown unit of length", "", _CONVERT)
    if factor != 1:
        notes.append(f"lengths converted to mm by {factor:g}")
        affine = np.diag([factor, factor, factor, 1.0]) @ affine
    return _RAS_TO_LPS @ affine, tuple(notes)


def _usable_sform(raw: Any) -> NDArray[np.float64] | None:
    if int(raw["sform_code"]) <= 0:
        return None
    with np.errstate(all="ignore"):  # broken numbers are judged below
        affine = np.asarray(raw.get_sform(), float)
    return affine if _invertible(affine) else None


def _usable_qform(raw: Any) -> NDArray[np.float64] | None:
    if int(raw["qform_code"]) <= 0:
        return None
    try:
        with np.errstate(all="ignore"):
            affine = np.asarray(raw.get_qform(), float)
    except Exception:  # an impossible quaternion or qfac is the same as none
        return None
    return affine if _invertible(affine) else None


def _invertible(affine: NDArray[np.float64]) -> bool:
    if not np.isfinite(affine).all():
        return False
    columns = np.linalg.norm(affine[:3, :3], axis=0)
    # Axes closer to one plane than this volume fraction do not span space.
    return bool((columns > 0).all() and abs(np.linalg.det(affine[:3, :3] / columns)) > 1e-2)


def _agree(a: NDArray[np.float64], b: NDArray[np.float64], shape: NDArray[np.float64]) -> bool:
    """Whether two affines place the far corners within half a voxel of each other."""
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    corners[:, :3] *= shape - 1
    apart = np.abs(corners @ (a - b).T).max()
    return bool(apart <= 0.5 * np.linalg.norm(a[:3, :3], axis=0).min())


def _check_geometry(path: Path, shape: tuple[int, int, int], affine: NDArray[np.float64]) -> None:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    told = f"{spacing[0]:g} x {spacing[1]:g} x {spacing[2]:g} mm"
    if not _invertible(affine) or (spacing < MIN_SPACING_MM).any() or (spacing > MAX_SPACING_MM).any():
        raise ImageError(f"{path.name} has voxels of {told}", "no spine CT has such voxels", _CONVERT)
    if (spacing * np.array(shape) > MAX_EXTENT_MM).any() or np.abs(affine[:3, 3]).max() > MAX_FROM_ORIGIN_MM:
        raise ImageError(
            f"{path.name} spans {shape} voxels of {told} from {affine[:3, 3].tolist()} mm",
            "that is larger or farther than any patient",
            _CONVERT,
        )


def _label_extension(raw: Any) -> str | None:
    """The XML label table that TotalSegmentator and Slicer leave in a header extension, if any."""
    for extension in raw.extensions:
        try:
            content = extension.get_content()
        except Exception:  # a foreign or broken extension says nothing about labels
            continue
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
        if "<Label " in text:
            return text.rstrip("\x00 \n")
    return None

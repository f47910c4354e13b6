"""Read NIfTI. The flip between NIfTI's RAS and our LPS happens in this reader and in the writer, nowhere else."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.errors import ImageError
from endplate.image.error_text import name_of, one_line
from endplate.image.file_type import is_ordinary
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.nifti.gunzip import Gunzip, Plain, plain_bytes
from endplate.image.nifti.header import NiftiHeader, kept_type, read_header
from endplate.image.orient import StoredAxes, empty_lps, reoriented_affine, stored_axes
from endplate.image.volume import Grid

_AGAIN = "copy or export it again"
_PIECE_VOXELS = 2**20
MAX_SURPLUS_BYTES = 512  # some writers pad to a block


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NiftiImage:
    """Values on a canonical LPS grid, with what the file says about its labels.

    `values` is (I, J, K): the stored whole numbers where there is no scaling (wider ones as int32, cut to its range),
    int16 where scaling gives whole numbers that fit, else float32. `axes` says how the axes lay in the file.
    """

    grid: Grid
    values: NDArray[Any]
    label_xml: str | None
    notes: tuple[str, ...]
    axes: StoredAxes


def read_nifti(path: Path, settings: ReadSettings = DEFAULT) -> NiftiImage:
    """Read a NIfTI file of any orientation into the axis order closest to LPS.

    Raises
    ------
    ImageError : missing, truncated, not NIfTI, not one volume, impossible geometry, or larger than the limits.
    """
    if not is_ordinary(path):
        raise ImageError(f"{name_of(path)} is not an ordinary file", "", "check the path")
    header = read_header(path, settings)
    axes = stored_axes(header.affine)
    affine = reoriented_affine(header.shape, header.affine, axes.order, axes.flips)
    values = _read_voxels(path, header)
    i, j, k = values.shape
    grid = Grid(shape=(i, j, k), affine=affine)
    return NiftiImage(grid=grid, values=values, label_xml=header.label_xml, notes=header.notes, axes=axes)


def _read_voxels(path: Path, header: NiftiHeader) -> NDArray[Any]:
    """The numbers (I, J, K) in LPS order, never twice in memory; a gzip sum is checked by reading to the end."""
    exact = header.dtype.kind in "iu" and header.slope == int(header.slope) and header.inter == int(header.inter)
    scaled = (header.slope, header.inter) != (1.0, 0.0)
    kinds = [np.dtype(np.int16)] if exact and scaled else []
    try:
        for kept in (*kinds, kept_type(header.dtype, header.slope, header.inter)):
            values, as_stored = empty_lps(header.shape, header.affine, kept)
            with plain_bytes(path) as stream:
                _skip(stream, header.offset)
                if _fill(stream, as_stored, header):
                    _check_end(path, stream, header)
                    return values
    except (OSError, EOFError, zlib.error) as error:
        raise ImageError(
            f"{name_of(path)} is cut short or damaged: {one_line(error)}", "part of the scan is missing", _AGAIN
        ) from error
    raise ImageError(f"{name_of(path)} cannot be scaled", "", _AGAIN)


def _skip(stream: Gunzip | Plain, count: int) -> None:
    if len(stream.read(count)) < count:
        raise EOFError("it ends within its header")


def _fill(stream: Gunzip | Plain, target: NDArray[Any], header: NiftiHeader) -> bool:
    """Read, scale and place the voxels, some planes at a time; False as soon as one does not fit the target's type."""
    plane = header.shape[0] * header.shape[1]
    planes = max(1, _PIECE_VOXELS // plane)
    for first in range(0, header.shape[2], planes):
        count = min(planes, header.shape[2] - first)
        needed = plane * count * header.dtype.itemsize
        content = stream.read(needed)
        if len(content) < needed:
            raise EOFError(f"{first} of {header.shape[2]} planes of voxels")
        stored = np.frombuffer(content, header.dtype).reshape((*header.shape[:2], count), order="F")
        piece = _scaled(stored, target.dtype, header.slope, header.inter)
        if piece is None:
            return False
        target[:, :, first : first + count] = piece
    return True


def _scaled(stored: NDArray[Any], kept: np.dtype[Any], slope: float, inter: float) -> NDArray[Any] | None:
    """Stored numbers in the type in which they are kept; None where int16 is too narrow for them."""
    with np.errstate(all="ignore"):  # what overflows becomes infinite and is refused by what reads it
        if (slope, inter) != (1.0, 0.0):
            scaled = stored * np.float64(slope) + np.float64(inter)
            if kept == np.int16 and (scaled.min() < -(2**15) or scaled.max() >= 2**15):
                return None
            return scaled.astype(kept)
        if kept == np.int32 and stored.dtype.itemsize == 8:  # no CT and no label lies beyond
            stored = np.minimum(stored, 2**31 - 1) if stored.dtype.kind == "u" else np.clip(stored, -(2**31), 2**31 - 1)
        elif kept == np.int32 and stored.dtype.kind == "u":
            stored = np.minimum(stored, 2**31 - 1)
        return stored.astype(kept, copy=False)


def _check_end(path: Path, stream: Gunzip | Plain, header: NiftiHeader) -> None:
    """Refuse a file that goes on behind its voxels; never read how far."""
    if len(stream.read(MAX_SURPLUS_BYTES + 1)) > MAX_SURPLUS_BYTES:
        raise ImageError(
            f"{name_of(path)} goes on behind the {header.shape} voxels of its header",
            "the header is damaged and the voxels would be out of place",
            _AGAIN,
        )

"""Read and write NIfTI. The flip between NIfTI's RAS and our LPS happens in this reader and writer, nowhere else."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from endplate.atomic import atomic_path
from endplate.errors import ImageError
from endplate.image.error_text import one_line
from endplate.image.nifti.header import NiftiHeader, open_maybe_gzip, read_header
from endplate.image.orient import closest_lps
from endplate.image.volume import Grid, LabelMap
from endplate.level import FROM_VERSE_ID

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_AGAIN = "copy or export it again"
_READ_BYTES = 2**24
MAX_SURPLUS_BYTES = 512  # some writers pad to a block


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NiftiImage:
    """Values on a canonical LPS grid, with what the file says about its labels.

    `values` is (I, J, K): the stored integers where there is no scaling, else float32 (or int16 where exact).
    """

    grid: Grid
    values: NDArray[Any]
    label_xml: str | None
    notes: tuple[str, ...]


def read_nifti(path: Path) -> NiftiImage:
    """Read a NIfTI file of any orientation into the axis order closest to LPS.

    Raises
    ------
    ImageError : missing, truncated, not NIfTI, not one volume, or impossible geometry.
    """
    if not path.is_file():
        raise ImageError(f"{path} is not a file", "", "check the path")
    header = read_header(path)
    stored = _read_voxels(path, header)
    with np.errstate(all="ignore"):  # what overflows becomes infinite and is refused by what reads it
        values = _scale(stored, header.slope, header.inter)
    values, affine = closest_lps(values, header.affine)
    i, j, k = values.shape
    return NiftiImage(
        grid=Grid(shape=(i, j, k), affine=affine), values=values, label_xml=header.label_xml, notes=header.notes
    )


def _read_voxels(path: Path, header: NiftiHeader) -> NDArray[Any]:
    """The stored numbers (I, J, K) in native byte order; the gzip checksum is verified by reading to the end."""
    try:
        with open_maybe_gzip(path) as stream:
            stream.seek(header.offset)
            values: NDArray[Any] = np.empty(int(np.prod(header.shape)), header.dtype)
            _fill(stream, values.view(np.uint8).data)
            surplus = 0
            while piece := stream.read(_READ_BYTES):
                surplus += len(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise ImageError(
            f"{path.name} is cut short or damaged: {one_line(error)}", "part of the scan is missing", _AGAIN
        ) from error
    if surplus > MAX_SURPLUS_BYTES:
        raise ImageError(
            f"{path.name} holds {surplus} bytes more than the {header.shape} voxels of its header",
            "the header is damaged and the voxels would be out of place",
            _AGAIN,
        )
    if not values.dtype.isnative:
        values = values.byteswap(inplace=True).view(values.dtype.newbyteorder("="))
    return values.reshape(header.shape, order="F")


def _fill(stream: IO[bytes], target: memoryview) -> None:
    done = 0
    while done < len(target):
        piece = stream.read(min(_READ_BYTES, len(target) - done))
        if not piece:
            raise EOFError(f"{done} of {len(target)} bytes of voxels")
        target[done : done + len(piece)] = piece
        done += len(piece)


def _scale(stored: NDArray[Any], slope: float, inter: float) -> NDArray[Any]:
    """Apply the scaling with the smallest type that holds the result exactly."""
    if slope == 1 and inter == 0:
        return stored if stored.dtype != np.float64 else stored.astype(np.float32)
    exact = stored.dtype.kind in "iu" and slope == int(slope) and inter == int(inter)
    if exact:
        ends = sorted(int(end) * int(slope) + int(inter) for end in (stored.min(), stored.max()))
        exact = ends[0] >= np.iinfo(np.int16).min and ends[1] <= np.iinfo(np.int16).max
    scaled = np.empty(stored.shape, np.int16 if exact else np.float32, order="F")
    for k in range(stored.shape[2]):  # slice by slice, so that no wide copy of the whole scan is made
        scaled[:, :, k] = stored[:, :, k] * np.float64(slope) + np.float64(inter)
    return scaled


def write_volume(path: Path, grid: Grid, array: NDArray[Any]) -> None:
    """Write an array (I, J, K) on its grid as NIfTI, whole or not at all.

    Parameters
    ----------
    path : .nii or .nii.gz.
    array : any integer or float type; bool becomes uint8, float64 becomes float32.

    Raises
    ------
    OutputError : the file cannot be written.
    """
    _write(path, grid, array, None)


def _write(path: Path, grid: Grid, array: NDArray[Any], label_xml: str | None) -> None:
    if tuple(array.shape) != grid.shape:
        raise ValueError(f"array {array.shape} does not fit the grid {grid.shape}")
    stored = array.astype(np.uint8) if array.dtype == bool else array
    stored = stored.astype(np.float32) if stored.dtype == np.float64 else stored
    stored = stored.astype(np.int32) if stored.dtype in (np.int64, np.uint64) else stored
    image = nib.Nifti1Image(stored, _LPS_TO_RAS @ grid.affine)
    image.header.set_xyzt_units("mm")
    image.set_qform(image.affine, code="scanner")
    image.set_sform(image.affine, code="scanner")
    if label_xml is not None:
        # Code 0 ("unknown") is what TotalSegmentator uses for the same table.
        image.header.extensions.append(nib.nifti1.Nifti1Extension(0, label_xml.encode("utf-8")))
    with atomic_path(path) as temporary:
        nib.save(image, temporary)


def write_labels(path: Path, labels: LabelMap) -> None:
    """Write a label map (VerSe numbers) as NIfTI with the level names in the header extension.

    Raises
    ------
    OutputError : the file cannot be written.
    """
    present = [FROM_VERSE_ID[int(n)] for n in np.unique(labels.labels) if int(n) in FROM_VERSE_ID]
    rows = "".join(f'<Label Key="{level.verse_id}"><![CDATA[vertebrae_{level}]]></Label>' for level in present)
    xml = f'<?xml version="1.0" encoding="UTF-8"?><CaretExtension><VolumeInformation Index="0"><LabelTable>{rows}'
    _write(path, labels.grid, labels.labels, xml + "</LabelTable></VolumeInformation></CaretExtension>")

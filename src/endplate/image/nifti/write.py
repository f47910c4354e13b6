"""Write NIfTI: any box of a scan on the whole grid of the scan, in the axis order of the file that it was read from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from endplate.atomic import atomic_path
from endplate.image.nifti.meaning import Meaning
from endplate.image.nifti.sparse_gzip import SparseGzip
from endplate.image.orient import LPS_AXES, LPS_RAS, StoredAxes
from endplate.image.volume import Grid, LabelMap
from endplate.level import FROM_VERSE_ID

_NARROW = {"b": np.uint8, "f": np.float32}
_XML = '<?xml version="1.0" encoding="UTF-8"?><CaretExtension><VolumeInformation Index="0"><LabelTable>'
VERSE = Meaning(what="vertebra labels, VerSe numbers", unit="", name="VerSe number", label=True)


def write_volume(
    path: Path, grid: Grid, array: NDArray[Any], axes: StoredAxes = LPS_AXES, meaning: Meaning | None = None
) -> None:
    """Write an array (I, J, K) on its grid as NIfTI, whole or not at all.

    Parameters
    ----------
    path : .nii or .nii.gz.
    grid : where the voxels lie, in the axis order closest to LPS, as the array.
    array : any integer or float type; bool becomes uint8, float64 becomes float32.
    axes : the order in which the axes are stored.
    meaning : what the numbers say, for the header.

    Raises
    ------
    OutputError : the file cannot be written.
    """
    if tuple(array.shape) != grid.shape:
        raise ValueError(f"array {array.shape} does not fit the grid {grid.shape}")
    write_box(path, grid, array, (0, 0, 0), axes, meaning)


def write_labels(path: Path, labels: LabelMap, axes: StoredAxes | None = None) -> None:
    """Write a label map (VerSe numbers) as NIfTI with the level names in the header extension.

    Parameters
    ----------
    axes : the order in which the axes are stored; that of the file that the labels came from where it is None.

    Raises
    ------
    OutputError : the file cannot be written.
    """
    seen = np.zeros(2**16, bool)
    seen[labels.labels.reshape(-1)] = True  # a scan has 100 million voxels: sorting them takes seconds
    present = [FROM_VERSE_ID[int(n)] for n in np.flatnonzero(seen) if int(n) in FROM_VERSE_ID]
    rows = "".join(f'<Label Key="{level.verse_id}"><![CDATA[vertebrae_{level}]]></Label>' for level in present)
    xml = f"{_XML}{rows}</LabelTable></VolumeInformation></CaretExtension>"
    narrow = labels.labels if seen[256:].any() else labels.labels.astype(np.uint8)
    write_box(path, labels.grid, narrow, (0, 0, 0), axes or labels.axes, VERSE, xml)


def write_box(
    path: Path,
    grid: Grid,
    box: NDArray[Any],
    start: tuple[int, int, int],
    axes: StoredAxes = LPS_AXES,
    meaning: Meaning | None = None,
    label_xml: str | None = None,
) -> None:
    """Write a grid that is zero but for a box, whole or not at all; only the box is ever in memory.

    Parameters
    ----------
    path : .nii or .nii.gz. grid : the whole grid, axis order closest to LPS.
    box : (I, J, K) its values, as of `write_volume`. start : index in the grid of the box's first voxel.
    axes, meaning : as of `write_volume`. label_xml : table of label names for the header extension.

    Raises
    ------
    OutputError : the file cannot be written. ValueError : the box reaches past the grid.
    """
    ends = np.array(start) + box.shape
    if min(start) < 0 or (ends > grid.shape).any():
        raise ValueError(f"a box of {box.shape} at {start} reaches past the grid {grid.shape}")
    stored = axes.as_stored(_stored_type(box))
    first = axes.stored_start(grid.shape, start, (box.shape[0], box.shape[1], box.shape[2]))
    shape = axes.stored_shape(grid.shape)
    header = _header(shape, stored.dtype, LPS_RAS @ axes.stored_affine(grid.shape, grid.affine), meaning, label_xml)
    with atomic_path(path) as temporary, temporary.open("wb") as stream, _sink(path, stream) as sink:
        sink.write(header)
        _write_planes(sink, stored, first, shape)


def _write_planes(
    sink: SparseGzip | _Plain, box: NDArray[Any], first: tuple[int, int, int], shape: tuple[int, int, int]
) -> None:
    """The voxels, first axis fastest, plane by plane; empty planes are passed on as a count of zeros."""
    plane = np.zeros(shape[:2], box.dtype, order="F")
    size, empty = plane.nbytes, first[2] * plane.nbytes
    window = tuple(slice(a, a + n) for a, n in zip(first[:2], box.shape[:2], strict=True))
    for number in range(box.shape[2]):
        values = box[:, :, number]
        if not values.any():
            empty += size
            continue
        sink.zeros(empty)
        empty = 0
        plane[window] = values
        sink.write(plane.tobytes(order="F"))
    sink.zeros(empty + (shape[2] - first[2] - box.shape[2]) * size)


def _stored_type(array: NDArray[Any]) -> NDArray[Any]:
    """The array in a type that every reader knows."""
    if array.dtype.kind in _NARROW and array.dtype != np.float32:
        return array.astype(_NARROW[array.dtype.kind])
    return array.astype(np.int32) if array.dtype.itemsize == 8 else array


def _header(
    shape: tuple[int, int, int], dtype: Any, affine: NDArray[np.float64], meaning: Meaning | None, xml: str | None
) -> bytes:
    header = nib.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(dtype)
    header.set_xyzt_units("mm")
    header.set_qform(affine, code="scanner")
    header.set_sform(affine, code="scanner")
    header.set_slope_inter(1.0, 0.0)
    if meaning is not None:
        meaning.write_into(header)
    if xml is not None:
        # Code 0 ("unknown") is what TotalSegmentator uses for the same table.
        header.extensions.append(nib.nifti1.Nifti1Extension(0, xml.encode("utf-8")))
    content = BytesIO()
    header["magic"] = b"n+1"
    header.set_data_offset(352 + sum(extension.get_sizeondisk() for extension in header.extensions))
    header.write_to(content)
    content.write(bytes(int(header["vox_offset"]) - content.tell()))
    return content.getvalue()


class _Plain:
    """The same as `SparseGzip` for a file that is not compressed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, content: bytes) -> int:
        return self._stream.write(content)

    def zeros(self, count: int) -> None:
        while count > 0:
            count -= self._stream.write(bytes(min(count, 2**22)))


@contextmanager
def _sink(path: Path, stream: BinaryIO) -> Iterator[SparseGzip | _Plain]:
    if path.name.endswith(".gz"):
        packed = SparseGzip(stream)
        yield packed
        packed.end()
    else:
        yield _Plain(stream)

"""Small files that claim to be huge, built when a test asks for them: each must be refused at little cost."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless
from tests.support.small_spine import dicom_slices, grid, spine

from endplate.image.dicom.meta import file_meta

ON = grid(shape=(18, 22, 16), spacing=(4.0, 4.0, 5.0))
FLAT = grid(shape=(40, 40, 3), spacing=(2.0, 2.0, 8.0))
_MEGABYTE = 2**20


def nifti_header(shape: tuple[int, int, int], dtype: str = "<i2", *, extension: bytes = b"") -> bytes:
    """The first bytes of a NIfTI-1 file of that shape, up to its voxels."""
    header = nib.Nifti1Header()
    header.set_data_dtype(np.dtype(dtype))
    header.set_data_shape(shape)
    header.set_zooms((1.0, 1.0, 1.0))
    header.set_sform(np.diag([-1.0, -1.0, 1.0, 1.0]), 1)
    header["vox_offset"] = 352 + len(extension)
    header["magic"] = b"n+1"
    return header.binaryblock + (b"\1\0\0\0" if extension else bytes(4)) + extension


def zeros_gzipped(path: Path, head: bytes, count: int, tail: bytes = b"") -> Path:
    """`head`, `count` zero bytes and `tail` as gzip, written a megabyte at a time."""
    packer = zlib.compressobj(9, wbits=31)
    with path.open("wb") as stream:
        stream.write(packer.compress(head))
        for _ in range(count // _MEGABYTE):
            stream.write(packer.compress(bytes(_MEGABYTE)))
        stream.write(packer.compress(bytes(count % _MEGABYTE) + tail) + packer.flush())
    return path


def huge_nifti(folder: Path) -> Path:
    """2^31 voxels of nothing."""
    return zeros_gzipped(folder / "huge.nii.gz", nifti_header((2048, 1024, 1024)), 2**29)


def full_nifti(folder: Path) -> Path:
    """As many whole-number voxels as the limits allow, all air."""
    return zeros_gzipped(folder / "full.nii.gz", nifti_header((512, 512, 2048)), 2**30)


def wide_nifti(folder: Path) -> Path:
    """Doubles that take a gigabyte as floats."""
    return zeros_gzipped(folder / "wide.nii.gz", nifti_header((512, 512, 1024), "<f8"), 2**31)


def surplus(folder: Path) -> Path:
    """A small volume with two gigabytes behind it."""
    return zeros_gzipped(folder / "surplus.nii.gz", nifti_header((8, 8, 8)), 2**31)


def named_member(folder: Path) -> Path:
    """A gzip member whose stored name is 60 MB long."""
    body = zlib.compress(nifti_header((8, 8, 8)) + bytes(1024))[2:-4]
    head = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (60 * _MEGABYTE) + b"\0"
    (folder / "named.nii.gz").write_bytes(head + body + bytes(8))
    return folder / "named.nii.gz"


def nested_xml(folder: Path) -> Path:
    """A label table that is nested a million deep."""
    xml = b'<Label Key="1">' + b"<a>" * 300_000
    block = struct.pack("<ii", 8 + len(xml) + (-len(xml) - 8) % 16, 0) + xml + bytes((-len(xml) - 8) % 16)
    content = nifti_header((8, 8, 8), extension=block) + bytes(1024)
    (folder / "nested.nii.gz").write_bytes(gzip.compress(content, 9))
    return folder / "nested.nii.gz"


def dicom_extension(folder: Path) -> Path:
    """A DICOM header extension of millions of empty items."""
    items = struct.pack("<HHI", 0x0008, 0x1140, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 1_900_000
    block = struct.pack("<ii", 8 + len(items) + (-len(items) - 8) % 16, 2) + items + bytes((-len(items) - 8) % 16)
    content = nifti_header((8, 8, 8), extension=block) + bytes(1024)
    (folder / "extension.nii.gz").write_bytes(gzip.compress(content, 9))
    return folder / "extension.nii.gz"


def grey_values(folder: Path, count: int = 1500) -> Path:
    """A "label map" of many grey values."""
    values = np.random.default_rng(4711).integers(0, count, (200, 200, 200)).astype(np.uint16)
    nib.save(nib.Nifti1Image(values, np.diag([-1.0, -1.0, 1.0, 1.0])), folder / "grey.nii.gz")
    return folder / "grey.nii.gz"


def random_labels(folder: Path) -> Path:
    """Every voxel of another vertebra."""
    values = np.random.default_rng(4711).integers(0, 25, (200, 200, 200)).astype(np.uint8)
    nib.save(nib.Nifti1Image(values, np.diag([-1.0, -1.0, 1.0, 1.0])), folder / "random.nii.gz")
    return folder / "random.nii.gz"


def many_frames(folder: Path) -> Path:
    """One small compressed image that claims to be thousands of frames."""
    image = dicom_slices(spine(FLAT)[0])[1]
    image.compress(JPEG2000Lossless, generate_instance_uid=False)
    image.NumberOfFrames, image.Rows, image.Columns = 9000, 512, 512
    pydicom.dcmwrite(folder / "frames.dcm", image)
    return folder / "frames.dcm"


def claimed_pixels(folder: Path) -> Path:
    """Two compressed images whose headers claim 8192 x 8192 pixels."""
    (folder / "claimed").mkdir()
    for number, image in enumerate(dicom_slices(spine(FLAT)[0])[:2]):
        image.compress(JPEG2000Lossless, generate_instance_uid=False)
        image.Rows = image.Columns = 8192
        pydicom.dcmwrite(folder / "claimed" / f"{number}.dcm", image)
    return folder / "claimed"


def many_items(folder: Path) -> Path:
    """A DICOM header of 15 MB that is all empty items."""
    image = dicom_slices(spine(ON)[0])[8]
    pydicom.dcmwrite(folder / "items.dcm", image)
    content = (folder / "items.dcm").read_bytes()
    at = content.rfind(b"\x28\x00\x02\x00US")
    items = (
        struct.pack("<HH2sHI", 0x0021, 0x1010, b"SQ", 0, 0xFFFFFFFF)
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 1_900_000
    )
    (folder / "items.dcm").write_bytes(content[:at] + items + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) + content[at:])
    return folder / "items.dcm"


def deflated(folder: Path) -> Path:
    """A deflated data set that unpacks to a gigabyte."""
    image = dicom_slices(spine(ON)[0])[8]
    image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    image.add_new(0x00211010, "OB", bytes(2**16))
    pydicom.dcmwrite(folder / "deflated.dcm", image)
    content = (folder / "deflated.dcm").read_bytes()
    with (folder / "deflated.dcm").open("rb") as stream:
        file_meta(stream)
        start = stream.tell()
    packer = zlib.compressobj(9, wbits=-15)
    packed = b"".join(packer.compress(bytes(_MEGABYTE)) for _ in range(1024)) + packer.flush()
    (folder / "deflated.dcm").write_bytes(content[:start] + packed)
    return folder / "deflated.dcm"


def deep_sequences(folder: Path) -> Path:
    """Sequences within sequences, 3000 deep."""
    image = dicom_slices(spine(ON)[0])[8]
    inner = pydicom.Dataset()
    for _ in range(40):
        outer = pydicom.Dataset()
        outer.ReferencedImageSequence = Sequence([inner])
        inner = outer
    image.ReferencedImageSequence = Sequence([inner])
    pydicom.dcmwrite(folder / "deep.dcm", image)
    content = (folder / "deep.dcm").read_bytes()
    at = content.rfind(b"\x28\x00\x02\x00US")
    start = struct.pack("<HH2sHI", 0x0021, 0x1010, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    (folder / "deep.dcm").write_bytes(content[:at] + start * 3000 + content[at:])
    return folder / "deep.dcm"


def pipe(folder: Path) -> Path:
    """A pipe that nobody writes to."""
    os.mkfifo(folder / "pipe.nii")
    return folder / "pipe.nii"


BOMBS: dict[str, Callable[[Path], Path]] = {
    bomb.__name__: bomb
    for bomb in (huge_nifti, full_nifti, wide_nifti, surplus, named_member, nested_xml, dicom_extension, grey_values,
                 random_labels, many_frames, claimed_pixels, many_items, deflated, deep_sequences, pipe)
}  # fmt: skip

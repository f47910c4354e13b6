"""How a DICOM file is encoded, with or without the preamble and file meta information that it should begin with."""

from __future__ import annotations

import warnings
from typing import BinaryIO

from pydicom.dataset import FileMetaDataset
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian


def file_meta(stream: BinaryIO) -> FileMetaDataset:
    """The file meta information, empty where there is none; the stream stands at the data set afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read_preamble(stream, force=True)
        return _read_file_meta_info(stream)


def transfer_syntax(stream: BinaryIO) -> UID:
    """The encoding as stated, else little-endian with or without types by the first element."""
    if stated := file_meta(stream).get("TransferSyntaxUID"):
        return UID(stated)
    kind = stream.read(6)[4:6]
    return ExplicitVRLittleEndian if kind.isalpha() and kind.isupper() else ImplicitVRLittleEndian


def is_deflated(syntax: str | None) -> bool:
    """Whether the whole data set is compressed."""
    return syntax is not None and "Deflated" in UID(syntax).name

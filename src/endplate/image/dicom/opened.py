"""Open DICOM headers within limits: the size of a header and the number of its parts are known before it is parsed."""

from __future__ import annotations

import io
import warnings
import zlib
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from endplate.errors import ImageError
from endplate.image.dicom.facts import facts_of
from endplate.image.dicom.meta import file_meta, is_deflated
from endplate.image.error_text import name_of, one_line
from endplate.image.file_type import starts_bare
from endplate.image.limits import RAISE, Limits

AGAIN = "export the series again from the archive"
_ITEM = b"\xfe\xff\x00\xe0"


def opened(path: Path, limits: Limits) -> tuple[pydicom.Dataset, dict[str, str]]:
    """The header without the pixels, and its facts; pydicom's own warnings on odd values are ours to judge.

    Raises
    ------
    ImageError : no DICOM, damaged, or a header beyond the limits.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with path.open("rb") as stream:
                head = stream.read(limits.header_bytes)
            _check_items(path, head, limits)
            header = pydicom.dcmread(io.BytesIO(head), stop_before_pixels=True, force=starts_bare(head))
            return header, facts_of(header)
    except ImageError:
        raise
    except InvalidDicomError as error:
        raise ImageError(f"{name_of(path)} is not DICOM", "", "check the path") from error
    except Exception as error:  # broken bytes make pydicom raise many kinds; all mean the same to the user
        raise damaged(path, error, limits) from error


def damaged(path: Path, error: BaseException, limits: Limits) -> ImageError:
    """The refusal of a file that cannot be parsed."""
    if path.stat().st_size > limits.header_bytes and isinstance(error, EOFError):
        return ImageError(
            f"{name_of(path)} has a header of more than {limits.header_bytes} bytes", "more is not read", RAISE
        )
    return ImageError(f"{name_of(path)} is a damaged DICOM file: {one_line(error)}", "", AGAIN)


def _check_items(path: Path, head: bytes, limits: Limits) -> None:
    """Refuse a header whose parts would take far more memory than its bytes do."""
    unpacked = _inflated(path, head, limits)
    items = head.count(_ITEM) + unpacked.count(_ITEM)
    if items > limits.items:
        raise ImageError(
            f"{name_of(path)} has {items} sequence items", f"at most {limits.items} are read in one file", RAISE
        )


def _inflated(path: Path, head: bytes, limits: Limits) -> bytes:
    """The data set of a deflated file, which pydicom would unpack whole, however large; else nothing."""
    stream = io.BytesIO(head)
    if not is_deflated(file_meta(stream).get("TransferSyntaxUID")):
        return b""
    unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(head[stream.tell() :], limits.header_bytes + 1)
    if len(unpacked) > limits.header_bytes or len(head) >= limits.header_bytes:
        raise ImageError(
            f"{name_of(path)} is deflated and holds more than {limits.header_bytes} bytes", "more is not read", RAISE
        )
    return unpacked

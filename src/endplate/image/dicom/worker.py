"""The separate process that decodes compressed DICOM pixels: `python -m endplate.image.dicom.worker`.

Reads length-prefixed paths from stdin and answers each with a header and the raw pixels, or an error text. Imports
only what decoding needs, so that it starts quickly.
"""

from __future__ import annotations

import contextlib
import struct
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import JPEGLSTransferSyntaxes, RLELossless

# Kind (i, u or e for error), bytes per value, frames (0 for one plane), rows, columns, bytes that follow.
HEADER = "<cBIIIQ"
_GRAY = ("MONOCHROME1", "MONOCHROME2")


def needs_codec(path: Path) -> bool:
    """Whether the pixels are compressed by anything but run lengths, which pydicom itself decodes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        syntax = pydicom.filereader.read_file_meta_info(path).TransferSyntaxUID
    return bool(syntax.is_compressed) and syntax != RLELossless and "Deflated" not in syntax.name


def decode_safely(path: Path) -> NDArray[Any]:
    """Stored values (rows, columns) or (frames, rows, columns).

    Raises
    ------
    ValueError : a colour picture, or damaged pixels; codecs raise other kinds too.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        samples, photometric = int(dataset.get("SamplesPerPixel", 1)), str(dataset.get("PhotometricInterpretation", ""))
        if samples != 1 or photometric not in _GRAY:
            raise ValueError(f"it is a {photometric[:16] or 'colour'} picture, not CT values")
        _choose_plugin(dataset)
        pixels = dataset.pixel_array
    if pixels.dtype.kind not in "iu" or pixels.ndim not in (2, 3):
        raise ValueError(f"pixels of type {pixels.dtype} in {pixels.ndim} dimensions")
    return pixels


def _choose_plugin(dataset: pydicom.Dataset) -> None:
    """Run lengths by pydicom itself; JPEG-LS by GDCM where it is installed, since CharLS aborts on damaged data."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == RLELossless:
        dataset.pixel_array_options(decoding_plugin="pydicom")
    elif syntax in JPEGLSTransferSyntaxes and find_spec("gdcm"):
        dataset.pixel_array_options(decoding_plugin="gdcm")


def _answer(name: bytes) -> bytes:
    try:
        pixels = np.ascontiguousarray(decode_safely(Path(name.decode("utf-8", "surrogateescape"))))
    except Exception as error:  # every codec has its own exceptions; the parent turns the text into one
        lines = str(error).splitlines() or [type(error).__name__]
        text = " / ".join(line.strip() for line in lines)[:160].encode("utf-8", "replace")
        return struct.pack(HEADER, b"e", 0, 0, 0, 0, len(text)) + text
    frames = pixels.shape[0] if pixels.ndim == 3 else 0
    rows, columns = pixels.shape[-2:]
    head = struct.pack(HEADER, pixels.dtype.kind.encode(), pixels.dtype.itemsize, frames, rows, columns, pixels.nbytes)
    return head + pixels.tobytes()


def serve() -> None:
    """Answer until stdin ends."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # no core dump when a codec aborts; not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(prefix := source.read(4)) == 4:
        (length,) = struct.unpack("<I", prefix)
        sink.write(_answer(source.read(length)))
        sink.flush()


if __name__ == "__main__":
    serve()

"""The separate process that decodes compressed DICOM pixels: `python -m endplate.image.dicom.worker`.

Reads length-prefixed paths from stdin and answers each with a header and the raw pixels, or an error text. Imports
only what decoding needs, so that it starts quickly.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import iter_pixels
from pydicom.uid import UID, JPEGLSTransferSyntaxes, RLELossless

from endplate.image.dicom.meta import is_deflated, transfer_syntax

# Question: length of the path, frame. Answer: kind (i, u or e for error), bytes per value, rows, columns, bytes.
REQUEST = "<II"
HEADER = "<cBIIQ"
MEMORY_BYTES = 3 * 2**29  # that a codec may take beyond what the process has at its start
_GRAY = ("MONOCHROME1", "MONOCHROME2")


def needs_codec(path: Path) -> bool:
    """Whether the pixels are compressed by anything but run lengths, which pydicom itself decodes."""
    syntax = _syntax(path)
    return bool(syntax.is_compressed) and syntax != RLELossless and not is_deflated(syntax)


def _syntax(path: Path) -> UID:
    with path.open("rb") as stream:
        return transfer_syntax(stream)


class Frames:
    """Decodes the frames of files one at a time; asked for in order, a file is walked through once."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._frames: Iterator[NDArray[Any]] = iter(())
        self._next = 0

    def __call__(self, path: Path, frame: int) -> NDArray[Any]:
        """Stored values (rows, columns).

        Raises
        ------
        ValueError : a colour picture, no such frame, or damaged pixels; codecs raise other kinds too.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path != self._path or frame < self._next:
                self._frames, self._path, self._next = _frames_of(path), path, 0
            while True:
                pixels = next(self._frames, None)
                if pixels is None:
                    self._path = None
                    raise ValueError(f"frame {frame + 1} is missing")
                self._next += 1
                if self._next > frame:
                    break
        if pixels.dtype.kind not in "iu" or pixels.ndim != 2:
            raise ValueError(f"pixels of type {pixels.dtype} in {pixels.ndim} dimensions")
        return pixels


def _frames_of(path: Path) -> Iterator[NDArray[Any]]:
    syntax = _syntax(path)
    facts = pydicom.dcmread(path) if is_deflated(syntax) else pydicom.Dataset()
    found = (
        iter_pixels(facts, raw=True)
        if is_deflated(syntax)
        else iter_pixels(path, ds_out=facts, raw=True, decoding_plugin=_plugin(syntax), transfer_syntax_uid=syntax)
    )
    for pixels in found:
        samples, photometric = int(facts.get("SamplesPerPixel", 1)), str(facts.get("PhotometricInterpretation", ""))
        if samples != 1 or photometric not in _GRAY:
            raise ValueError(f"it is a {photometric[:16] or 'colour'} picture, not CT values")
        yield pixels


def _plugin(syntax: UID) -> str:
    """Run lengths by pydicom itself; JPEG-LS by GDCM where it is installed, since CharLS aborts on damaged data."""
    if syntax == RLELossless:
        return "pydicom"
    return "gdcm" if syntax in JPEGLSTransferSyntaxes and find_spec("gdcm") else ""


def _answer(frames: Frames, name: bytes, frame: int) -> bytes:
    try:
        pixels = np.ascontiguousarray(frames(Path(os.fsdecode(name)), frame))
    except Exception as error:  # every codec has its own exceptions; the parent turns the text into one
        lines = str(error).splitlines() or [type(error).__name__]
        text = " / ".join(line.strip() for line in lines)[:160].encode("utf-8", "replace")
        return struct.pack(HEADER, b"e", 0, 0, 0, len(text)) + text
    head = struct.pack(HEADER, pixels.dtype.kind.encode(), pixels.dtype.itemsize, *pixels.shape, pixels.nbytes)
    return head + pixels.tobytes()


def serve() -> None:
    """Answer until stdin ends."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no core dump when a codec aborts
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + MEMORY_BYTES  # a picture may claim any size in its own header
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    source, sink, frames = sys.stdin.buffer, sys.stdout.buffer, Frames()
    while len(prefix := source.read(struct.calcsize(REQUEST))) == struct.calcsize(REQUEST):
        length, frame = struct.unpack(REQUEST, prefix)
        sink.write(_answer(frames, source.read(length), frame))
        sink.flush()


if __name__ == "__main__":
    serve()

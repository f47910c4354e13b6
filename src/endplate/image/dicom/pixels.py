"""Decode the pixels of DICOM images.

Compressed images go through native codecs that can abort on damaged data (seen with JPEG-LS), so these are decoded in
a separate process: a damaged file then is an error message, never the end of the program.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from endplate.errors import ImageError
from endplate.image.dicom.worker import HEADER, decode_safely, needs_codec
from endplate.image.error_text import one_line

_FIX = "pip install 'endplate[dicom]' for compressed images, or export the series again uncompressed"


class Decoder:
    """Decodes images one after the other; multi-frame files are decoded once.

    Use as `with decoder() as pixels: pixels(path, frame)`.
    """

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None
        self._last: tuple[Path, NDArray[Any]] | None = None

    def __call__(self, path: Path, frame: int | None, shape: tuple[int, int]) -> NDArray[Any]:
        """Stored values (rows, columns).

        Raises
        ------
        ImageError : no codec, damaged data, or another shape than the header says.
        """
        if self._last is None or self._last[0] != path:
            self._last = (path, self._decode(path))
        pixels = self._last[1] if frame is None or self._last[1].ndim == 2 else self._last[1][frame]
        if pixels.shape != shape:
            raise _error(path, f"pixels {pixels.shape} where the header says {shape}")
        return pixels

    def _decode(self, path: Path) -> NDArray[Any]:
        try:
            if not needs_codec(path):
                return decode_safely(path)
            return self._decode_apart(path)
        except ImageError:
            raise
        except Exception as error:  # pydicom raises many kinds on damaged pixels
            raise _error(path, one_line(error)) from error

    def _decode_apart(self, path: Path) -> NDArray[Any]:
        if self._worker is None:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "endplate.image.dicom.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        worker = self._worker
        if worker.stdin is None or worker.stdout is None:
            raise _error(path, "the decoder did not start")
        try:
            name = str(path.resolve()).encode("utf-8", "surrogateescape")
            worker.stdin.write(struct.pack("<I", len(name)) + name)
            worker.stdin.flush()
            return _receive(path, worker.stdout)
        except (OSError, EOFError) as error:
            self.close()
            raise _error(path, "the codec broke down on it") from error

    def close(self) -> None:
        """End the separate process, if one was started."""
        if self._worker is not None:
            self._worker.kill()
            self._worker.communicate()
            self._worker = None


@contextmanager
def decoder() -> Iterator[Decoder]:
    """A decoder whose separate process ends with the block."""
    pixels = Decoder()
    try:
        yield pixels
    finally:
        pixels.close()


def _receive(path: Path, stream: IO[bytes]) -> NDArray[Any]:
    kind, itemsize, frames, rows, columns, length = struct.unpack(HEADER, _exactly(stream, struct.calcsize(HEADER)))
    content = _exactly(stream, length)
    if kind == b"e":
        raise _error(path, content.decode("utf-8", "replace"))
    array = np.frombuffer(content, np.dtype(f"{kind.decode()}{itemsize}"))
    return array.reshape((rows, columns) if frames == 0 else (frames, rows, columns))


def _exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) != count:
        raise EOFError
    return content


def _error(path: Path, told: str) -> ImageError:
    return ImageError(f"the pixels of {path.name} cannot be decoded: {told}", "", _FIX)

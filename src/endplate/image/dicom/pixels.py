"""Decode the pixels of DICOM images.

Compressed images go through native codecs that can abort on damaged data (seen with JPEG-LS), so these are decoded in
a separate process: a damaged file then is an error message, never the end of the program.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from endplate.errors import ImageError
from endplate.image.dicom.worker import HEADER, REQUEST, Frames, needs_codec
from endplate.image.error_text import name_of, one_line
from endplate.image.limits import DEFAULT, Limits

_FIX = "pip install 'endplate[dicom]' for compressed images, or export the series again uncompressed"


class Decoder:
    """Decodes images one after the other; the frames of a file are best asked for in order.

    Use as `with decoder() as pixels: pixels(path, frame, shape)`.
    """

    def __init__(self, limits: Limits = DEFAULT.limits) -> None:
        self._worker: subprocess.Popen[bytes] | None = None
        self._frames, self._limits = Frames(), limits
        self._codec: dict[Path, bool] = {}

    def __call__(self, path: Path, frame: int | None, shape: tuple[int, int]) -> NDArray[Any]:
        """Stored values (rows, columns).

        Raises
        ------
        ImageError : no codec, damaged data, or another shape than the header says.
        """
        pixels = self._decode(path, frame or 0)
        if pixels.shape != shape:
            raise _error(path, f"pixels {pixels.shape} where the header says {shape}")
        return pixels

    def _decode(self, path: Path, frame: int) -> NDArray[Any]:
        try:
            if path not in self._codec:
                self._codec = {path: needs_codec(path)}
            return self._decode_apart(path, frame) if self._codec[path] else self._frames(path, frame)
        except ImageError:
            raise
        except Exception as error:  # pydicom raises many kinds on damaged pixels
            raise _error(path, one_line(error)) from error

    def _decode_apart(self, path: Path, frame: int) -> NDArray[Any]:
        if self._worker is None:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "endplate.image.dicom.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        worker = self._worker
        if worker.stdin is None or worker.stdout is None:
            raise _error(path, "the decoder did not start")
        watch, begun = threading.Timer(self._limits.decode_s, worker.kill), time.monotonic()
        watch.start()
        try:
            name = os.fsencode(path.resolve())
            worker.stdin.write(struct.pack(REQUEST, len(name), frame) + name)
            worker.stdin.flush()
            return _receive(path, worker.stdout)
        except (OSError, EOFError) as error:
            self.close()
            late = time.monotonic() - begun >= self._limits.decode_s
            why = f"it took more than {self._limits.decode_s} s" if late else "the codec broke down on it"
            raise _error(path, why) from error
        finally:
            watch.cancel()

    def close(self) -> None:
        """End the separate process, if one was started."""
        if self._worker is not None:
            self._worker.kill()
            self._worker.communicate()
            self._worker = None


@contextmanager
def decoder(limits: Limits = DEFAULT.limits) -> Iterator[Decoder]:
    """A decoder whose separate process ends with the block."""
    pixels = Decoder(limits)
    try:
        yield pixels
    finally:
        pixels.close()


def _receive(path: Path, stream: IO[bytes]) -> NDArray[Any]:
    kind, itemsize, rows, columns, length = struct.unpack(HEADER, _exactly(stream, struct.calcsize(HEADER)))
    content = _exactly(stream, length)
    if kind == b"e":
        raise _error(path, content.decode("utf-8", "replace"))
    array = np.frombuffer(content, np.dtype(f"{kind.decode()}{itemsize}"))
    return array.reshape(rows, columns)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) != count:
        raise EOFError
    return content


def _error(path: Path, reason: str) -> ImageError:
    return ImageError(f"the pixels of {name_of(path)} cannot be decoded: {reason}", "", _FIX)

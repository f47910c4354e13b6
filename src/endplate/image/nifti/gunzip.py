"""Plain bytes of a file that may be gzipped, a piece at a time: never more is unpacked than is asked for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_PIECE = 2**18
_GZIP = 31  # zlib's name for "with a gzip header, and check its sum"
MAGIC = b"\x1f\x8b"


class Gunzip:
    """Reads the members of a gzip stream; the sums at their ends are checked.

    Python's own reader walks through a member's stored name byte by byte, however long it is; zlib does not.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._packed = stream, b""
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; fewer only at the end.

        Raises
        ------
        EOFError : the stream is cut short. zlib.error : it is damaged.
        """
        pieces, missing = [], count
        while missing > 0:
            piece = self._some(missing)
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _some(self, most: int) -> bytes:
        """At least one byte, or none at the end."""
        while True:
            if self._member.eof:
                self._packed = self._member.unused_data
                if not self._next_member():
                    return b""
            if not self._packed:
                self._packed = self._stream.read(_PIECE)
                if not self._packed and self._begun:
                    raise EOFError("the compressed stream ends too early")
            self._begun = True
            piece = self._member.decompress(self._packed, most)
            self._packed = self._member.unconsumed_tail
            if piece:
                return piece

    def _next_member(self) -> bool:
        """Go on to a further member, past zeros that fill a block; False at the end."""
        while not (rest := self._packed.lstrip(b"\0")):
            self._packed = self._stream.read(_PIECE)
            if not self._packed:
                return False
        self._packed = rest
        self._member = zlib.decompressobj(_GZIP)
        return True


class Plain:
    """The same two lines of reading for a file that is not compressed."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; fewer only at the end."""
        return self._stream.read(count)


def is_zipped(path: Path) -> bool:
    """Whether the file is gzipped, by its first bytes and not by its name."""
    with path.open("rb") as stream:
        return stream.read(2) == MAGIC


@contextmanager
def plain_bytes(path: Path) -> Iterator[Gunzip | Plain]:
    """The file as a stream of plain bytes."""
    zipped = is_zipped(path)
    with path.open("rb") as stream:
        yield Gunzip(stream) if zipped else Plain(stream)

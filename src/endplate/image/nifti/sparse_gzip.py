"""A gzip file of bytes that are zero for the most part: long runs of zeros cost no time.

A volume on the grid of a whole scan holds one vertebra and 100 MB of zeros. Deflate blocks between two full flushes
know nothing of each other, so that a block of zeros that was compressed once stands for every such block, and the
checksum of a run of zeros is a linear map of the one before it. The file is one ordinary gzip member.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache
from typing import BinaryIO

ZEROS = 2**20
"""Bytes of the block of zeros that is compressed once."""
LEVEL = 1
HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no name and no time, so that the same voxels give the same file; unknown system."""
_ONES = 0xFFFFFFFF


class SparseGzip:
    """Compresses what it is given into a stream that is open for writing in binary.

    Parameters
    ----------
    stream : BinaryIO
        Where the gzip member goes; left open.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._crc, self._size = stream, 0, 0
        self._deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        stream.write(HEADER)

    def write(self, content: bytes) -> int:
        """Compress some bytes."""
        self._crc = zlib.crc32(content, self._crc)
        self._size += len(content)
        self._stream.write(self._deflate.compress(content))
        return len(content)

    def zeros(self, count: int) -> None:
        """Compress a run of zero bytes."""
        blocks, rest = divmod(count, ZEROS)
        if blocks:
            self._stream.write(self._deflate.flush(zlib.Z_FULL_FLUSH))
        for _ in range(blocks):
            self._stream.write(_zero_block())
            self._crc = _crc_after_zeros(self._crc)
        self._size += blocks * ZEROS
        self.write(bytes(rest))

    def end(self) -> None:
        """Write what is left, the checksum and the size."""
        self._stream.write(self._deflate.flush(zlib.Z_FINISH))
        self._stream.write(struct.pack("<II", self._crc, self._size & _ONES))


@cache
def _zero_block() -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(bytes(ZEROS)) + deflate.flush(zlib.Z_FULL_FLUSH)


@cache
def _zero_map() -> tuple[int, ...]:
    """What a block of zeros makes of each bit of the checksum's register: the map is linear over bits."""
    zeros = bytes(ZEROS)
    return tuple(zlib.crc32(zeros, (1 << bit) ^ _ONES) ^ _ONES for bit in range(32))


def _crc_after_zeros(crc: int) -> int:
    register, moved = crc ^ _ONES, 0
    for bit, image in enumerate(_zero_map()):
        if register >> bit & 1:
            moved ^= image
    return moved ^ _ONES

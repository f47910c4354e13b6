"""What kind of file is this? Told by its kind on disk and its first bytes, before anything waits or reads on."""

from __future__ import annotations

import stat
from pathlib import Path

_KNOWN_FIRST = (0x0000, 0x0001, 0x0005, 0x0006, 0x0008, 0x0012, 0x0016, 0x0018)
_LONGEST_FIRST = 1024


def exists(path: Path) -> bool:
    """Whether something lies there; a name that no disk can hold does not."""
    try:
        path.stat()
    except (OSError, ValueError):  # also: name too long, a zero byte in it
        return False
    return True


def is_ordinary(path: Path) -> bool:
    """Whether it is an ordinary file: reading from a pipe or a device may never end."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def is_dicom(path: Path) -> bool:
    """Whether the file starts as DICOM does: DICM at byte 128, or without that preamble with a first data element."""
    if not is_ordinary(path):
        return False
    try:
        with path.open("rb") as stream:
            head = stream.read(132)
    except OSError:
        return False
    return head[128:] == b"DICM" or starts_bare(head)


def starts_bare(head: bytes) -> bool:
    """Whether the bytes are a DICOM data set without preamble: little-endian, from group 2 or 8."""
    if len(head) < 132 or head[:2] not in (b"\x02\x00", b"\x08\x00"):
        return False
    element, kind = int.from_bytes(head[2:4], "little"), head[4:6]
    if kind.isalpha() and kind.isupper():
        return element < 0x0100
    implicit = head[:2] == b"\x08\x00" and element in _KNOWN_FIRST
    return implicit and int.from_bytes(head[4:8], "little") <= _LONGEST_FIRST

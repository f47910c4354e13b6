"""What kind of file is this? Told by its first bytes."""

from __future__ import annotations

from pathlib import Path


def is_dicom(path: Path) -> bool:
    """Whether the file starts with a DICOM preamble (DICM at byte 128)."""
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False

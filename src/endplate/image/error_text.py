"""What another library said, or a file is called, in one line."""

from __future__ import annotations

from pathlib import Path

from endplate.errors import plain

_LONGEST = 160


def one_line(error: BaseException) -> str:
    """The first line of an exception's message, shortened; its kind where it has none."""
    text = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return plain(text, _LONGEST)


def name_of(path: Path) -> str:
    """A file's name as it may be shown: bytes that are no text become question marks."""
    return plain(path.name, _LONGEST)

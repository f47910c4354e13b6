"""What another library said, in one line."""

from __future__ import annotations

_LONGEST = 160


def one_line(error: BaseException) -> str:
    """The first line of an exception's message, shortened; its kind where it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= _LONGEST else printable[: _LONGEST - 3] + "..."

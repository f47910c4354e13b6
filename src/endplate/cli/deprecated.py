"""Options that were renamed: the old spelling works for one release, and says so.

A test fails once the version reaches `EXPIRES`, so that none outlives its release.
"""

from __future__ import annotations

from collections.abc import Sequence

from endplate.cli.terminal import aside

EXPIRES = "0.3.0"
"""First version without the old spellings."""

RENAMED_OPTIONS = {
    "--most-mpa": "--max-pressure-mpa",
    "--most-s": "--max-time-s",
    "--go-on-at-opening": "--continue-on-leak",
    "--mobility": "--fracture-mobility",
}
"""Old spelling to new, of `endplate rehearse` and `endplate plan`."""


def current_spelling(tokens: Sequence[str]) -> list[str]:
    """Command-line words with renamed options in their new spelling; each old one is announced on standard error.

    Parameters
    ----------
    tokens : the words after the program's name, `--option=value` included.
    """
    out = []
    for token in tokens:
        name, equals, value = token.partition("=")
        new = RENAMED_OPTIONS.get(name)
        if new is not None:
            aside(f"endplate: {name} is deprecated and ends with version {EXPIRES}; use {new}")
        out.append(token if new is None else f"{new}{equals}{value}")
    return out

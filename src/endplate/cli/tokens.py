"""What was typed, looked at before any option is understood: an empty or endless path means a place nobody named."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from endplate.errors import OptionError

WORDS = ("--level", "--note", "--who", "--patient", "--what-if", "--explain", "--scheme", "--database")
"""Options whose empty value has a message of its own."""
LONGEST = 4095
"""Bytes that systems take for a path."""


def checked(tokens: Sequence[str]) -> list[str]:
    """The tokens as they are.

    Raises
    ------
    OptionError : one of them is an empty path, holds a zero byte, or is longer than any path.
    """
    for before, token in pairwise(("", *tokens)):
        name, sign, value = token.partition("=")
        empty = name if sign and not value and name.startswith("--") else before if not token else ""
        if (empty or not token) and empty not in WORDS:
            what = f"{empty} has an empty value" if empty.startswith("--") else "an empty name was given"
            raise OptionError(what, "it would mean the folder you are in", "name the file or folder, or write . for it")
        if "\0" in token:
            raise OptionError(f"{token!r} holds a zero byte", "no name has one", "check it")
        if len(token.encode("utf-8", "surrogateescape")) > LONGEST:
            raise OptionError(
                f"{token[:60]}... is {len(token)} characters long", f"a path has at most {LONGEST}", "shorten it"
            )
    return list(tokens)

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
        _refuse_empty(before, token)
        if "\0" in token:
            raise OptionError(f"{token!r} holds a zero byte", "no name has one", "check it")
        if len(token.encode("utf-8", "surrogateescape")) > LONGEST:
            raise OptionError(
                f"{token[:60]}... is {len(token)} characters long", f"a path has at most {LONGEST}", "shorten it"
            )
    return list(tokens)


def _refuse_empty(before: str, token: str) -> None:
    """Refuse `--option ""`, `--option=` and a bare empty word, where the value is a path."""
    name, sign, value = token.partition("=")
    if token and (value or not sign or not name.startswith("--")):
        return
    option = name or before
    if option not in WORDS:
        what = f"{option} has an empty value" if option.startswith("--") else "an empty name was given"
        raise OptionError(what, "it would mean the folder you are in", "name the file or folder, or write . for it")

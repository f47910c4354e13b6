"""Text that somebody typed, as it is kept: letters that no database keeps or that hide others are left out."""

from __future__ import annotations


def one_line(text: str, longest: int) -> str:
    """Words on one line; controls, marks that turn the direction of writing, and halves of letters are left out."""
    return " ".join(_seen(text).split())[:longest]


def lines(text: str, longest: int) -> str:
    """The same for text of several lines."""
    return "\n".join(_seen(line).rstrip() for line in text.splitlines()).strip()[:longest]


def _seen(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " * letter.isspace() for letter in text)

"""CSV that a spreadsheet opens without running anything: text that begins as a formula does is made plain text."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First letters by which spreadsheets know a formula (OWASP, CSV injection), their wide forms included."""


def cell(value: Any) -> str:
    """A value as a cell.

    Numbers stay numbers, negative ones too; text that would be taken for a formula gets an apostrophe before it, which
    spreadsheets take as the sign of plain text; None is an empty cell.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return repr(value) if math.isfinite(value) else ""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) and not _is_number(text) else text


@contextmanager
def csv_writer(path: Path, heads: Sequence[str]) -> Iterator[Callable[[Sequence[Any]], None]]:
    """A function that writes a row of a table; UTF-8 with a mark at its start, by which a spreadsheet knows letters."""
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([cell(head) for head in heads])

        def write(row: Sequence[Any]) -> None:
            writer.writerow([cell(value) for value in row])

        yield write


def write_csv(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a whole table as `csv_writer` does."""
    with csv_writer(path, heads) as write:
        for row in rows:
            write(row)


def _is_number(text: str) -> bool:
    """Whether text is a plain decimal number: a word such as -1+cmd() or -inf is none."""
    body = text[1:] if text[0] in "+-" else text
    mantissa, _, exponent = body.lower().partition("e")
    digits = mantissa.replace(".", "", 1)
    whole = digits.isascii() and digits.isdigit()
    return whole and (not exponent or exponent.removeprefix("-").removeprefix("+").isdigit())

"""The `repr` of what holds arrays or long tables: one line of its parts, never their contents."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import fields, is_dataclass
from typing import Any

LONGEST_TEXT = 40
LONGEST = 400
"""Characters of a text inside, and of the whole line: a few lines of a terminal of 80 columns."""


def short_repr(thing: Any) -> str:
    """One line that names the fields of a dataclass with sizes in place of contents.

    Parameters
    ----------
    thing : an instance of a dataclass.

    Returns
    -------
    str
        At most `LONGEST` characters, such as `Volume(grid=Grid, hu=int16 (78, 86, 60), series=None)`.
    """
    parts = [f"{field.name}={part_repr(getattr(thing, field.name))}" for field in fields(thing) if field.repr]
    line = f"{type(thing).__name__}({', '.join(parts)})"
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 4]}...)"


def part_repr(value: Any) -> str:
    """A part of a line: arrays by type and shape, collections by their count, other dataclasses by their name."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and dtype is not None and shape:
        return f"{dtype} {shape}"
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__
    if isinstance(value, str):
        return repr(value if len(value) <= LONGEST_TEXT else f"{value[: LONGEST_TEXT - 3]}...")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sized) and not isinstance(value, type):
        return _counted(value)
    text = str(value) if value is None or isinstance(value, bool | int) else f"{value}"
    return text if len(text) <= LONGEST_TEXT else type(value).__name__


def _counted(value: Sized) -> str:
    """A collection: empty as it is, otherwise how many and of what kind."""
    kind = type(value).__name__
    if not len(value):
        return {"tuple": "()", "list": "[]", "dict": "{}"}.get(kind, f"empty {kind}")
    return f"{kind} of {len(value)}"

"""What the numbers of a volume say, in the places that a NIfTI header has for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from endplate.version import __version__

MAX_DESCRIPTION, MAX_NAME = 79, 15
"""Bytes of `descrip` and `intent_name`, without the closing zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a voxel's number says.

    Parameters
    ----------
    what : str
        What was measured or computed, in plain words.
    unit : str
        Unit of a voxel's number as a reader would say it, such as "per cent of the pores"; "" for codes.
    name : str
        The unit or the kind of code in at most 15 letters: `intent_name` of the header.
    label : bool, default False
        Whether the numbers are codes of structures, not amounts.
    """

    what: str
    unit: str
    name: str
    label: bool = False

    def __post_init__(self) -> None:
        if len(self.name.encode()) > MAX_NAME:
            raise ValueError(f"{self.name!r} does not fit into the {MAX_NAME} bytes of intent_name")

    def write_into(self, header: Any) -> None:
        """Put `descrip`, `intent_code` and `intent_name` into a nibabel header."""
        text = f"{self.what}, {self.unit}" if self.unit else self.what
        described = f"{text}; endplate {__version__}"
        header["descrip"] = (
            described if len(described.encode()) <= MAX_DESCRIPTION else text[:MAX_DESCRIPTION]
        ).encode()
        header.set_intent("label" if self.label else "none", name=self.name)


HU = Meaning(what="CT", unit="HU", name="HU")

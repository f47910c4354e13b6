"""UIDs that follow from what they name: the same results give the same objects, however often they are written."""

from __future__ import annotations

from uuid import UUID, uuid5

SPACE = UUID("3d0f6c1e-8a55-5c0e-9b1c-6f2f3f0d7a21")
"""Namespace of all names hashed here: any fixed one serves."""


def uid_of(*parts: str) -> str:
    """A UID under 2.25 (ITU-T X.667) from a name-based UUID of the parts."""
    return f"2.25.{uuid5(SPACE, '|'.join(parts)).int}"

"""A number of a rehearsal with its low and high over what the scan does not hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A number with its low and high over what is unknown; all None with a `reason` where it could not be had.

    `members` counts the runs of the ensemble that lie in it, those among them that ended later on; 0 without any.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    members: int = 0

"""One line of the answer at the head of a report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the answer; `tone` is alarm, note or calm."""

    label: str
    text: str
    tone: str = "calm"

"""Whether a ratio to a peer is what was asked for, said in its row."""

from __future__ import annotations

from typing import Any

MIN_TIMES = 10.0
"""Asked for: so many times as fast as a general package at equal error."""


def with_goal(row: dict[str, Any]) -> dict[str, Any]:
    """The row with met or MISSED at the end of its check; unchanged where the peer did not run."""
    if row.get("ratio") is None:
        return row
    said = "met" if row["ratio"] >= MIN_TIMES else "MISSED"
    return {**row, "check": f"{row['check']}; at least {MIN_TIMES:g} times: {said}"}

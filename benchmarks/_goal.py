"""Whether a ratio to a peer is what was asked for, said in its row."""

from __future__ import annotations

from typing import Any


def at_least(row: dict[str, Any], times: float) -> dict[str, Any]:
    """The row with met or MISSED at the end of its check; unchanged where the peer did not run."""
    if row.get("ratio") is None:
        return row
    return {**row, "check": f"{row['check']}; at least {times:g} times: {'met' if row['ratio'] >= times else 'MISSED'}"}

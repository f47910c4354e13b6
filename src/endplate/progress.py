"""How far the work is: one type for every stage, command and notebook."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float, str], None]
"""Called with the stage, the fraction of it done (0..1) and what it is doing now."""

Share = Callable[[float], None]
"""Called inside one stage with the fraction of it done (0..1); the stage adds its own name."""


def silent(stage: str, fraction: float, detail: str) -> None:
    """Report nothing: what is called where nobody asked."""

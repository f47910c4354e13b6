"""What cannot be read or worked out, told beside what can: a stored write stays stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from endplate.cli.terminal import aside
from endplate.followup.row import Damage


@contextmanager
def stored_anyway(what: str) -> Iterator[dict[str, Any]]:
    """What is worked out after a write: where that fails, the write stands and is told as done."""
    after: dict[str, Any] = {}
    try:
        yield after
    except Exception as error:  # whatever it is, an error now would make the user write it again
        after.clear()
        after["not_told"] = f"{what} is stored, but what follows from it cannot be told: {' '.join(str(error).split())}"
        aside(f"endplate: {after['not_told']}")


def gap(damage: Damage) -> str:
    """What cannot be read, in a line, with what to do."""
    kind, number = damage.kind, damage.number
    fix = f"`endplate follow correct {kind} {number} FIELD=VALUE`"
    return f"? {damage}; {fix} mends it" + (
        "" if kind == "episode" else f", `endplate follow remove {kind} {number}` too"
    )

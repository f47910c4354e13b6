"""A decision as plain data for JSON: dictionaries, lists, texts, numbers, true, false and null."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from endplate.decision.rules.ruleset import Outcome
from endplate.decision.verdict.verdict import Decision, LevelDecision, Verdict

LEFT_OUT = ("find_changes",)


def as_document(decision: Decision | LevelDecision | Verdict) -> dict[str, Any]:
    """Everything that a decision holds, with the answers that would change each verdict."""
    document: dict[str, Any] = _plain(decision)
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, Outcome):
        return value._asdict()
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if is_dataclass(value):
        found = {one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.name not in LEFT_OUT}
        return found | ({"would_change": _plain(value.would_change)} if isinstance(value, Verdict) else {})
    return value

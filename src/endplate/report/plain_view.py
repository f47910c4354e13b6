"""View objects as JSON and back, so that a page can be rendered again from a results folder without its scan."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np
from markupsafe import Markup

MARKUP = "markup"
"""Name under which a drawing or other ready part of a page stands in the JSON."""


def plain_view(value: Any) -> Any:
    """Any value that a template prints as text, numbers, lists, dicts and `Markup`; dataclasses as dicts.

    Raises
    ------
    TypeError : a value of another kind, which a template should not be given.
    """
    if value is None or isinstance(value, bool | int | Markup):
        return value
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): plain_view(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_view(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain_view(getattr(value, item.name)) for item in fields(value)}
    raise TypeError(f"{type(value).__name__} is nothing that a page prints")


def view_to_json(view: Mapping[str, Any]) -> str:
    """A plain view as text of JSON."""
    return json.dumps(_wrapped(view), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def view_from_json(text: str) -> Any:
    """A view as it was written.

    Raises
    ------
    ValueError : it is no JSON.
    """
    return json.loads(text, object_hook=_unwrapped)


def _wrapped(value: Any) -> Any:
    if isinstance(value, Markup):
        return {MARKUP: str(value)}
    if isinstance(value, Mapping):
        return {key: _wrapped(item) for key, item in value.items()}
    return [_wrapped(item) for item in value] if isinstance(value, list) else value


def _unwrapped(found: dict[str, Any]) -> Any:
    return Markup(found[MARKUP]) if set(found) == {MARKUP} else found

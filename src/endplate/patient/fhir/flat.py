"""A record as dotted fields, and dotted fields as a record: only what was told, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from pydantic import BaseModel

NONE_AT_ALL = "none"
"""Stands for an empty list: asked, and there is none, which is not the same as unknown."""

MAX_ITEMS = 1000
"""A list longer than this is no list of a patient; a place in it would fill the memory."""

Leaf = bool | int | float | str | date


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """Dotted paths and values of all that is known; numbers in a path are places in a list."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from flatten(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        if not value and path != "procedures":
            yield path, NONE_AT_ALL
        for number, item in enumerate(value):
            yield from flatten(item, f"{path}.{number}")
        if value and value[-1] is None:
            yield f"{path}.length", len(value)
    elif value is not None:
        yield path, value


def unflatten(pairs: Iterable[tuple[str, Leaf]]) -> dict[str, Any]:
    """Nested plain values of dotted paths; numbered parts become lists, with gaps as None.

    Raises
    ------
    ValueError : a path that is a value and a group at once, or a place far beyond any list.
    """
    tree: dict[str, Any] = {}
    for path, value in pairs:
        *parents, last = path.split(".")
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise ValueError(f"{path} lies inside a value")
        if isinstance(node.get(last), dict):
            raise ValueError(f"{path} holds other fields")
        node[last] = value
    lists: dict[str, Any] = _lists(tree)
    return lists


def _lists(node: Any, name: str = "") -> Any:
    if not isinstance(node, dict):
        return [] if node == NONE_AT_ALL and name in LISTS else node
    if node and all(key.isdecimal() or key == "length" for key in node):
        length = int(node.get("length", max((int(key) for key in node if key.isdecimal()), default=-1) + 1))
        if length > MAX_ITEMS:
            raise ValueError(f"{name} has {length} items, more than {MAX_ITEMS}")
        return [_lists(node.get(str(place))) for place in range(length)]
    return {key: _lists(item, key) for key, item in node.items()}


LISTS = frozenset({"treatments", "tests", "names", "glucocorticoids", "bone_drugs", "others", "fractures", "levels"})
"""Fields that hold lists, where the word `none` stands for an empty one."""

"""One question: from a field's type to words, and from what was typed to a value that the field takes."""

from __future__ import annotations

import types
import typing
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

YES, NO = ("yes", "y", "true"), ("no", "n", "false")


def wanted(field: FieldInfo) -> str:
    """What may be typed, in words."""
    kinds = _plain_types(field.annotation)
    choices = [
        str(choice) for kind in kinds for choice in typing.get_args(kind) if typing.get_origin(kind) is typing.Literal
    ]
    if choices:
        return " / ".join(choices)
    if bool in kinds:
        return "yes / no"
    if date in kinds:
        return "a day, such as 2026-05-10"
    limits = _limits(field)
    return f"a number{limits}" if float in kinds or int in kinds else "text"


def value_of(text: str, name: str, field: FieldInfo) -> Any:
    """The value that a text stands for.

    Raises
    ------
    ValueError : the field does not take it; the message says what it takes.
    """
    kinds = _plain_types(field.annotation)
    raw: Any = text
    if bool in kinds:
        raw = True if text.lower() in YES else False if text.lower() in NO else text
    elif int in kinds or float in kinds:
        raw = _number(text)
    try:
        annotation: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        return TypeAdapter(annotation).validate_python(raw, strict=False if date in kinds else None)
    except ValidationError as error:
        said = f"is {text!r}, but should be" if text else "is needed:"
        raise ValueError(f"{name} {said} {wanted(field)}") from error


def part_of(field: FieldInfo) -> type[BaseModel] | None:
    """The part of the record that a field holds, if it holds one."""
    return next(
        (kind for kind in _plain_types(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)),
        None,
    )


def items_of(field: FieldInfo) -> Any:
    """The type of the items of a list field; None for others."""
    for kind in _plain_types(field.annotation):
        if typing.get_origin(kind) is tuple:
            return typing.get_args(kind)[0]
    return None


def _number(text: str) -> Any:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _plain_types(annotation: Any) -> list[Any]:
    """The types of a union, without None and without what is annotated round them."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _plain_types(typing.get_args(annotation)[0])
    if origin in (types.UnionType, typing.Union):
        return [inner for part in typing.get_args(annotation) for inner in _plain_types(part)]
    return [] if annotation is type(None) else [annotation]


def _limits(field: FieldInfo) -> str:
    """The range of a number in words."""
    found: dict[str, Any] = {}
    for meta in (*field.metadata, *_inner_metadata(field.annotation)):
        for name in ("ge", "gt", "le", "lt"):
            limit = getattr(meta, name, None)
            if limit is not None:
                found[name] = limit
    low, high = found.get("ge", found.get("gt")), found.get("le", found.get("lt"))
    if low is None and high is None:
        return ""
    return f" from {low:g}" + (f" to {high:g}" if high is not None else "")


def _inner_metadata(annotation: Any) -> list[Any]:
    out: list[Any] = []
    for part in (annotation, *typing.get_args(annotation)):
        for meta in getattr(part, "__metadata__", ()):
            out += [meta, *getattr(meta, "metadata", ())]
    return out

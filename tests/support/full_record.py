"""A record that tells every field there is, made from the types of the fields, so that no new field is forgotten."""

from __future__ import annotations

import types
import typing
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel

from endplate.level import Level
from endplate.patient import PatientRecord
from endplate.patient.doubt import quantities

DAY = date(2026, 2, 1)
NOT_TOGETHER = {"Rmdq": ("ticked",), "Odi": ("percent",), "Qualeffo": ("total",)}
"""Of two ways to give one thing, the one that is left out."""
GIVEN: dict[str, Any] = {
    "onset_days": 0,
    "rmdq.version": 24,
    "rmdq.items": (True, False) * 12,
    "densitytest.site": "spine",
    "pregnant": False,
    "sex": "female",
    "birth_year": 1966,
    "confirmed": ("mass_kg", "laboratory.vitamin_d_ng_ml"),
}


def record_told_in_full() -> PatientRecord:
    """Every field told, True where a yes is possible, the middle of each range."""
    return PatientRecord.model_validate(_usual(_part(PatientRecord)))


def _usual(record: dict[str, Any]) -> dict[str, Any]:
    """The record with numbers that nobody asks about where a number has a usual range."""
    for path, quantity in quantities().items():
        *parents, last = path.split(".")
        place = record
        for part in parents:
            place = place[part]
        middle = (quantity.usual_low + quantity.usual_high) / 2
        value = place[last]
        if isinstance(value, dict):
            value["value"] = middle
        else:
            place[last] = int(middle) if isinstance(value, int) else middle
    return record


def _part(model: type[BaseModel]) -> dict[str, Any]:
    left_out = NOT_TOGETHER.get(model.__name__, ())
    return {
        name: GIVEN.get(f"{model.__name__.lower()}.{name}", GIVEN.get(name, _value(field.annotation, field.metadata)))
        for name, field in model.model_fields.items()
        if name not in left_out
    }


def _value(annotation: Any, metadata: typing.Sequence[Any] = ()) -> Any:
    """Some value of a type."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _value(inner[0], [*metadata, *inner[1:]])
    if origin in (types.UnionType, typing.Union):
        return _value(next(kind for kind in inner if kind is not type(None)), metadata)
    if origin is typing.Literal:
        return inner[-1]
    if origin is tuple:
        return tuple(_value(inner[0]) for _ in range(max([1, *_limits(metadata, "min_length")])))
    if origin is dict:
        return {Level.L1: _value(inner[1])}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _part(annotation)
    plain: dict[Any, Any] = {bool: True, date: DAY, str: "T12"}
    return plain[annotation] if annotation in plain else annotation(_number(metadata))


def _number(metadata: typing.Sequence[Any]) -> float:
    """The middle of the range."""
    low, high = (
        next((limit for name in names for limit in _limits(metadata, name)), otherwise)
        for names, otherwise in ((("ge", "gt"), 0), (("le", "lt"), 40))
    )
    return (low + high) / 2


def _limits(metadata: typing.Sequence[Any], name: str) -> list[Any]:
    found = []
    for item in metadata:
        for part in (item, *getattr(item, "metadata", ())):
            limit = getattr(part, name, None)
            if limit is not None:
                found.append(limit)
    return found

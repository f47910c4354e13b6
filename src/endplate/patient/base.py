"""What every part of a record shares: strict, frozen, nothing unknown by name, unknown values None."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from endplate.level import Level

Share = Annotated[float, Field(ge=0, le=100)]
"""A percentage."""

NRS = Annotated[float, Field(ge=0, le=10)]
"""A numeric rating, 0 none to 10 worst; a visual scale in mm is divided by 10."""

Count = Annotated[int, Field(ge=0)]


def _readable(text: str) -> str:
    """Text that can be shown, stored and exchanged: not empty, no control characters."""
    if not text.strip():
        raise ValueError("the text is empty; leave it out")
    if not all(letter.isprintable() for letter in text):
        raise ValueError("the text holds a character that cannot be printed")
    return text


def _vertebra(name: str) -> str:
    if name not in Level.__members__:
        raise ValueError(f"{name!r} is no vertebra; write T12, L1 and so on")
    return name


_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _day(value: object) -> object:
    """A day as ISO text, where a part was changed before its check and JSON's own dates no longer hold."""
    if isinstance(value, str) and _ISO_DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value


Day = Annotated[date, BeforeValidator(_day)]
"""A date that may come as ISO text; a number is none."""

Text = Annotated[str, Field(max_length=200), AfterValidator(_readable)]
"""Words that somebody typed."""

LevelName = Annotated[str, AfterValidator(_vertebra)]
"""A vertebra by its name."""


class Part(BaseModel):
    """A part of the record."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Only what is known: a record has two hundred fields, most of them empty."""
        for name, value in super().__repr_args__():
            field = type(self).model_fields.get(name or "")
            if field is None or value != field.get_default(call_default_factory=True):
                yield name, value


def in_order(earlier: tuple[str, date | None], later: tuple[str, date | None]) -> None:
    """Refuse two dates in the wrong order.

    Raises
    ------
    ValueError : the later one lies before the earlier one; the message names both.
    """
    if earlier[1] is not None and later[1] is not None and later[1] < earlier[1]:
        raise ValueError(f"{later[0]} ({later[1]}) lies before {earlier[0]} ({earlier[1]})")


def dated(value: Any, name: str = "value") -> Any:
    """A plain number or text as a measurement without a date."""
    return value if isinstance(value, dict | BaseModel) or value is None else {name: value}

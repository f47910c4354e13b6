"""What every part of a record shares: strict, frozen, nothing unknown by name, unknown values None."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=100)]
"""A percentage."""

NRS = Annotated[float, Field(ge=0, le=10)]
"""A numeric rating, 0 none to 10 worst; a visual scale in mm is divided by 10."""

Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """A part of the record."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


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

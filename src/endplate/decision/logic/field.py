"""What a rule may ask of a patient or a level: the catalogue of facts (`fields.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal

from endplate.errors import RecordError
from endplate.level import Level

Kind = Literal["bool", "number", "integer", "choice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One fact: yes-or-no, number from `low` to `high`, or choice.

    `title` says in words what is asked; `scope` is case or level; `unit` is UCUM text; `who` can give the answer.
    """

    name: str
    kind: Kind
    scope: Literal["case", "level"]
    title: str
    unit: str = ""
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()
    who: str = "clinician"

    def samples(self, limits: Iterable[float] = ()) -> tuple[Any, ...]:
        """Values that stand for all others where only `limits` are compared: one on, between and beyond each."""
        if self.kind == "bool":
            return (True, False)
        if self.kind == "choice":
            return self.choices
        marks = sorted({self.low, self.high, *(x for x in limits if self.low < x < self.high)})
        between = [(a + b) / 2 for a, b in pairwise(marks)]
        if self.kind == "integer":
            marks = sorted({round(x) for mark in marks for x in (mark - 1, mark, mark + 1)})
            return tuple(x for x in marks if self.low <= x <= self.high)
        return tuple(sorted({*marks, *between}))

    def check(self, value: Any) -> None:
        """Refuse a value that the fact cannot have; None is unknown and always allowed.

        Raises
        ------
        RecordError : wrong type, out of range or not among the choices.
        """
        if value is None or self._fits(value):
            return
        if self.kind == "bool":
            wanted = "true or false"
        elif self.kind == "choice":
            wanted = "one of " + ", ".join(self.choices)
        else:
            whole = "whole " if self.kind == "integer" else ""
            wanted = f"a {whole}number from {self.low:g} to {self.high:g}"
        raise RecordError(f"{self.name} is {value!r}", f"it should be {wanted}", "correct it or leave it out")

    def _fits(self, value: Any) -> bool:
        if self.kind == "bool":
            return isinstance(value, bool)
        if self.kind == "choice":
            return value in self.choices
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high and (self.kind == "number" or value == round(value))


@cache
def field_catalogue() -> dict[str, Field]:
    """All facts by name."""
    text = files("endplate.decision.logic").joinpath("fields.toml").read_text(encoding="utf-8")
    found: dict[str, Field] = {}
    for scope, table in tomllib.loads(text).items():
        for name, entry in table.items():
            choices = tuple(entry.pop("choices", ()))
            found[name] = Field(name=name, choices=choices, **{"scope": scope, **entry})
    levels = tuple(level.value for level in Level)
    return found | {
        "level": Field(name="level", kind="choice", scope="level", title="Level", choices=levels, who="radiologist")
    }

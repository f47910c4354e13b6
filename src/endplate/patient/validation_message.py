"""What is wrong with a record, in one line: the field, its value, what it should be, and the name meant."""

from __future__ import annotations

import difflib
import reprlib
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from endplate.cited import cited_table
from endplate.patient.limits import shown

NRS_FIELDS = ("pain.at_rest", "pain.on_activity", "pain.under_analgesia")
OTHER_NAMES = {"nrs": "pain.under_analgesia"}
"""Names that `--what-if` takes and a record has elsewhere, too short for a likeness."""
MAX_MM = 100
"""A visual scale in mm."""
BIRTH_YEARS = cited_table(
    "validation.birth_year", "a", "An age in these years is a year of birth", "design", {"from": 1880.0, "to": 2100.0}
)


WANTED = {
    "int_parsing": "a whole number", "int_type": "a whole number", "int_from_float": "a whole number",
    "int_parsing_size": "a whole number that is not that long", "float_parsing": "a number", "float_type": "a number",
    "finite_number": "a number", "bool_parsing": "true or false", "bool_type": "true or false",
    "string_type": "text", "string_sub_type": "text", "literal_error": "{expected}", "enum": "{expected}",
    "string_too_long": "at most {max_length} letters long", "string_too_short": "at least {min_length} letters long",
    "greater_than_equal": "{ge} or more", "greater_than": "more than {gt}", "less_than_equal": "{le} or less",
    "less_than": "less than {lt}", "list_type": "a list", "tuple_type": "a list", "set_type": "a list",
    "dict_type": "an object of fields", "model_type": "an object of fields",
    "model_attributes_type": "an object of fields", "date_type": "a day such as 2026-05-31",
    "date_parsing": "a day such as 2026-05-31", "date_from_datetime_parsing": "a day such as 2026-05-31",
    "date_from_datetime_inexact": "a day such as 2026-05-31",
}  # fmt: skip
"""By the kind of a fault, as pydantic names it, what should have been given; its own words are for programmers."""


def wanted_words(fault: Any) -> str | None:
    """What should have been given in place of what a check refused; None where its kind says nothing of that.

    Parameters
    ----------
    fault : one of `ValidationError.errors()`.
    """
    words = WANTED.get(str(fault["type"]))
    return None if words is None else words.format(**{"expected": "", **fault.get("ctx", {})})


def validation_message(error: ValidationError, model: type[BaseModel]) -> tuple[str, str]:
    """The first fault in plain words, and what to do about it."""
    fault = error.errors()[0]
    where = ".".join(shown(str(part)) for part in fault["loc"] if str(part) != "[key]")
    if fault["type"] == "extra_forbidden":
        return f"{where} is not a known field", _meant(str(fault["loc"][-1]), where, model)
    return _fault(where, fault), "correct the record; `endplate schema record` prints every field with its range"


def _fault(where: str, fault: Any) -> str:
    value, wanted = fault["input"], wanted_words(fault) or fault["msg"].removeprefix("Input should be ")
    if where.startswith("levels.") and fault["type"] == "enum":
        return f"{where} names no vertebra, such as T12 or L1"
    if fault["type"] == "missing":
        return f"{where} is missing" + (" (birth_year may stand for it)" if where == "age_yr" else "")
    if fault["type"] == "value_error":
        said = str(fault["ctx"]["error"]) if "ctx" in fault else wanted
        return f"{where}: {said}" if where else said
    if not where:
        return "it is not one object of fields"
    return _slip(where, value) or f"{where} is {_short(value)}, but should be {wanted}"


def _slip(where: str, value: object) -> str:
    """What a number that a field cannot have was meant for; empty where that is not clear."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return ""
    if where.endswith("height_cm") and 1 < value < 3:
        return f"{where} is {value:g}, which looks like metres: give {100 * value:g}"
    if where in NRS_FIELDS and 10 < value <= MAX_MM:
        return f"{where} is {value:g}, which looks like mm of a visual scale: give {value / 10:g}"
    if where == "age_yr" and BIRTH_YEARS["from"] <= value <= BIRTH_YEARS["to"]:
        return f"{where} is {value:g}, which looks like a year of birth: give it as birth_year"
    return ""


def _short(value: object) -> str:
    """A value as a reader would type it, cut where it is long."""
    return reprlib.repr(value)


def _meant(name: str, where: str, model: type[BaseModel]) -> str:
    """The nearest field names, or what is known at that place."""
    places = dict(_places(model))
    if (other := OTHER_NAMES.get(name)) in places:
        return f"did you mean {other}?"
    here = where.rsplit(".", 1)[0] if "." in where else ""
    local = [path for path in places if _same(path.rpartition(".")[0], here)]
    near = difflib.get_close_matches(name, [path.rpartition(".")[2] for path in local], 1)
    if near:
        return f"did you mean {near[0]}?"
    far = [path for path in places if path.rpartition(".")[2] == name]
    far = far or [p for p in places if p.rpartition(".")[2] in difflib.get_close_matches(name, _leaves(places), 1)]
    if far:
        return f"did you mean {far[0]}?"
    return "known fields: " + ", ".join(
        path.rpartition(".")[2] for path in local or [p for p in places if "." not in p]
    )


def _same(pattern: str, here: str) -> bool:
    """Whether a place is the one of a pattern, in which * stands for any name."""
    wanted, given = pattern.split("."), here.split(".")
    return len(wanted) == len(given) and all(w in ("*", g) for w, g in zip(wanted, given, strict=True))


def _leaves(places: dict[str, object]) -> list[str]:
    return [path.rpartition(".")[2] for path in places]


def _places(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted names of all fields; the name of a level or the place in a list stands as *."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", field
        for inner, many in _models(field.annotation):
            yield from _places(inner, f"{prefix}{name}." + ("*." if many else ""))


def _models(annotation: Any, many: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    """Record parts inside an annotation, and whether they come many at a time."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, many
        return
    origin = typing.get_origin(annotation)
    inside = many or origin in (dict, tuple, list)
    if origin is not None or isinstance(annotation, types.UnionType):
        for item in typing.get_args(annotation):
            yield from _models(item, inside)

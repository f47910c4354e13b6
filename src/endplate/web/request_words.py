"""What of a request is not as it should be, in plain words: the first field, what was given, what is taken there."""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError

from endplate.errors import EndplateError
from endplate.patient.limits import shown

WANTED = {
    "int_parsing": "a whole number", "int_type": "a whole number", "int_from_float": "a whole number",
    "int_parsing_size": "a whole number that is not that long", "float_parsing": "a number", "float_type": "a number",
    "finite_number": "a number", "bool_parsing": "true or false", "bool_type": "true or false", "string_type": "text",
    "literal_error": "{expected}", "string_too_long": "at most {max_length} letters long",
    "string_too_short": "at least {min_length} letters long", "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}", "less_than_equal": "{le} or less", "less_than": "less than {lt}",
    "list_type": "a list", "dict_type": "an object of fields", "model_attributes_type": "an object of fields",
    "value_error": "a file",
}  # fmt: skip
"""By the kind of a fault, as pydantic names it, what should have been given."""


def request_error(error: RequestValidationError) -> EndplateError:
    """The first fault as one line; the words of the library that found it are not for who sent the request."""
    fault: dict[str, Any] = dict(error.errors()[0])
    kind, place = str(fault.get("type")), [str(part) for part in fault.get("loc", ())]
    name = shown(".".join(place[1:]))
    where = "the address" if place[:1] == ["path"] else "the request"
    if kind == "json_invalid":
        what = "the request is not valid JSON"
    elif kind == "missing":
        what = f"{name} is missing" if name else "the request says nothing"
    elif kind == "extra_forbidden":
        what = f"{name} is not known here"
    elif kind in WANTED:
        wanted = WANTED[kind].format(**{"expected": "", **fault.get("ctx", {})})
        what = f"{name or 'the request'} is {shown(repr(fault.get('input')))}, but should be {wanted}"
    else:
        what = f"{name or 'the request'} cannot be used"
    return EndplateError(what, "nothing was changed", f"check {where}, then send it again")

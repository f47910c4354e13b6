"""What of a request is not as it should be, in plain words: the first field, what was given, what is taken there."""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError

from endplate.errors import EndplateError
from endplate.patient.limits import shown
from endplate.patient.validation_message import wanted_words


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
    elif wanted := "a file" if kind == "value_error" else wanted_words(fault):
        what = f"{name or 'the request'} is {shown(repr(fault.get('input')))}, but should be {wanted}"
    else:
        what = f"{name or 'the request'} cannot be used"
    return EndplateError(what, "nothing was changed", f"check {where}, then send it again")

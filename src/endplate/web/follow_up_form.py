"""What a form of the follow-up says, as the follow-up keeps it: a field left empty is unknown, never 0 and never no."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, get_args

from endplate.errors import OptionError
from endplate.web.text import lines

SCORES = (
    ("nrs", "Pain under analgesia, 0 to 10", "0.5"),
    ("rmdq", "Roland-Morris, 0 to 24", "1"),
    ("odi", "Oswestry, 0 to 100 %", "1"),
    ("eq5d", "EQ-5D index", "0.001"),
    ("qualeffo", "QUALEFFO-41, 0 (best) to 100", "0.1"),
    ("pcs", "SF-36 physical component", "0.1"),
    ("height_cm", "Stature, cm", "0.1"),
)
"""Name, words, and step of the field of each score."""
SIGNS = (
    ("new_focal_pain", "New focal pain"),
    ("deficit", "New neurological deficit"),
    ("fever", "Fever"),
    ("breathless", "Breathlessness or chest pain"),
)
ANSWERS = {"yes": True, "no": False}
LONGEST_NOTE = 4000


def day_of(text: str) -> date:
    """A day that has come; today where none is given.

    Raises
    ------
    OptionError : no day, or one that lies ahead.
    """
    try:
        day = date.fromisoformat(text.strip()) if text.strip() else date.today()
    except ValueError as error:
        raise OptionError(f"{text[:40]!r} is no day", "", "write it as 2026-05-31") from error
    # One day of grace, since the day may have begun where the browser is.
    if day > date.today() + timedelta(days=1):
        raise OptionError(f"{day} lies in the future", "only what has happened is kept", "check the year")
    return day


def visit_of(form: Mapping[str, str]) -> dict[str, Any]:
    """The columns of a visit.

    Raises
    ------
    OptionError : what is no number, or a visit that says nothing.
    """
    values: dict[str, Any] = {name: _number(name, form[name]) for name, _, _ in SCORES if form.get(name, "").strip()}
    values |= {name: ANSWERS[form[name]] for name, _ in SIGNS if form.get(name) in ANSWERS}
    if note := lines(form.get("note", ""), LONGEST_NOTE):
        values["note"] = note
    if not values:
        raise OptionError("the visit says nothing", "it would count as seen", "give a score, a sign or a note")
    return values | {"on": day_of(form.get("on", ""))}


def _number(name: str, text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise OptionError(f"{name} is {text[:40]!r}", "it is no number", "check it") from error


def repair_kinds(kind: Any) -> tuple[str, ...]:
    """The repairs that a record knows."""
    return tuple(str(one) for one in get_args(kind))

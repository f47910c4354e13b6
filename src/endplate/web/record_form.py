"""The patient record as a form: its fields in sections, and what was answered put into the record."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from endplate.decision.explanation.prompts import label, plain, why
from endplate.decision.explanation.record_draft import drop, put
from endplate.patient import PatientRecord, parse_record
from endplate.patient.imaging import LevelRecord
from endplate.patient.question import items_of, part_of, value_of, wanted

Kind = Literal["yes-no", "choice", "number", "day", "text", "lines"]
PREFIX = "f."
"""Before the place of a field in the names of a form."""
PATIENT = ("age_yr", "sex", "mass_kg", "height_cm", "pregnant", "recorded_on")
"""Fields that stand in no part of the record."""
FILE_ONLY = "too rich for a form: edit it in the record's file"


@dataclass(frozen=True, slots=True)
class FormField:
    """One question of the form.

    Attributes
    ----------
    path : place in the record, dotted. label : in words, with the unit. why : why it is asked.
    kind : how it is answered. wanted : what may be typed, in words. choices : of a choice. value : what is known now.
    """

    path: str
    label: str
    why: str
    kind: Kind
    wanted: str
    choices: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the record: its title, its questions, and what it holds that the form does not show."""

    id: str
    title: str
    fields: tuple[FormField, ...]
    more: tuple[str, ...] = ()

    @property
    def known(self) -> int:
        """How many of its questions are answered."""
        return sum(field.value != "" for field in self.fields)


@dataclass(frozen=True, slots=True)
class _Place:
    """A field of the record's type: where its value is kept, and under which key where a date may stand beside it."""

    path: str
    field: FieldInfo
    key: str = ""
    within: str = ""
    """The inner part that holds it, in words: it stands before the label."""


def sections(draft: Mapping[str, Any], levels: typing.Iterable[str]) -> list[Section]:
    """The form of a record; a section for each vertebra named in `levels`."""
    found = [_section("patient", "Patient", draft, _simple())]
    found += [_section(f"levels.{level}", level, draft, _level_places(level)) for level in levels]
    for name, field in PatientRecord.model_fields.items():
        part = part_of(field)
        if part is not None:
            title = plain(name)
            found.append(_section(name, title[:1].upper() + title[1:], draft, _places(part, name)))
    return found


def answered(draft: Mapping[str, Any], given: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """A record with the answers of a form put in, and what is wrong with those that cannot be.

    Parameters
    ----------
    draft : the record as JSON holds it. given : answers by the name of the form's field; fields left out stay.

    Returns
    -------
    dict, dict of str to str
        The new record as JSON holds it, and by place the line that says what the field takes.
    """
    out, faults = deepcopy(dict(draft)), dict[str, str]()
    for name, text in given.items():
        place = _place(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
        if place is None or text.strip() == _text(draft, place):
            continue
        try:
            _answer(out, place, text.strip())
        except ValueError as error:
            faults[place.path] = str(error)
    return out, faults


def as_record(draft: Mapping[str, Any]) -> PatientRecord:
    """The draft as a record, every value checked; raises RecordError."""
    return parse_record(json.dumps(draft, default=str), "the record")


def _answer(draft: dict[str, Any], place: _Place, text: str) -> None:
    if not text:
        drop(draft, place.path)
        return
    name = label(_asked(place.path))
    if _kind(place.field) == "lines":
        put(draft, place.path, [line.strip() for line in text.splitlines() if line.strip()])
        return
    value = value_of(text, name, place.field)
    kept = json.loads(json.dumps(value, default=str))
    put(draft, place.path, {place.key: kept} if place.key else kept)


def _section(section_id: str, title: str, draft: Mapping[str, Any], places: Iterator[_Place]) -> Section:
    fields, more = list[FormField](), list[str]()
    for place in places:
        kind = _kind(place.field)
        if kind is None:
            if _raw(draft, place) not in (None, "", [], {}):
                more.append(f"{label(_asked(place.path))}: {FILE_ONLY}")
            continue
        name = label(_asked(place.path))
        fields.append(
            FormField(
                path=place.path,
                label=_sentence(f"{place.within}: {name}" if place.within else name),
                why=why(_asked(place.path)),
                kind=kind,
                wanted=wanted(place.field),
                choices=_choices(place.field),
                value=_text(draft, place),
            )
        )
    return Section(section_id, title, tuple(fields), tuple(more))


def _asked(path: str) -> str:
    """The place by which prompts know a question: those of a vertebra without its name."""
    first, _, rest = path.partition(".")
    return f"levels.{rest.partition('.')[2]}" if first == "levels" else path


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _simple() -> Iterator[_Place]:
    return (_Place(name, PatientRecord.model_fields[name]) for name in PATIENT)


def _level_places(level: str) -> Iterator[_Place]:
    return (_Place(f"levels.{level}.{name}", field) for name, field in LevelRecord.model_fields.items())


def _places(part: type[BaseModel], path: str, within: str = "") -> Iterator[_Place]:
    for name, field in part.model_fields.items():
        inner = part_of(field)
        if inner is None:
            yield _Place(f"{path}.{name}", field, within=within)
        elif "value" in inner.model_fields:
            yield _Place(f"{path}.{name}", inner.model_fields["value"], "value", within)
        else:
            yield from _places(inner, f"{path}.{name}", plain(name))


@cache
def _all_places() -> dict[str, _Place]:
    parts = [(name, part) for name, field in PatientRecord.model_fields.items() if (part := part_of(field)) is not None]
    return {place.path: place for place in _simple()} | {
        place.path: place for name, part in parts for place in _places(part, name)
    }


def _place(path: str) -> _Place | None:
    """The field at a place; None where the form has none, whatever a request says."""
    if path.startswith("levels."):
        _, level, name = ([*path.split("."), "", ""])[:3]
        field = LevelRecord.model_fields.get(name)
        return None if field is None or not level.isalnum() else _Place(f"levels.{level}.{name}", field)
    return _all_places().get(path)


def _kind(field: FieldInfo) -> Kind | None:
    item = items_of(field)
    if item is not None:
        return "lines" if "str" in str(item) and not _is_model(item) else None
    words = wanted(field)
    if " / " in words:
        return "yes-no" if words == "yes / no" else "choice"
    if words.startswith("a day"):
        return "day"
    return "number" if words.startswith("a number") else "text"


def _is_model(item: Any) -> bool:
    return isinstance(item, type) and issubclass(item, BaseModel)


def _choices(field: FieldInfo) -> tuple[str, ...]:
    words = wanted(field)
    return tuple(words.split(" / ")) if " / " in words else ()


def _raw(draft: Mapping[str, Any], place: _Place) -> Any:
    value: Any = draft
    for name in place.path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(draft: Mapping[str, Any], place: _Place) -> str:
    value = _raw(draft, place)
    if place.key and isinstance(value, Mapping):
        value = value.get(place.key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

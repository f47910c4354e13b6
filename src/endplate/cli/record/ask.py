"""Ask for a record on the terminal: section by section, Enter for unknown, again where an answer cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from endplate.cli.record.question import NO, YES, items_of, part_of, value_of, wanted
from endplate.level import Level
from endplate.patient import PatientRecord
from endplate.patient.imaging import LevelRecord

Ask = Callable[[str], str]
Say = Callable[[str], None]

INTRODUCTION = "Enter leaves a thing unknown. Only age and sex are needed. Ctrl-C stops without writing."

UNITS = {"yr": "years", "kg": "kg", "cm": "cm", "days": "days", "percent": "%", "deg": "degrees", "s": "seconds"}


class Interview:
    """One run through the record."""

    def __init__(self, ask: Ask, say: Say) -> None:
        self.ask, self.say = ask, say

    def record(self) -> PatientRecord:
        """Ask for everything, until the whole is a possible record."""
        self.say(INTRODUCTION)
        while True:
            answers: dict[str, Any] = {}
            simple = {name: f for name, f in PatientRecord.model_fields.items() if part_of(f) is None}
            for name, field in simple.items():
                if name not in ("levels", "procedures"):
                    self._simple(name, field, answers)
            for name, field in PatientRecord.model_fields.items():
                part = part_of(field)
                if part is not None and self._yes(f"Anything about {_words(name)}?"):
                    told = self.part(part)
                    answers |= {name: told} if told.model_fields_set else {}
            answers["levels"] = self._levels()
            try:
                return PatientRecord(**answers)
            except ValidationError as error:
                self.say(f"That cannot be: {error.errors()[0]['msg']}. Once more, please.")

    def part(self, model: type[BaseModel]) -> Any:
        """Ask for one part, until it is possible in itself."""
        while True:
            answers: dict[str, Any] = {}
            for name, field in model.model_fields.items():
                self._field(name, field, answers)
            try:
                return model(**answers)
            except ValidationError as error:
                self.say(f"That cannot be: {error.errors()[0]['msg']}. This part once more, please.")

    def _field(self, name: str, field: FieldInfo, answers: dict[str, Any]) -> None:
        inner, item = part_of(field), items_of(field)
        if inner is not None and "value" in inner.model_fields:
            self._simple(name, inner.model_fields["value"], answers, wrap=inner)
        elif inner is not None:
            if self._yes(f"{_words(name)}?"):
                answers[name] = self.part(inner)
        elif item is not None:
            self._items(name, item, answers)
        else:
            self._simple(name, field, answers)

    def _simple(
        self, name: str, field: FieldInfo, answers: dict[str, Any], wrap: type[BaseModel] | None = None
    ) -> None:
        while True:
            text = self.ask(f"  {_words(name)} ({wanted(field)}): ").strip()
            if not text and not (field.is_required() and wrap is None):
                return
            try:
                value = value_of(text, _words(name), field)
            except ValueError as error:
                self.say(f"  {error}")
                continue
            answers[name] = value if wrap is None else wrap(value=value)
            return

    def _items(self, name: str, item: Any, answers: dict[str, Any]) -> None:
        """A list: none at all, unknown, or one after the other."""
        if not (isinstance(item, type) and issubclass(item, BaseModel)):
            if item is str:
                text = self.ask(f"  {_words(name)} (separated by commas, none, or Enter for unknown): ").strip()
                if text:
                    answers[name] = () if text.lower() == "none" else tuple(t.strip() for t in text.split(","))
            return
        answer = self.ask(f"  {_words(name)}: add one? (yes / none / Enter for unknown): ").strip().lower()
        if answer == "none":
            answers[name] = ()
        found = []
        while answer in YES:
            found.append(self.part(item))
            answer = self.ask(f"  another of {_words(name)}? (yes / Enter): ").strip().lower()
        if found:
            answers[name] = tuple(found)

    def _levels(self) -> dict[Level, LevelRecord]:
        found: dict[Level, LevelRecord] = {}
        while text := self.ask("Anything about a vertebra? Its name (such as L1), or Enter: ").strip().upper():
            try:
                level = Level(text)
            except ValueError:
                self.say(f"  {text} is no vertebra; write T12, L1 and so on")
                continue
            found[level] = self.part(LevelRecord)
        return found

    def _yes(self, question: str) -> bool:
        while True:
            text = self.ask(f"{question} (yes / Enter for no): ").strip().lower()
            if text in YES:
                return True
            if not text or text in NO:
                return False


def _words(name: str) -> str:
    """A field's name as a reader says it, its unit at the end."""
    stem, _, unit = name.rpartition("_")
    return f"{stem.replace('_', ' ')}, {UNITS[unit]}" if stem and unit in UNITS else name.replace("_", " ")

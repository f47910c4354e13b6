"""Ask for a record on the terminal: section by section, Enter for unknown, again where an answer cannot be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from endplate.cli.record.doubt_questions import settle, stands
from endplate.cli.record.drug_questions import ask_drugs
from endplate.decision.explanation.prompts import label, plain, why
from endplate.decision.explanation.record_draft import (
    MAX,
    Draft,
    drop,
    fault,
    field_at,
    next_place,
    pregnancy_possible,
    put,
    record_of,
    unanswered,
)
from endplate.errors import OptionError
from endplate.level import parse_level
from endplate.patient import PatientRecord
from endplate.patient.drugs import Drugs
from endplate.patient.imaging import LevelRecord
from endplate.patient.question import NO, YES, items_of, part_of, value_of, wanted

Ask = Callable[[str], str]
Say = Callable[[str], None]

INTRODUCTION = (
    "Enter leaves a thing unknown, ? says why it is asked, back returns to the question before. "
    "Only age and sex are needed. Ctrl-C stops without writing."
)
BACK, WHY = "back", "?"
IDENTITY = ("levels", "procedures", "birth_year", "confirmed")


class BackError(Exception):
    """Somebody wants the question before this one."""


class Interview:
    """One run through the record: who it is, the answers that settle most verdicts, then part by part."""

    def __init__(self, ask: Ask, say: Say) -> None:
        self.ask, self.say = ask, say
        self.confirmed: set[str] = set()

    def record(self) -> PatientRecord:
        """Ask for everything, until the whole is a possible record."""
        self.say(INTRODUCTION)
        while True:
            draft: Draft = {}
            simple = [name for name, f in PatientRecord.model_fields.items() if part_of(f) is None]
            fields = {name: PatientRecord.model_fields[name] for name in simple if name not in IDENTITY}
            self._in_turn(fields, draft, "")
            settle(draft, self.confirmed, self.ask, self.say)
            if not (said := fault(draft)):
                self._first(draft)
                self._parts(draft)
                self._levels(draft)
                settle(draft, self.confirmed, self.ask, self.say)
                said = fault(draft)
            if not said:
                return record_of(draft)
            self.say(f"That cannot be: {said}. Once more, please.")

    def _parts(self, draft: Draft) -> None:
        """The rest, part by part; back returns to the part before."""
        parts = [(name, part) for name, f in PatientRecord.model_fields.items() if (part := part_of(f)) is not None]
        place = 0
        while place < len(parts):
            name, part = parts[place]
            more = "More" if name in draft else "Anything"
            try:
                if self._yes(f"{more} about {plain(name)}?", name):
                    stated = self.part(part, name, draft.get(name))
                    draft |= {name: stated} if stated else {}
            except BackError:
                place = max(place - 1, 0)
                continue
            place += 1

    def part(self, model: type[BaseModel], path: str, known: Draft | None = None) -> Draft:
        """Ask for what one part lacks, until it is possible in itself."""
        while True:
            answers: Draft = dict(known or {})
            by_name = model is Drugs and "names" not in answers
            answers = (ask_drugs(self.ask, self.say) if by_name else {}) | answers
            fields = {name: field for name, field in model.model_fields.items() if name not in answers}
            if by_name:
                fields.pop("names", None)
            self._in_turn(fields, answers, path)
            try:
                model(**answers)
            except ValidationError as error:
                self.say(f"That cannot be: {error.errors()[0]['msg']}. This part once more, please.")
                continue
            return answers

    def _first(self, draft: Draft) -> None:
        """The answers that settle most verdicts; what was skipped can be come back to."""
        level = self._vertebra("Which vertebra is fractured? Its name (such as L1), or Enter: ") or ""
        if level:
            put(draft, f"levels.{level}.fracture", True)
        skipped: frozenset[str] = frozenset()
        asked: list[tuple[str, str]] = []
        while len(asked) < MAX and (found := next_place(draft, level, skipped)):
            path, question = found
            try:
                answered = self._place(path, draft)
            except BackError:
                if asked:
                    path, fact = asked.pop()
                    drop(draft, path)
                    skipped -= {fact}
                continue
            asked.append((path, question.field))
            skipped |= frozenset() if answered else {question.field}
        left = list(unanswered(skipped, level))
        with suppress(BackError):
            if left and self._yes(f"{len(left)} of these were skipped. Come back to them?", ""):
                for path in left:
                    self._place(path, draft)

    def _place(self, path: str, draft: Draft) -> bool:
        """Ask for one place of the record; whether it was answered."""
        field, wrap = field_at(path)
        answers: Draft = {}
        self._simple("value", field, answers, _without_level(path), wrap=wrap)
        if not answers:
            return False
        put(draft, path, answers["value"])
        settle(draft, self.confirmed, self.ask, self.say)
        if said := fault(draft):
            drop(draft, path)
            self.say(f"  That cannot be: {said}.")
            return False
        return True

    def _in_turn(self, fields: dict[str, FieldInfo], answers: Draft, path: str) -> None:
        """Ask for fields one after the other; back returns to the one before."""
        names, place = list(fields), 0
        while place < len(names):
            name = names[place]
            try:
                self._field(name, fields[name], answers, f"{path}.{name}" if path else name)
            except BackError:
                place = max(place - 1, 0)
                answers.pop(names[place], None)
                continue
            place += 1

    def _field(self, name: str, field: FieldInfo, answers: Draft, path: str) -> None:
        inner, item = part_of(field), items_of(field)
        if path == "pregnant" and not pregnancy_possible(answers):
            return
        if inner is not None and "value" in inner.model_fields:
            self._simple(name, inner.model_fields["value"], answers, path, wrap=inner)
        elif inner is not None:
            if self._yes(f"{plain(name)}?", path):
                answers[name] = self.part(inner, path)
        elif item is not None:
            self._items(name, item, answers, path)
        else:
            self._simple(name, field, answers, path)

    def _simple(
        self, name: str, field: FieldInfo, answers: Draft, path: str, wrap: type[BaseModel] | None = None
    ) -> None:
        while True:
            text = self._typed(f"  {label(path)} ({wanted(field)}): ", path)
            if not text and not (field.is_required() and wrap is None):
                return
            try:
                value = value_of(text, label(path), field)
            except ValueError as error:
                self.say(f"  {error}")
                continue
            if not stands(path, value, self.ask, self.say, self.confirmed):
                continue
            answers[name] = value if wrap is None else wrap(value=value)
            return

    def _typed(self, prompt: str, path: str) -> str:
        """What was typed, once it is no question.

        Raises
        ------
        BackError : the question before is wanted.
        """
        while True:
            text = self.ask(prompt).strip()
            if text == WHY:
                self.say(f"  {why(path)}")
                continue
            if text.lower() == BACK:
                raise BackError
            return text

    def _items(self, name: str, item: Any, answers: Draft, path: str) -> None:
        """A list: none at all, unknown, or one after the other."""
        if not (isinstance(item, type) and issubclass(item, BaseModel)):
            if item is str:
                text = self._typed(f"  {plain(name)} (separated by commas, none, or Enter for unknown): ", path)
                if text:
                    answers[name] = () if text.lower() == "none" else tuple(t.strip() for t in text.split(","))
            return
        answer = self._typed(f"  {plain(name)}: add one? (yes / none / Enter for unknown): ", path).lower()
        if answer == "none":
            answers[name] = ()
        found = []
        while answer in YES:
            found.append(self.part(item, path))
            answer = self._typed(f"  another of {plain(name)}? (yes / Enter): ", path).lower()
        if found:
            answers[name] = tuple(found)

    def _levels(self, draft: Draft) -> None:
        known: Draft = draft.get("levels", {})
        more = " another" if known else " a"
        while level := self._vertebra(f"Anything about{more} vertebra? Its name (such as L1), or Enter: "):
            known[level] = self.part(LevelRecord, "levels", known.get(level))
        if known:
            draft["levels"] = known

    def _vertebra(self, prompt: str) -> str | None:
        while text := self.ask(prompt).strip().upper():
            try:
                return parse_level(text).value
            except OptionError as error:
                self.say(f"  {error}")
        return None

    def _yes(self, question: str, path: str) -> bool:
        while True:
            text = self._typed(f"{question} (yes / Enter for no): ", path).lower()
            if text in YES:
                return True
            if not text or text in NO:
                return False


def _without_level(path: str) -> str:
    """A place without the vertebra's name, as prompts know it."""
    parts = path.split(".")
    return f"levels.{parts[2]}" if parts[0] == "levels" else path

"""The answers that settle most verdicts, asked before all others: the best next one after each answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from endplate.decision.explanation.ask_next import NextQuestion, ask_next
from endplate.decision.facts.case_facts import facts_without_level, level_facts
from endplate.decision.facts.record_paths import path_of
from endplate.decision.logic.field import field_catalogue
from endplate.decision.rules.rulebook import rulebook
from endplate.level import Level
from endplate.patient import PatientRecord
from endplate.patient.imaging import LevelRecord
from endplate.patient.question import part_of
from endplate.patient.validation_message import wanted_words

MAX = 12
"""Questions that come first; after them the record is asked part by part."""

Draft = dict[str, Any]


def next_place(draft: Draft, level: str, skipped: frozenset[str]) -> tuple[str, NextQuestion] | None:
    """The place of the answer that settles most verdicts now, and why; None where no verdict is left open.

    `skipped` : facts that were asked for in vain; those that no single answer tells are passed over.
    """
    record = record_of(draft)
    facts = level_facts(record, (), Level(level), [Level(level)]) if level else facts_without_level(record)
    no_place = {name for name in field_catalogue() if not path_of(name, level)}
    found = ask_next((facts,), 1, skipped | no_place)
    return (path_of(found[0].field, level), found[0]) if found else None


def field_at(path: str) -> tuple[FieldInfo, type[BaseModel] | None]:
    """The field at a dotted place, and the type that holds its value where it is kept with a date."""
    model: type[BaseModel] = PatientRecord
    parts = path.split(".")
    if parts[0] == "levels":
        return LevelRecord.model_fields[parts[2]], None
    for name in parts[:-1]:
        inner = part_of(model.model_fields[name])
        if inner is None:
            raise KeyError(path)
        model = inner
    field = model.model_fields[parts[-1]]
    kept = part_of(field)
    return (kept.model_fields["value"], kept) if kept is not None and "value" in kept.model_fields else (field, None)


def put(draft: Draft, path: str, value: Any) -> None:
    """Put an answer into a draft."""
    *parents, last = path.split(".")
    for name in parents:
        draft = draft.setdefault(name, {})
    draft[last] = value


def drop(draft: Draft, path: str) -> None:
    """Take an answer out of a draft."""
    *parents, last = path.split(".")
    for name in parents:
        draft = draft.get(name, {})
    draft.pop(last, None)


def record_of(draft: Draft) -> PatientRecord:
    """A draft as a record.

    Raises
    ------
    ValidationError : it is no possible record.
    """
    levels = {Level(name): stated for name, stated in draft.get("levels", {}).items()}
    return PatientRecord(**{**draft, **({"levels": levels} if levels else {})})


def fault(draft: Draft) -> str:
    """What is impossible about a draft; empty where it is a possible record."""
    try:
        record_of(draft)
    except ValidationError as error:
        first = error.errors()[0]
        if "error" in first.get("ctx", {}):
            return str(first["ctx"]["error"])
        wanted = wanted_words(first)
        return f"it should be {wanted}" if wanted else str(first["msg"])
    return ""


def pregnancy_possible(draft: Draft) -> bool:
    """Whether it has to be asked at all: not of a man, nor beyond the age that the rules name."""
    latest = rulebook().books[0].thresholds["past_childbearing"].value
    return bool(draft.get("sex") != "male" and draft.get("age_yr", 0) < latest)


def unanswered(skipped: frozenset[str], level: str) -> Iterator[str]:
    """The places of the facts that were skipped."""
    return (path for fact in sorted(skipped) if (path := path_of(fact, level)))

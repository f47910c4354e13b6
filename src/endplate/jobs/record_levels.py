"""Which vertebrae the record of a case means: its names were given from labels, or apart from them, and nobody but a
reader knows which. Where a correction of the levels renames a vertebra that the record speaks of, the reader is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endplate.errors import InputError
from endplate.level import Level
from endplate.report.read_document import read_document
from endplate.store.cases import CaseRow
from endplate.store.database import Store
from endplate.store.readings import readings_of

Names = dict[str, str]
"""By the name that a vertebra has in the labels the one that it has by the readings, only where they differ."""


@dataclass(frozen=True, slots=True)
class LevelQuestion:
    """The record names vertebrae that are called otherwise since.

    Attributes
    ----------
    moves : by the name in the record, the one that the same vertebra has now; from head to foot.
    clash : a name that the record would have twice if its names moved along; empty where there is none.
    """

    moves: Names
    clash: str = ""


def labelled_levels(case: CaseRow) -> list[Level]:
    """The levels as they were labelled, before any reading; the results say them where readings were applied."""
    if case.folder is None:
        return []
    document = read_document(case.folder)
    given = document["provenance"].get("parameters", {}).get("labelled_levels")
    return [Level(name) for name in given or document["levels"]]


def names_now(store: Store, case: CaseRow, until: datetime | None = None) -> Names:
    """The names that the readings give to the vertebrae of a case; none where they do not fit its labels.

    Parameters
    ----------
    until : only what had been said by then, UTC.
    """
    from endplate.case.readings.reading import parse_readings
    from endplate.case.readings.resolve import resolve

    held = [one.plain for one in readings_of(store, case.id) if until is None or one.at <= until]
    if not any(one["what"] == "renumber" for one in held):
        return {}
    try:
        resolved = resolve(parse_readings(held, "what was said"), labelled_levels(case))
    except InputError:
        return {}
    return {str(bone): str(name) for bone, name in resolved.names.items()}


def question_of(store: Store, case: CaseRow) -> LevelQuestion | None:
    """What must be asked of the reader; None where no vertebra of the record got another name since."""
    named = (case.record or {}).get("levels") or {}
    if not named or case.folder is None:
        return None
    before, after = case.record_names or {}, names_now(store, case)
    if before == after:
        return None
    moves = moves_between(case, named, before, after)
    if not moves:
        return None
    later = [moves.get(level, level) for level in named]
    return LevelQuestion(moves, next((name for name in later if later.count(name) > 1), ""))


def moves_between(case: CaseRow, named: Iterable[str], before: Names, after: Names) -> Names:
    """By name, what the same vertebra was called before and is called after, only where that differs; head to foot."""
    bones = {before.get(bone, bone): bone for bone in map(str, labelled_levels(case))}
    moves = {level: after.get(bones[level], bones[level]) for level in _in_order(named) if level in bones}
    return {level: name for level, name in moves.items() if name != level}


def _in_order(named: Iterable[str]) -> list[str]:
    order = [str(level) for level in Level]
    return sorted((level for level in named if level in order), key=order.index)


def moved(record: Mapping[str, Any], moves: Mapping[str, str]) -> dict[str, Any]:
    """A record whose vertebrae have their present names; everything said of each goes along with it."""
    return dict(record) | {"levels": {moves.get(level, level): said for level, said in record["levels"].items()}}

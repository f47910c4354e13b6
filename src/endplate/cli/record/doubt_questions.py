"""Ask once more about a number that no living patient has, or that smells of another unit."""

from __future__ import annotations

from collections.abc import Callable

from endplate.cli.record.question import YES
from endplate.patient.doubt import doubt_of, doubts, quantities
from endplate.patient.record import PatientRecord

Ask = Callable[[str], str]
Say = Callable[[str], None]

_BY_NAME = {path.rsplit(".", 1)[-1]: path for path in quantities()}
"""Fields that have a range, by the last part of their path: no two share it."""


def stands(name: str, value: object, ask: Ask, say: Say, confirmed: set[str]) -> bool:
    """Whether a number is to be kept; one that is odd but right goes into `confirmed`.

    Parameters
    ----------
    name : the field, with or without what stands before it.
    """
    path = _BY_NAME.get(name.rsplit(".", 1)[-1])
    if path is None or isinstance(value, bool) or not isinstance(value, int | float):
        return True
    for doubt in doubt_of(path, value):
        say(f"  {doubt.words}")
        if not doubt.possible or ask("  Is it right as it stands? (yes / Enter to give it again): ").strip() not in YES:
            return False
        confirmed.add(path)
    return True


def confirm_rest(record: PatientRecord, ask: Ask, say: Say) -> tuple[str, ...] | None:
    """The fields of a record that are odd and right, those asked about now among them; None where one is not right.

    `record` : with every odd field called confirmed, so that it could be made at all.
    """
    kept = []
    for doubt in doubts(record):
        say(doubt.words)
        if ask("Is it right as it stands? (yes / Enter for no): ").strip().lower() not in YES:
            return None
        kept.append(doubt.path)
    return tuple(dict.fromkeys(kept))

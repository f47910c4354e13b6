"""Ask once more about a number that no living patient has, or that smells of another unit."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from endplate.decision.explanation.record_draft import Draft, drop, record_of
from endplate.patient.doubt import doubt_of, doubts, quantities
from endplate.patient.question import YES

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


def settle(draft: Draft, confirmed: set[str], ask: Ask, say: Say) -> None:
    """Ask about numbers of a draft that are odd only beside others; what is right goes into `confirmed`, else it goes.

    A draft that is no possible record for another reason is left as it is.
    """
    try:
        record = record_of({**draft, "confirmed": tuple(quantities())})
    except ValidationError:
        return
    for doubt in doubts(record):
        if doubt.path not in confirmed:
            say(f"  {doubt.words}")
            if ask("  Is it right as it stands? (yes / Enter to drop it): ").strip().lower() in YES:
                confirmed.add(doubt.path)
            else:
                drop(draft, doubt.path)
    if confirmed:
        draft["confirmed"] = tuple(sorted(confirmed))

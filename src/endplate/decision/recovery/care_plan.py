"""What to do without a procedure, and after one: the lines that hold for a patient, each with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from endplate.decision.logic.kleene import FactValues
from endplate.decision.logic.threshold import Citation
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import Book, read_book, rulebook

PlanName = Literal["conservative", "after_procedure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One line of a plan.

    Attributes
    ----------
    topic : what it belongs to, such as "Exercise". what, how : in words. sure : False where it hangs on an answer that
    is missing; such a line is shown with what it is for.
    """

    id: str
    topic: str
    what: str
    how: str
    sure: bool
    citation: Citation


@cache
def plan_book(name: PlanName) -> Book:
    """A plan's file, read as rules."""
    text = files("endplate.decision.recovery").joinpath("plans", f"{name}.toml").read_text(encoding="utf-8")
    return read_book(tomllib.loads(text), rulebook().books[0])


def plan_lines(name: PlanName, facts: FactValues) -> tuple[PlanLine, ...]:
    """The lines that hold for a patient, or that no answer excludes, in the order of the file."""
    known = derive(facts)
    return tuple(
        PlanLine(id=line.id, topic=line.kind, what=line.when.words, how=line.action,
                 sure=line.when.truth(known) is True, citation=line.when.citation)
        for line in plan_book(name).flags
        if line.when.truth(known) is not False
    )  # fmt: skip

"""Change an answer and see which verdicts move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from endplate.decision.decide import outcomes
from endplate.decision.derive import derive
from endplate.decision.field import field_catalogue
from endplate.decision.kleene import FactValues, Truth
from endplate.decision.rulebook import rulebook
from endplate.decision.ruleset import Outcome
from endplate.decision.verdict import LevelFacts
from endplate.errors import OptionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A verdict before and after; likewise a flag (raised, cleared or open) or a grading, whose outcome is in words."""

    id: str
    title: str
    before: Outcome | str
    after: Outcome | str


def what_if(facts: LevelFacts, answers: Mapping[str, Any]) -> tuple[Move, ...]:
    """The verdicts, flags and gradings that move when `answers` replace what is known; None forgets an answer.

    Raises
    ------
    OptionError : an answer to a question that no rule asks.
    RecordError : an answer that the question cannot have.
    """
    for name, value in answers.items():
        if name not in field_catalogue():
            near = get_close_matches(name, field_catalogue(), n=1)
            raise OptionError(f"no rule asks for '{name}'", fix=f"did you mean {near[0]}?" if near else "")
        field_catalogue()[name].check(value)
    before, after = dict(facts.values), {**facts.values, **answers}
    titles = {ruleset.id: ruleset.title for ruleset in rulebook().rulesets}
    then, now = outcomes(before), outcomes(after)
    moved = [Move(id=k, title=titles[k], before=then[k], after=now[k]) for k in then if then[k] != now[k]]
    return (*moved, *_other_moves(derive(before), derive(after)))


def _other_moves(before: FactValues, after: FactValues) -> tuple[Move, ...]:
    told: dict[Truth, str] = {True: "raised", False: "clear", None: "open"}
    moves = [
        Move(id=flag.id, title=flag.when.words, before=told[then], after=told[now])
        for flag in rulebook().flags
        if (then := flag.when.truth(before)) is not (now := flag.when.truth(after))
    ]
    for grading in rulebook().gradings:
        was, becomes = (" or ".join(map(str, grading.ladder.reachable(facts))) for facts in (before, after))
        if grading.group != "derived" and was != becomes:
            moves.append(Move(id=grading.id, title=grading.title, before=was, after=becomes))
    return tuple(moves)

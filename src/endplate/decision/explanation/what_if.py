"""Change an answer and see which verdicts move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import FactValues, Truth
from endplate.decision.prevention.plan import prevention_rulesets
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.rules.ruleset import Outcome, RuleSet
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
    check_answers(answers)
    before, after = derive(facts.values), derive({**facts.values, **answers})
    return (*_moves(rulebook().rulesets, before, after), *_other_moves(before, after))


def what_if_prevention(facts: FactValues, answers: Mapping[str, Any]) -> tuple[Move, ...]:
    """The verdicts of prevention that move when `answers` replace what is known of the patient.

    Raises
    ------
    OptionError, RecordError : as `what_if`.
    """
    check_answers(answers)
    return _moves(prevention_rulesets(), derive(facts), derive({**facts, **answers}))


def check_answers(answers: Mapping[str, Any]) -> None:
    """Refuse an answer to a question that no rule asks, or one that the question cannot have."""
    for name, value in answers.items():
        if name not in field_catalogue():
            near = get_close_matches(name, field_catalogue(), n=1)
            raise OptionError(f"no rule asks for '{name}'", fix=f"did you mean {near[0]}?" if near else "")
        field_catalogue()[name].check(value)


def _moves(rulesets: Iterable[RuleSet], before: FactValues, after: FactValues) -> tuple[Move, ...]:
    pairs = ((rules, rules.outcome(before), rules.outcome(after)) for rules in rulesets)
    return tuple(Move(id=r.id, title=r.title, before=then, after=now) for r, then, now in pairs if then != now)


def _other_moves(before: FactValues, after: FactValues) -> tuple[Move, ...]:
    found: dict[Truth, str] = {True: "raised", False: "clear", None: "open"}
    moves = [
        Move(id=flag.id, title=flag.when.words, before=found[then], after=found[now])
        for flag in rulebook().flags
        if (then := flag.when.truth(before)) is not (now := flag.when.truth(after))
    ]
    for grading in rulebook().gradings:
        was, becomes = (" or ".join(map(str, grading.ladder.reachable(facts))) for facts in (before, after))
        if grading.group != "derived" and was != becomes:
            moves.append(Move(id=grading.id, title=grading.title, before=was, after=becomes))
    return tuple(moves)

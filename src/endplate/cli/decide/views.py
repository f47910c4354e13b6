"""Looking into a decision: why a rule set says what it says, and what another answer would change."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from endplate.cli.decide.actions import weighed
from endplate.cli.exit_codes import Output
from endplate.cli.terminal import say, say_lines
from endplate.decision.explanation.ask_next import ask_next
from endplate.decision.explanation.condense import FIRST, condensed, condensed_rules
from endplate.decision.explanation.explain import explain, explain_grading, printed
from endplate.decision.explanation.rule_listing import listed_rules
from endplate.decision.explanation.what_if import Move, check_answers, what_if, what_if_prevention
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.kleene import fields
from endplate.decision.prevention.plan import prevention_rulesets
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.rules.ruleset import Outcome
from endplate.errors import OptionError, RecordError

PATIENT = "prevention"
"""Where a view tells what holds for the patient, not for a level."""


def run_explain(case: Path | None, record: Path, levels: list[str] | None, name: str, talk: Output) -> dict[str, Any]:
    """Print why a rule set or grading says what it says, level by level; of prevention, once for the patient."""

    prevention = {rules.id: rules for rules in prevention_rulesets()}
    gradings = [grading.id for grading in rulebook().gradings if grading.group != "derived"]
    known = [*(rules.id for rules in rulebook().rulesets), *gradings, *prevention]
    if name not in known:
        raise OptionError(f"no rule set {name!r}", "", f"choose one of: {', '.join(known)}")
    care, _ = weighed(case, record, levels)
    rulesets = prevention | {rules.id: rules for rules in rulebook().rulesets}
    if name in prevention:
        places = {PATIENT: LevelFacts(values=care.prevention.facts)}
    else:
        places = {facts.level: facts for facts in _some(care.facts)}
    trees = {
        place: explain_grading(name, facts) if name in gradings else explain(rulesets[name], facts)
        for place, facts in places.items()
    }
    if talk.for_people:
        for place, facts in places.items():
            if name not in prevention:
                _say_questions(name, facts)
            short = condensed(trees[place]) if name in gradings else condensed_rules(rulesets[name], facts)
            say_lines(printed(short))
        say("Shortened to what decides and what to ask for; --json gives the whole tree.", wrap=True)
    found = {place: printed(tree) for place, tree in trees.items()}
    return {"explained": found}


def run_what_if(
    case: Path | None, record: Path, levels: list[str] | None, answers: list[str], talk: Output
) -> dict[str, Any]:
    """Print which verdicts move when answers change, level by level, then those of prevention."""

    changed = dict(_answer(text) for text in answers)
    check_answers(changed)
    care, _ = weighed(case, record, levels)
    if not care.facts and (idle := sorted(set(changed) - _asked_by_prevention())):
        raise OptionError(
            f"nothing here asks for {', '.join(idle)}", "no level is known to be fractured", "give --level"
        )
    moved = {facts.level: what_if(facts, changed) for facts in care.facts}
    moved[PATIENT] = what_if_prevention(care.prevention.facts, changed)
    if talk.for_people:
        for level, moves in moved.items():
            _say_moves(level, moves)
    return {"moves": {level: [asdict(move) for move in moves] for level, moves in moved.items()}}


def _say_questions(name: str, facts: LevelFacts) -> None:
    """The answers that would settle an open rule set, the best first."""
    rulesets = [rules for rules in rulebook().rulesets if rules.id == name]
    for place, one in enumerate(ask_next((facts,), FIRST, (), rulesets), start=1):
        if place == 1:
            say(f"{facts.level}, ask next:")
        say(f"  {place}. {one.title} ({one.who})", wrap=True)


def _asked_by_prevention() -> set[str]:
    return {name for rules in prevention_rulesets() for node in rules.nodes() for name in fields(node)}


def _say_moves(level: str, moves: tuple[Move, ...]) -> None:
    """What moves, the weightiest first; what stays indeterminate is counted."""
    still = [move for move in moves if _still_open(move)]
    changed = sorted((move for move in moves if move not in still), key=_weight)
    if not changed:
        say(f"{level}: nothing changes" if not still else f"{level}: no verdict is settled or reversed")
    else:
        say(f"{level}: {len(changed)} {'changes' if len(changed) > 1 else 'change'}")
    for move in changed[:FIRST]:
        say(f"  {move.title}: {_said(move.before)} -> {_said(move.after)}", wrap=True)
    if len(changed) > FIRST:
        say(f"  and {len(changed) - FIRST} more; --json lists them")
    if still:
        say(f"  {len(still)} more {'stay' if len(still) > 1 else 'stays'} indeterminate with other answers possible")


def _still_open(move: Move) -> bool:
    """Whether a verdict is as open as before, only with other answers left."""
    return not isinstance(move.before, str) and {move.before.status, _status(move.after)} == {"indeterminate"}


def _status(outcome: Outcome | str) -> str:
    return outcome if isinstance(outcome, str) else outcome.status


def _weight(move: Move) -> int:
    """Verdicts that are reversed or settled first, then those with another answer, then flags and gradings."""
    if isinstance(move.before, str):
        return 2
    return int(move.before.status == _status(move.after))


def _said(outcome: Outcome | str) -> str:
    if isinstance(outcome, str):
        return outcome
    return outcome.status if outcome.status == "indeterminate" else f"{outcome.status} ({outcome.answer})"


def _answer(text: str) -> tuple[str, Any]:
    """FIELD=VALUE, where the value is yes, no, unknown, a number or a word."""
    name, sign, value = text.partition("=")
    if not sign:
        raise OptionError(f"--what-if {text!r} has no value", "", "write FIELD=VALUE, such as nrs=4 or mri_oedema=yes")
    words = {"yes": True, "true": True, "no": False, "false": False, "unknown": None}
    if value.lower() in words:
        return name, words[value.lower()]
    try:
        number = float(value)
    except ValueError:
        return name, value
    return name, int(number) if number.is_integer() else number


def _some(facts: tuple[LevelFacts, ...]) -> tuple[LevelFacts, ...]:
    if not facts:
        raise RecordError(
            "no level is known to be fractured", "rules are asked of a level", "give --level, or say so in the record"
        )
    return facts


def run_rules_page(talk: Output) -> dict[str, Any]:
    """Print the page of all rule sets."""
    from endplate.decision.explanation.rules_page import rules_page

    page = rules_page()
    if talk.for_people:
        say_lines(page)
    return {"markdown": page}


def run_rules(weak: bool, talk: Output) -> dict[str, Any]:
    """List every constant and criterion of the rule files, or what a clinician should check first."""

    rules = listed_rules(weak)
    if talk.for_people:
        for rule in rules:
            value = rule.words if rule.value is None else f"{rule.value:g} {rule.unit}"
            say(f"[{rule.citation.trust}] {rule.name}: {value}")
            say(f"    {rule.citation}")
            for reference in rule.citation.references:
                say(f"    {reference}")
        say(f"{len(rules)} {'to check first' if weak else 'constants and criteria'}")
    return {
        "rules": [
            {
                "name": rule.name,
                "words": rule.words,
                "value": rule.value,
                "unit": rule.unit,
                "source": rule.citation.source,
                "edition": rule.citation.edition,
                "trust": rule.citation.trust,
                "cite": list(rule.citation.cite),
                "references": list(rule.citation.references),
            }
            for rule in rules
        ]
    }

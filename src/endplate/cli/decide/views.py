"""Looking into a decision: why a rule set says what it says, and what another answer would change."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from endplate.cli.decide.actions import weighed
from endplate.cli.exit_codes import Output
from endplate.cli.terminal import say, say_lines
from endplate.decision.explanation.explain import explain, explain_grading, printed
from endplate.decision.explanation.rule_listing import listed_rules
from endplate.decision.explanation.what_if import check_answers, what_if, what_if_prevention
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.kleene import fields
from endplate.decision.prevention.plan import prevention_rulesets
from endplate.decision.rules.rulebook import rulebook
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
    if name in prevention:
        found = {PATIENT: printed(explain(prevention[name], LevelFacts(values=care.prevention.facts)))}
    else:
        shown = explain_grading if name in gradings else explain
        found = {facts.level: printed(shown(name, facts)) for facts in _some(care.facts)}
    if talk.for_people:
        say_lines("\n".join(found.values()))
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
            say(f"{level}: {len(moves)} change" if moves else f"{level}: nothing changes")
            for move in moves:
                say(f"  {move.title}: {_said(move.before)} -> {_said(move.after)}")
    return {"moves": {level: [asdict(move) for move in moves] for level, moves in moved.items()}}


def _asked_by_prevention() -> set[str]:
    return {name for rules in prevention_rulesets() for node in rules.nodes() for name in fields(node)}


def _said(outcome: Any) -> str:
    return outcome if isinstance(outcome, str) else f"{outcome.status} ({outcome.answer})"


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

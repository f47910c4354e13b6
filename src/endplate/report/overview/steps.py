"""What to do next, the most urgent first: emergencies, red flags, missing answers that settle most, prevention."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from endplate.case.care import Care
from endplate.decision.explanation.ask_next import NextQuestion
from endplate.report.care.alarm import alarms
from endplate.report.care.caution import cautions

QUESTIONS = 3
"""Missing answers that stand on the first screen; all of them stand in “Ask next”."""

BETWEEN = re.compile(r";\s+(?![^()]*\))")
"""What parts the clauses of the plan, outside brackets."""
CLAUSES = 2
"""Clauses of the plan's next step that stand on the first screen: who would treat, and how high the risk is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do; `why` says what it rests on."""

    text: str
    why: str
    urgent: bool = False


def next_steps(care: Care, questions: Sequence[NextQuestion]) -> tuple[Step, ...]:
    """The steps in their order."""
    found = [
        Step(
            text=_sentence(_first(alarm.certainty, alarm.ask, alarm.action)),
            why=f"{alarm.where}: {alarm.words}",
            urgent=True,
        )
        for alarm in alarms(care.decision)
        if alarm.certainty != "not asked"
    ]
    found += [
        Step(text=_sentence(f"{one.where}: {one.action[:1].lower()}{one.action[1:]}"), why=one.words)
        for one in cautions(care.decision)
    ]
    asked = questions[:QUESTIONS]
    if asked:
        words = "; ".join(f"{one.title} ({one.who})" for one in asked)
        settled = f"{asked[-1].settled_so_far:.0f} of {asked[0].open_verdicts} indeterminate verdicts"
        found.append(Step(text=f"Ask for: {words}.", why=f"about {settled} would be settled"))
    found.append(Step(text=_prevention(care.prevention.next_step), why="the whole plan stands under “Prevention”"))
    return tuple(found)


def _prevention(step: str) -> str:
    """The plan's next step without its lists of drugs."""
    return f"Prevent the next fracture: {'; '.join(BETWEEN.split(step)[:CLAUSES]).rstrip('.')}."


def _first(certainty: str, ask: str, action: str) -> str:
    return f"ask now for {ask}; until it is excluded: {action}" if certainty == "possible" and ask else action


def _sentence(text: str) -> str:
    bare = text.strip().rstrip(".")
    return f"{bare[:1].upper()}{bare[1:]}."

"""The care path of a case: what the rules decide and how the next fracture is prevented, from record and findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from endplate.decision.ask_next import NextQuestion, ask_next
from endplate.decision.facts.case_facts import case_facts, facts_without_level
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.prevention.plan import PreventionPlan, prevent
from endplate.decision.verdict.decide import decide
from endplate.decision.verdict.verdict import Decision
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import PatientRecord


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Care:
    """What was weighed and what came of it.

    Attributes
    ----------
    facts : of each level that was decided on, from head to foot. decision : every rule set at each of them.
    prevention : always made. measured : whether findings of a scan took part.
    """

    record: PatientRecord
    facts: tuple[LevelFacts, ...]
    decision: Decision
    prevention: PreventionPlan
    measured: bool


def next_questions(care: Care) -> tuple[NextQuestion, ...]:
    """The missing answers that settle most open verdicts, the best first; of a patient where no level is known."""
    return ask_next(care.facts or (facts_without_level(care.record),))


def weigh(record: PatientRecord, findings: Sequence[Finding] = (), levels: Sequence[Level] = ()) -> Care:
    """Weigh a record and, when given, the findings of its scan.

    Parameters
    ----------
    levels : to decide on; without them those that record or findings call fractured.
    """
    facts = case_facts(record, findings, levels)
    return Care(
        record=record,
        facts=facts,
        decision=decide(facts),
        prevention=prevent(record, findings),
        measured=bool(findings),
    )

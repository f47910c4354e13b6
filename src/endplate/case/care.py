"""The care path of a case: what the rules decide and how the next fracture is prevented, from record and findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import PatientRecord

if TYPE_CHECKING:
    from endplate.decision.explanation.ask_next import NextQuestion
    from endplate.decision.facts.level_facts import LevelFacts
    from endplate.decision.prevention.plan import PreventionPlan
    from endplate.decision.verdict.verdict import Decision


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Care:
    """The care path of a case: what was weighed and what came of it.

    Parameters
    ----------
    record : PatientRecord
        The patient.
    facts : tuple of LevelFacts
        Facts of each level that was decided on, from head to foot.
    decision : Decision
        Every rule set at each of these levels.
    prevention : PreventionPlan
        How the next fracture is prevented; it is always made.
    measured : bool
        Whether findings of a scan took part.
    """

    record: PatientRecord
    facts: tuple[LevelFacts, ...]
    decision: Decision
    prevention: PreventionPlan
    measured: bool

    def __repr__(self) -> str:
        """Who, at which levels, and how many rule sets speak: the whole would fill the screen."""
        at = ", ".join(level.level for level in self.decision.levels) or "no fractured level"
        verdicts = sum(len(level.verdicts) for level in self.decision.levels)
        needs = {True: "needed", False: "not needed", None: "open"}[self.prevention.needed]
        return f"<Care of {self.record.id or 'no name'}: {at}; {verdicts} verdicts; prevention {needs}>"


def next_questions(care: Care, most: int | None = None) -> tuple[NextQuestion, ...]:
    """The missing answers that settle most open verdicts, the best first; of a patient where no level is known.

    Parameters
    ----------
    most : no more than so many are worked out; None works out as many as a list of what comes next may have.
    """
    from endplate.decision.explanation.ask_next import LENGTH, ask_next
    from endplate.decision.facts.case_facts import facts_without_level

    return ask_next(care.facts or (facts_without_level(care.record),), LENGTH if most is None else most)


def weigh(
    record: PatientRecord,
    findings: Sequence[Finding] = (),
    levels: Sequence[Level] = (),
    guidelines: Sequence[str | Path] | None = None,
) -> Care:
    """Weigh a record and, when given, the findings of its scan.

    Parameters
    ----------
    levels : to decide on; without them those that record or findings call fractured.
    guidelines : rule sets to ask, by id, or rule files of your own (TOML); None asks all that are packaged.

    Raises
    ------
    OptionError : a guideline that is neither.
    """
    from endplate.decision.facts.case_facts import case_facts
    from endplate.decision.prevention.plan import prevent
    from endplate.decision.rules.choose import choose_rulesets
    from endplate.decision.verdict.decide import decide

    facts = case_facts(record, findings, levels)
    return Care(
        record=record,
        facts=facts,
        decision=decide(facts, choose_rulesets(guidelines)),
        prevention=prevent(record, findings),
        measured=bool(findings),
    )

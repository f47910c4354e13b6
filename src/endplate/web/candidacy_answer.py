"""What the rule sets say of a record as it stands in the form: emergencies, cautions and the matrix, in one view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from endplate.decision.facts.case_facts import case_facts
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import decide
from endplate.decision.verdict.verdict import Verdict
from endplate.finding import Finding
from endplate.level import Level, parse_level
from endplate.patient import PatientRecord
from endplate.report.care.alarm import Alarm, alarms
from endplate.report.care.caution import StandingCaution, TechniqueLine, cautions, technique_lines
from endplate.report.care.matrix import Block, matrix
from endplate.report.read_document import findings_of, read_document
from endplate.store.cases import CaseRow

KEPT_CASES = 32
"""Cases whose findings stay in memory between two answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown beside the form."""

    levels: tuple[str, ...]
    alarms: tuple[Alarm, ...]
    cautions: tuple[StandingCaution, ...]
    techniques: tuple[TechniqueLine, ...]
    blocks: tuple[Block, ...]


def answer(record: PatientRecord, findings: Sequence[Finding]) -> Answer:
    """All rule sets at all levels that record or scan call fractured."""
    decision = decide(case_facts(record, findings))
    return Answer(
        levels=tuple(level.level for level in decision.levels),
        alarms=alarms(decision),
        cautions=cautions(decision),
        techniques=tuple(technique_lines(decision)),
        blocks=matrix(decision),
    )


def verdict_of(record: PatientRecord, findings: Sequence[Finding], ruleset: str, level: str) -> Verdict | None:
    """One cell with its reasons; None where there is no such rule set or level."""
    chosen = [one for one in rulebook().rulesets if one.id == ruleset]
    found = [one for one in decide(case_facts(record, findings), chosen).levels if one.level == level]
    return found[0].verdict(ruleset) if chosen and found else None


def findings_of_case(case: CaseRow) -> tuple[Finding, ...]:
    """The findings of a case that was measured; none before."""
    return () if case.folder is None else _findings(case.folder, case.version, case.patient_id)


@lru_cache(maxsize=KEPT_CASES)
def _findings(folder: Path, version: int, patient_id: str | None) -> tuple[Finding, ...]:
    """Read once for each state of the case, which its version tells apart."""
    return findings_of(read_document(folder, patient_id))


def named_levels(record: dict[str, object] | None, findings: Sequence[Finding], more: str = "") -> list[str]:
    """Vertebrae that have a section of their own: those of the record, those found fractured, and one more."""
    held = (record or {}).get("levels") or {}
    names = set(held) if isinstance(held, dict) else set()
    names |= {f.level.name for f in findings if f.code == "fracture" and f.value == "yes" and f.level is not None}
    if more:
        names.add(parse_level(more).name)
    order = [level.name for level in Level]
    return sorted(names, key=order.index)

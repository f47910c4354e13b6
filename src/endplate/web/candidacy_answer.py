"""What the rule sets say of a record as it stands in the form: emergencies, cautions and the matrix, in one view."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from multiprocessing import get_context
from pathlib import Path

from endplate.case.care import next_questions, weigh
from endplate.decision.explanation.ask_next import NextQuestion
from endplate.decision.facts.case_facts import case_facts
from endplate.decision.facts.record_paths import path_of
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import decide, standing
from endplate.decision.verdict.verdict import Verdict
from endplate.finding import Finding
from endplate.level import Level, parse_level
from endplate.patient import PatientRecord, parse_record
from endplate.report.care.alarm import Alarm, alarms
from endplate.report.care.caution import StandingCaution, TechniqueLine, cautions, technique_lines
from endplate.report.care.matrix import Block, matrix
from endplate.report.read_document import findings_of, read_document
from endplate.store.cases import CaseRow

LATER_S = 120.0
"""A reader has gone on long before."""
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
    decision = standing(case_facts(record, findings))
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


@dataclass(frozen=True, slots=True)
class Later:
    """What takes longer to work out than a reader waits for a verdict: questions with their places, prevention."""

    questions: tuple[tuple[NextQuestion, str], ...]
    prevention: str


def later(record: PatientRecord, case: CaseRow) -> Later:
    """The answers that settle most verdicts and the next step of prevention, worked out beside the server."""
    work = _beside().submit(_later, record.model_dump_json(exclude_none=True), case.folder, case.version)
    return work.result(LATER_S)


@cache
def _beside() -> ProcessPoolExecutor:
    """A process of its own: the questions take half a second of a core, for which no other answer waits."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=os.nice, initargs=(10,))


def close_beside() -> None:
    """End that process at once: a server that stops does not wait for what nobody will read."""
    if not _beside.cache_info().currsize:
        return
    pool = _beside()
    _beside.cache_clear()
    running = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in running:
        process.kill()


def _later(record_json: str, folder: Path | None, version: int) -> Later:
    record = parse_record(record_json)
    care = weigh(record, () if folder is None else _findings(folder, version, None))
    levels = [level.level for level in care.decision.levels]
    questions = tuple((one, path_of(one.field, levels[0] if levels else "")) for one in next_questions(care))
    return Later(questions=questions, prevention=care.prevention.next_step)


def named_levels(record: dict[str, object] | None, findings: Sequence[Finding], more: str = "") -> list[str]:
    """Vertebrae that have a section of their own: those of the record, those found fractured, and one more."""
    held = (record or {}).get("levels") or {}
    names = set(held) if isinstance(held, dict) else set()
    names |= {f.level.name for f in findings if f.code == "fracture" and f.value == "yes" and f.level is not None}
    if more:
        names.add(parse_level(more).name)
    order = [level.name for level in Level]
    return sorted(names, key=order.index)

"""The publications behind a care section: each once, in full, by the key that stands in the marks."""

from __future__ import annotations

from collections.abc import Iterator

from endplate.bibliography import full_text
from endplate.case.care import Care
from endplate.cited import cite_keys
from endplate.decision.recovery.trials import trials
from endplate.decision.verdict.verdict import LevelDecision, Verdict
from endplate.report.care.decision_aid import figures


def publications(care: Care) -> tuple[str, ...]:
    """Every publication that the section or the decision aid rests on, by key."""
    keys = {key for level in care.decision.levels for key in _of_level(level)}
    plan = care.prevention
    keys |= {key for verdict in (*plan.treat, *plan.very_high_risk, *plan.drugs, plan.falls) for key in _of(verdict)}
    keys |= {key for trial in trials() for key in trial.cite} | set(_of_aid())
    return full_text(sorted(keys))


def _of_level(level: LevelDecision) -> Iterator[str]:
    for verdict in level.verdicts:
        yield from _of(verdict)
    for grade in (*level.causes, *level.classes, *level.conservative, level.technique):
        yield from (key for reason in grade.reasons for key in reason.citation.cite)
    for flag in (*level.emergencies, *level.flags, *level.open_flags):
        yield from flag.reason.citation.cite


def _of(verdict: Verdict) -> Iterator[str]:
    yield from verdict.edition.cite
    yield from (key for reason in verdict.reasons for key in reason.citation.cite)


def _of_aid() -> Iterator[str]:
    for entry in figures().values():
        for row in entry if isinstance(entry, list) else [entry]:
            yield from cite_keys(row.get("cite", ()))

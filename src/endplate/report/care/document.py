"""The decision as one JSON document: every verdict with what decided it and what is missing."""

from __future__ import annotations

from typing import Any

from endplate.case.care import Care
from endplate.decision.verdict import LevelDecision, Verdict


def document(care: Care) -> dict[str, Any]:
    """The decision as plain JSON values: every verdict with what decided it and what is missing."""
    return {
        "format": "endplate-decision",
        "format_version": 1,
        "patient": care.record.id,
        "levels": [_level(level) for level in care.decision.levels],
        "prevention": {
            "needed": care.prevention.needed,
            "next_step": care.prevention.next_step,
            "verdicts": [
                _verdict(verdict)
                for verdict in (
                    *care.prevention.treat,
                    *care.prevention.very_high_risk,
                    *care.prevention.drugs,
                    care.prevention.falls,
                )
            ],
            "dates": [
                {"what": date.what, "on": date.on.isoformat() if date.on else None, "source": date.source}
                for date in care.prevention.dates
            ],
            "laboratory_missing": [item.name for item in care.prevention.laboratory if item.result is None],
        },
    }


def _level(level: LevelDecision) -> dict[str, Any]:
    grades = (*level.causes, *level.classes, *level.conservative, level.technique)
    return {
        "level": level.level,
        "emergencies": [{"words": flag.words, "action": flag.action} for flag in level.emergencies],
        "flags": [{"words": flag.words, "action": flag.action} for flag in level.flags],
        "verdicts": [_verdict(verdict) for verdict in level.verdicts],
        "conflicts": [
            {"question": c.question, "positions": c.positions, "yes": list(c.yes), "no": list(c.no)}
            for c in level.conflicts
        ],
        "grades": [{"id": g.id, "group": g.group, "value": g.value, "reachable": list(g.reachable)} for g in grades],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "ruleset": verdict.ruleset,
        "edition": verdict.edition.edition,
        "question": verdict.question,
        "status": verdict.status,
        "answer": verdict.answer,
        "applies": verdict.applies,
        "reasons": [
            {
                "words": reason.words,
                "truth": reason.truth,
                "source": str(reason.citation),
                "used": {used.field: used.value for used in reason.used},
            }
            for reason in verdict.reasons
        ],
        "missing": list(verdict.missing),
        "would_change": sorted({change.field for change in verdict.would_change}),
        "scores": {score.name: [score.low, score.high] for score in verdict.scores},
    }

"""The decision as one JSON document: every verdict, what decided it, what is missing; and the plan of prevention."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from endplate.case.care import Care, next_questions
from endplate.decision.verdict.document import as_document

FORMAT, FORMAT_VERSION = "endplate-decision", 1


def document(care: Care) -> dict[str, Any]:
    """Plain JSON values; levels from head to foot."""
    plan = care.prevention
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "patient": care.record.id,
        **as_document(care.decision),
        "ask_next": [asdict(question) for question in next_questions(care)],
        "prevention": {
            "needed": plan.needed,
            "next_step": plan.next_step,
            "cautions": [asdict(item) for item in plan.cautions],
            "treat": [as_document(verdict) for verdict in plan.treat],
            "very_high_risk": [as_document(verdict) for verdict in plan.very_high_risk],
            "drugs": [as_document(verdict) for verdict in plan.drugs],
            "first_drug": [as_document(verdict) for verdict in plan.first_drug],
            "conflicts": [as_plain(conflict) for conflict in plan.conflicts],
            "falls": as_document(plan.falls),
            "fall_drugs": None if plan.fall_drugs is None else [asdict(drug) for drug in plan.fall_drugs],
            "laboratory": [_days(asdict(item)) for item in plan.laboratory],
            "dates": [_days(asdict(item)) for item in plan.dates],
            "programme": [as_plain(one) for one in plan.programme],
            "advice": [asdict(item) for item in (*plan.supplements, *plan.exercise, *plan.figures)],
        },
    }


def as_plain(item: Any) -> dict[str, Any]:
    """A flat part of the plan; tuples as lists."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(item).items()}


def _days(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in values.items()}

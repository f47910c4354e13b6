"""Verdicts for many records: a line of JSON in, a row out, over some processes."""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Iterable, Iterator
from typing import Any

from endplate.cited import cited
from endplate.decision.facts.case_facts import case_facts
from endplate.decision.logic.kleene import FactValues
from endplate.decision.prevention.fall_drugs import fall_drugs
from endplate.decision.prevention.plan import prevention_outcomes
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import outcomes_of, urgent_of
from endplate.errors import RecordError
from endplate.patient import parse_record

CHUNK = 100
"""Records handed to a process at a time: enough that handing over costs little."""
LONGEST_ID = cited(200, "1", "Letters that a row keeps of an id; more is no id", "design")
ID = re.compile(r'\s*\{[^{}\[\]]*?"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?[0-9]+)')
"""The id of an object whose text breaks off or is spoilt further on, before any part of it is opened."""
NO_LEVEL = (
    "no level is known to be fractured, so no rule set on repair was asked; name it in the record, such as "
    '"levels": {"L1": {"fracture": true}}'
)


def rows(lines: Iterable[str], processes: int = 1) -> Iterator[dict[str, Any]]:
    """A row for each line, in order; empty lines give none. A record that is no good gives a row with its error."""
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    if processes == 1:
        yield from map(row, numbered)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(row, numbered, chunksize=CHUNK)


def row(numbered: tuple[int, str]) -> dict[str, Any]:
    """Emergencies and the answer of every rule set, at every level of a record; `error` in their place if it is bad.

    `note` says why no rule set on repair was asked where the record knows no fractured level; else None. A bad record
    keeps its `id` where that can be read.
    `prevention` holds the rule sets on treatment, risk, drugs and falls, `causes` the grades of each cause by level,
    `fall_drugs` the drugs of the record that raise the risk of falls (None where no list of drugs is known).
    """
    number, line = numbered
    try:
        record = parse_record(line.encode("utf-8", "surrogateescape"), f"line {number}")
    except RecordError as error:
        return {"line": number, "id": _id_in(line), "error": str(error)}
    known = case_facts(record)
    filled = {facts.level: derive(facts.values) for facts in known}
    levels = {
        level: {name: list(outcome[:2]) for name, outcome in outcomes_of(values).items()}
        for level, values in filled.items()
    }
    emergencies = {level: found for level, values in filled.items() if (found := urgent_of(values))}
    causes = {level: _causes(values) for level, values in filled.items()}
    prevention = {name: list(outcome[:2]) for name, outcome in prevention_outcomes(record).items()}
    return {
        "line": number,
        "id": record.id,
        "note": None if known else NO_LEVEL,
        "emergencies": emergencies,
        "levels": levels,
        "causes": {level: grades for level, grades in causes.items() if grades},
        "prevention": prevention,
        "fall_drugs": None if record.drugs.names is None else [drug.drug for drug in fall_drugs(record.drugs.names)],
    }


def _id_in(line: str) -> str | None:
    """The id of a record that cannot be used; None where it has none, or where it cannot be told."""
    try:
        data = json.loads(line)
        found = data.get("id") if isinstance(data, dict) else None
    except (ValueError, RecursionError):
        match = ID.match(line)
        try:
            found = json.loads(match[1]) if match else None
        except ValueError:
            found = None
    if not isinstance(found, str | int) or isinstance(found, bool):
        return None
    readable = str(found).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return readable.strip()[: int(LONGEST_ID)] or None


def _causes(values: FactValues) -> dict[str, Any]:
    """The grade of each cause; None where it is open."""
    return {grading.id: grading.ladder.settled(values) for grading in rulebook().group("cause")}

"""From the patient record and the findings of a CT to the facts that rules ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from endplate.decision.facts.finding_facts import finding_facts
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.facts.record_facts import record_facts
from endplate.decision.logic.field import field_catalogue
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import PatientRecord


def case_facts(
    record: PatientRecord, findings: Sequence[Finding] = (), levels: Sequence[Level] = ()
) -> tuple[LevelFacts, ...]:
    """The facts of each level that is to be decided on, from head to foot.

    `levels` names them; without it they are those that record or findings call fractured (`fractured_levels`).
    """
    chosen = sorted(levels or fractured_levels(record, findings))
    return tuple(level_facts(record, findings, level, chosen) for level in chosen)


def level_facts(
    record: PatientRecord, findings: Sequence[Finding], level: Level, together: Sequence[Level] = ()
) -> LevelFacts:
    """The facts of one level. What a person stated outranks what was measured of the same thing.

    `together` : the levels that one procedure would treat; those known healed or not tender are not counted.
    """
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    bands: dict[str, tuple[float, float]] = {}
    for name, value, place in record_facts(record, level):
        values.setdefault(name, value)
        origin.setdefault(name, place)
    for name, value, band, place in finding_facts(findings, level, _intact(record, findings)):
        if value is not None and name not in values:
            values[name], origin[name] = _within(name, value), place
            if band is not None:
                bands[name] = band
    if together:
        values["n_levels"] = max(sum(not known_old(record, one, findings) for one in together), 1)
        origin["n_levels"] = "levels not known to be healed or painless"
    return LevelFacts(values=values, origin=origin, bands=bands)


def facts_without_level(record: PatientRecord) -> LevelFacts:
    """What a record tells of the patient where it names no level."""
    every = record_facts(record, Level.L1)
    kept = [(name, value, place) for name, value, place in every if field_catalogue()[name].scope == "case"]
    return LevelFacts(
        values={name: value for name, value, _ in reversed(kept)}, origin={name: place for name, _, place in kept}
    )


def fractured_levels(record: PatientRecord, findings: Sequence[Finding] = ()) -> tuple[Level, ...]:
    """Levels that the record or a finding calls fractured, or that show oedema or uptake; from head to foot.

    A level whose fracture is indeterminate is not among them: it is a question to a reader.
    """
    named = {
        level
        for level, record_facts in record.levels.items()
        if record_facts.fracture or record_facts.oedema or record_facts.uptake
    }
    refused = {level for level, record_facts in record.levels.items() if record_facts.fracture is False}
    found = {finding.level for finding in findings if finding.code == "fracture" and finding.value == "yes"}
    return tuple(sorted(level for level in (named | found) - refused if level is not None))


def _intact(record: PatientRecord, findings: Sequence[Finding]) -> frozenset[Level]:
    """Levels known unbroken and without cement, by a person or else by the scan: impacted bone is denser."""
    intact = {f.level for f in findings if f.code == "fracture" and f.value == "no" and f.level is not None}
    intact |= {level for level, record_facts in record.levels.items() if record_facts.fracture is False}
    broken = {level for level, t in record.levels.items() if t.fracture or t.oedema or t.uptake or t.augmented}
    return frozenset(intact - broken - {Level(name) for done in record.procedures for name in done.levels})


def known_old(record: PatientRecord, level: Level, findings: Iterable[Finding] = ()) -> bool:
    """Whether a level is known healed, or not to hurt, or read as old: the present pain does not date its fracture."""
    if any(
        finding.code == "fracture_age" and finding.level is level and finding.value == "old" for finding in findings
    ):
        return True
    at_level = record.levels.get(level)
    if at_level is None:
        return False
    healed = at_level.oedema is False and not at_level.uptake and not at_level.cleft
    return healed or at_level.concordant is False


def _within(name: str, value: Any) -> Any:
    """A measured number kept to what the fact can be: a height that grew is no loss."""
    entry = field_catalogue()[name]
    return value if isinstance(value, bool) else min(max(value, entry.low), entry.high)

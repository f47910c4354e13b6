"""What a reader of the plan must know first: what was left out or assumed, drugs on the list, bed rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from endplate.cited import citation_of
from endplate.decision.facts.record_facts import lowest_t_score
from endplate.decision.prevention.blood import blood_notes
from endplate.decision.prevention.facts import FRAX_YR, frax_speaks, t_score_speaks
from endplate.decision.prevention.fractures import ASSUMED_FROM_YR, fragility_assumed
from endplate.decision.prevention.risk_figures import RiskFigure
from endplate.finding import Finding
from endplate.patient import PatientRecord
from endplate.patient.medication import medication

LIST = "The record's list of drugs, read by name"


def cautions(record: PatientRecord, findings: Iterable[Finding], facts: Mapping[str, Any]) -> tuple[RiskFigure, ...]:
    """Each with its source; the order is that of weight."""
    found = (
        *_drug_list(record),
        *_denosumab(facts),
        *_hormones(record),
        *_void(record),
        *_assumed(record, tuple(findings)),
        *(RiskFigure(text=text, source=source) for text, source in blood_notes(record)),
    )
    return tuple(dict.fromkeys(found))


def _drug_list(record: PatientRecord) -> Iterator[RiskFigure]:
    drugs = medication(record.drugs)
    if drugs.anticoagulants:
        yield RiskFigure(text=f"anticoagulant on the list: {', '.join(drugs.anticoagulants)}", source=LIST)
    platelets = [one.entry for one in drugs.listed.of("antiplatelet") if one.taken]
    if platelets:
        yield RiskFigure(text=f"antiplatelet drug on the list: {', '.join(platelets)}; ask the operator", source=LIST)
    if drugs.dose_unknown:
        yield RiskFigure(text="a glucocorticoid is on the list; its daily dose is not known: ask for it", source=LIST)
    for note in drugs.notes:
        yield RiskFigure(text=note, source=LIST)
    if any(one.drug.drug_class == "calcitonin" and one.taken for one in drugs.listed.of("bone")):
        yield RiskFigure(text="calcitonin is withdrawn for osteoporosis: end it", source="EMA 2012; Health Canada 2013")


def _denosumab(facts: Mapping[str, Any]) -> Iterator[RiskFigure]:
    if facts.get("denosumab_stopped"):
        yield RiskFigure(
            text="denosumab was stopped and no potent drug is recorded after it: rebound fractures; "
            "a potent antiresorptive drug now",
            source="Anastasilakis 2023; ECTS 2021",
        )
    elif facts.get("on_denosumab"):
        yield RiskFigure(
            text="on denosumab: no dose may be late; a follow-on drug is planned before it is ever stopped",
            source="ECTS 2021",
        )


def _hormones(record: PatientRecord) -> Iterator[RiskFigure]:
    listed = medication(record.drugs).listed
    for group, words in (
        ("aromatase_inhibitor", "aromatase inhibitor"),
        ("androgen_deprivation", "androgen deprivation"),
    ):
        names = [one.entry for one in listed.of(group) if one.taken]
        if names:
            yield RiskFigure(text=f"{words} on the list ({', '.join(names)}): it lowers bone density", source=LIST)


def _void(record: PatientRecord) -> Iterator[RiskFigure]:
    """Figures of the record that were left out."""
    bone = record.bone
    if (bone.frax_major_percent, bone.frax_hip_percent) != (None, None) and not frax_speaks(record):
        yield RiskFigure(
            text=f"FRAX is left out: it is made for ages of {FRAX_YR['from']:g} to {FRAX_YR['to']:g}, "
            f"the patient is {record.age_yr:g}",
            source=citation_of(FRAX_YR["from"]).source,
        )
    if lowest_t_score(record) is not None and not t_score_speaks(record):
        yield RiskFigure(
            text="the T-score is left out: before the menopause and in men below 50 the Z-score is used",
            source="ISCD official positions",
        )


def _assumed(record: PatientRecord, findings: tuple[Finding, ...]) -> Iterator[RiskFigure]:
    if fragility_assumed(record, findings):
        yield RiskFigure(
            text="taken as a fragility fracture: no adequate trauma is recorded; say so if there was one",
            source=citation_of(ASSUMED_FROM_YR).source,
        )

"""The plan to prevent the next fracture: always made for a fragility fracture, whatever is decided about cement."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from endplate.cited import citation_of
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.facts.record_facts import DENSITY_SITES
from endplate.decision.logic.kleene import Criterion
from endplate.decision.prevention.cautions import cautions
from endplate.decision.prevention.exercise import Exercise, exercise_figures, programme
from endplate.decision.prevention.facts import prevention_facts
from endplate.decision.prevention.fall_drugs import FallDrug, fall_drugs
from endplate.decision.prevention.fractures import fractured_now, last_vertebral_on
from endplate.decision.prevention.frax import frax_notes
from endplate.decision.prevention.laboratory import LaboratoryItem, laboratory_list
from endplate.decision.prevention.next_step import NOT_FRAGILE, Situation, next_step
from endplate.decision.prevention.risk_figures import (
    DENSITY_HOLDS_DAYS,
    FRESH_DAYS,
    VITAMIN_D_HIGH_NG_ML,
    VITAMIN_D_IU,
    VITAMIN_D_LOW_NG_ML,
    Date,
    RiskFigure,
    calcium_mg,
    dates,
    imminent_risk,
)
from endplate.decision.prevention.taken_now import taken_though_blocked
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import Book, Dispute, read_book, rulebook
from endplate.decision.rules.ruleset import Outcome, Question, RuleSet
from endplate.decision.verdict.conflict import conflicts
from endplate.decision.verdict.decide import evaluate
from endplate.decision.verdict.verdict import Conflict, Verdict
from endplate.finding import Finding
from endplate.patient import PatientRecord
from endplate.patient.medication import medication
from endplate.short_repr import short_repr

__all__ = [
    "EXERCISE",
    "PreventionPlan",
    "density_stands",
    "next_step",
    "prevent",
    "prevention_books",
    "prevention_outcomes",
    "prevention_rulesets",
    "rulesets",
]
QUESTIONS: tuple[Question, ...] = ("bone treatment", "very high risk", "drug", "anabolic first", "falls")

EXERCISE = exercise_figures()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreventionPlan:
    """What prevents the next fracture.

    Attributes
    ----------
    needed : whether this is a fragility fracture; None where the record does not say how it happened.
    treat, very_high_risk : one verdict per guideline. drugs : one per class, with what blocks it.
    first_drug : whether an anabolic drug comes first. conflicts : where guidelines differ on it for this patient.
    cautions : what a reader must know first: what was left out or assumed, drugs on the list.
    next_step : what follows from them, in words. laboratory : the list, missing first.
    falls : STEADI. fall_drugs : found in the list; None where no list is known.
    calcium_mg : a day, food included. supplements, exercise, figures, dates : with their sources.
    programme : the exercise by kind, dose, progression and what to avoid.
    facts : what was asked of record and scan.
    """

    needed: bool | None
    treat: tuple[Verdict, ...]
    very_high_risk: tuple[Verdict, ...]
    drugs: tuple[Verdict, ...]
    first_drug: tuple[Verdict, ...]
    conflicts: tuple[Conflict, ...]
    cautions: tuple[RiskFigure, ...]
    next_step: str
    laboratory: tuple[LaboratoryItem, ...]
    falls: Verdict
    fall_drugs: tuple[FallDrug, ...] | None
    calcium_mg: float | None
    supplements: tuple[RiskFigure, ...]
    exercise: tuple[RiskFigure, ...]
    programme: tuple[Exercise, ...]
    figures: tuple[RiskFigure, ...]
    dates: tuple[Date, ...]
    facts: Mapping[str, Any]

    __repr__ = short_repr


@cache
def prevention_books() -> tuple[Book, ...]:
    """Every rule file of prevention, by name."""
    folder = files("endplate.decision.prevention").joinpath("rules")
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    shared = rulebook().books[0]
    return tuple(
        read_book(tomllib.loads(entry.read_text(encoding="utf-8")), shared)
        for entry in entries
        if entry.name.endswith(".toml")
    )


@cache
def prevention_rulesets() -> tuple[RuleSet, ...]:
    """Every rule set of prevention."""
    return tuple(rules for book in prevention_books() for rules in book.rulesets)


def rulesets(question: str) -> tuple[RuleSet, ...]:
    """Rule sets of prevention that answer a question."""
    return tuple(rules for rules in prevention_rulesets() if rules.question == question)


def prevent(record: PatientRecord, findings: Iterable[Finding] = ()) -> PreventionPlan:
    """The plan for a patient; what the record does not hold stays open and is named."""
    findings = tuple(findings)
    facts = prevention_facts(record, findings)
    known = LevelFacts(values=derive(facts))
    treat, very_high, drugs, first, (falls,) = (
        tuple(evaluate(rules, known) for rules in rulesets(question)) for question in QUESTIONS
    )
    differ = conflicts((*treat, *first), known.values, prevention_disputes())
    start, density = _start(record, findings), _newest_density(record)
    calcium = calcium_mg(record.sex, record.age_yr)
    situation = Situation(
        denosumab_stopped=bool(facts.get("denosumab_stopped")),
        fractured=bool(fractured_now(record, findings)) or last_vertebral_on(record, findings) is not None,
        advanced_kidney=advanced_kidney().truth(known.values) is True,
        tumour_in_bone=bool(facts.get("bone_metastasis")),
        fragile=_fragile_now(record, facts),
    )
    step = next_step(treat, very_high, drugs, first, differ, situation)
    return PreventionPlan(
        needed=facts.get("fragility_fracture"),
        treat=treat,
        very_high_risk=very_high,
        drugs=drugs,
        first_drug=first,
        conflicts=differ,
        cautions=(*taken_though_blocked(record, drugs), *cautions(record, findings, facts)),
        next_step=step,
        laboratory=laboratory_list(record),
        falls=falls,
        fall_drugs=None if record.drugs.names is None else fall_drugs(record.drugs.names),
        calcium_mg=None if calcium is None else float(calcium),
        supplements=_supplements(record, None if calcium is None else float(calcium)),
        exercise=EXERCISE,
        programme=programme(),
        figures=(*imminent_risk(record.sex, record.age_yr), *frax_notes(record, facts)),
        dates=()
        if step == NOT_FRAGILE
        else dates(
            start,
            density_stands(record, last_vertebral_on(record, findings)),
            record.recorded_on,
            density,
            _on_drug(record),
        ),
        facts=facts,
    )


def prevention_outcomes(record: PatientRecord, findings: Iterable[Finding] = ()) -> dict[str, Outcome]:
    """Status and answer of every rule set of prevention, without reasons: the fast path for many records."""
    filled = derive(prevention_facts(record, findings))
    return {rules.id: rules.outcome(filled) for rules in prevention_rulesets()}


@cache
def advanced_kidney() -> Criterion:
    """The criterion of the boxed warning on denosumab."""
    return next(book for book in prevention_books() if book.edition.id == "bone_drugs").criteria["advanced_kidney"]


@cache
def prevention_disputes() -> tuple[Dispute, ...]:
    """Questions of prevention on which sources differ."""
    return tuple(dispute for book in prevention_books() for dispute in book.disputes)


def _on_drug(record: PatientRecord) -> bool:
    """Whether an osteoporosis drug is taken now."""
    return any(drug.stopped_on is None for drug in medication(record.drugs).bone_drugs or ())


def _start(record: PatientRecord, findings: tuple[Finding, ...]) -> date | None:
    """The day to count from: of the last fracture if it is of the last year, else the day of the record.

    An old fracture, or one that nobody can date, is dealt with from the day on which it is found.
    """
    broken, today = last_vertebral_on(record, findings), record.recorded_on
    if today is None or (broken is not None and (today - broken).days <= FRESH_DAYS):
        return broken
    return today


def _fragile_now(record: PatientRecord, facts: Mapping[str, Any]) -> bool | None:
    """Whether this is a fracture of weak bone; by the event alone where the earlier fractures are not known."""
    every: bool | None = facts.get("fragility_fracture")
    return False if every is None and record.episode.low_energy is False else every


def _newest_density(record: PatientRecord) -> date | None:
    """The day of the newest density test of spine or hip."""
    days = [test.on for test in record.bone.tests or () if test.site in DENSITY_SITES and test.on is not None]
    return max(days, default=None)


def density_stands(record: PatientRecord, fracture_on: date | None) -> bool:
    """Whether a dated density of spine or hip is known since the fracture, or from the last year."""
    days = [test.on for test in record.bone.tests or () if test.site in DENSITY_SITES and test.on is not None]
    since = fracture_on
    if record.recorded_on is not None:
        recent = record.recorded_on - timedelta(DENSITY_HOLDS_DAYS)
        since = recent if since is None else min(since, recent)
    return since is not None and any(day >= since for day in days)


def _supplements(record: PatientRecord, calcium: float | None) -> tuple[RiskFigure, ...]:
    """Calcium and vitamin D against what is taken and measured."""
    found = []
    if calcium is not None:
        taken = record.drugs.calcium_mg_day
        now = "" if taken is None else f"; supplements now {taken:.0f}"
        found.append(RiskFigure(text=f"calcium {calcium:.0f} mg a day, food included{now}", source="BHOF 2022"))
    level = record.laboratory.vitamin_d_ng_ml
    low, high = VITAMIN_D_LOW_NG_ML, VITAMIN_D_HIGH_NG_ML
    if level is None:
        state = "not measured"
    else:
        place = "below" if level.value < low else "above" if level.value > high else "in"
        state = f"{level.value:g}, {place} the goal"
    text = (
        f"vitamin D to a level of {low:.0f}-{high:.0f} ng/mL ({state}); "
        f"usually {VITAMIN_D_IU['low']:.0f}-{VITAMIN_D_IU['high']:.0f} IU a day"
    )
    return (*found, RiskFigure(text=text, source=citation_of(VITAMIN_D_LOW_NG_ML).source))

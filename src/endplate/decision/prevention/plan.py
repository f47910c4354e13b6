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
from endplate.decision.prevention.facts import prevention_facts
from endplate.decision.prevention.fall_drugs import FallDrug, fall_drugs
from endplate.decision.prevention.fractures import last_vertebral_on
from endplate.decision.prevention.frax import frax_notes
from endplate.decision.prevention.laboratory import LaboratoryItem, laboratory_list
from endplate.decision.prevention.risk_figures import (
    DENSITY_HOLDS_DAYS,
    VITAMIN_D_HIGH_NG_ML,
    VITAMIN_D_IU,
    VITAMIN_D_LOW_NG_ML,
    Date,
    RiskFigure,
    calcium_mg,
    dates,
    imminent_risk,
)
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import Book, read_book, rulebook
from endplate.decision.rules.ruleset import RuleSet
from endplate.decision.verdict.decide import evaluate
from endplate.decision.verdict.verdict import Verdict
from endplate.finding import Finding
from endplate.patient import PatientRecord

ANABOLIC = ("anabolic", "romosozumab")
"""Rule sets of the drugs that build bone."""
EXERCISE = (
    RiskFigure(
        text="balance at least 3 hours a week; strength 2-3 times a week with the back extensors; "
        "no loaded bending or twisting",
        source="Doses from knowledge, source not read",
    ),
    RiskFigure(
        text="exercise lowers the rate of falls to 0.77 (0.71-0.83); after a vertebral fracture it may help mobility, "
        "pain and fear of falling, but is not proven to prevent fractures",
        source="Sherrington 2019; ASBMR 2019",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreventionPlan:
    """What prevents the next fracture.

    Attributes
    ----------
    needed : whether this is a fragility fracture; None where the record does not say how it happened.
    treat, very_high_risk : one verdict per guideline. drugs : one per class, with what blocks it.
    next_step : what follows from them, in words. laboratory : the list, missing first.
    falls : STEADI. fall_drugs : found in the list; None where no list is known.
    calcium_mg : a day, food included. supplements, exercise, figures, dates : with their sources.
    facts : what was asked of record and scan.
    """

    needed: bool | None
    treat: tuple[Verdict, ...]
    very_high_risk: tuple[Verdict, ...]
    drugs: tuple[Verdict, ...]
    next_step: str
    laboratory: tuple[LaboratoryItem, ...]
    falls: Verdict
    fall_drugs: tuple[FallDrug, ...] | None
    calcium_mg: float | None
    supplements: tuple[RiskFigure, ...]
    exercise: tuple[RiskFigure, ...]
    figures: tuple[RiskFigure, ...]
    dates: tuple[Date, ...]
    facts: Mapping[str, Any]


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
    treat, very_high, drugs, (falls,) = (
        tuple(evaluate(rules, known) for rules in rulesets(question))
        for question in ("bone treatment", "very high risk", "drug", "falls")
    )
    last_fracture = last_vertebral_on(record, findings)
    calcium = calcium_mg(record.sex, record.age_yr)
    return PreventionPlan(
        needed=facts.get("fragility_fracture"),
        treat=treat,
        very_high_risk=very_high,
        drugs=drugs,
        next_step=next_step(treat, very_high, drugs),
        laboratory=laboratory_list(record),
        falls=falls,
        fall_drugs=None if record.drugs.names is None else fall_drugs(record.drugs.names),
        calcium_mg=None if calcium is None else float(calcium),
        supplements=_supplements(record, None if calcium is None else float(calcium)),
        exercise=EXERCISE,
        figures=(*imminent_risk(record.sex, record.age_yr), *frax_notes(record, facts)),
        dates=dates(last_fracture, density_stands(record, last_fracture), record.recorded_on),
        facts=facts,
    )


def next_step(treat: Iterable[Verdict], very_high: Iterable[Verdict], drugs: Iterable[Verdict]) -> str:
    """What follows in one sentence; guidelines are named, not voted."""
    treat, drugs = tuple(treat), tuple(drugs)
    say_treat = [verdict.title for verdict in treat if verdict.status == "yes"]
    if not say_treat:
        open_ones = any(verdict.status == "indeterminate" and verdict.missing for verdict in treat)
        return "complete the record first: no guideline can answer yet" if open_ones else "no guideline asks for a drug"
    high = [verdict.title for verdict in very_high if verdict.status == "yes"]
    by_status = {
        "no listed block found (fitness for age not weighed)": ("yes", "conditional"),
        "open, complete the record": ("indeterminate",),
        "blocked": ("contraindicated",),
    }
    words = [f"guidelines that would treat: {', '.join(say_treat)}"]
    if high:
        words.append(f"very high risk ({', '.join(high)}): {_first_drug(drugs)}")
    for title, statuses in by_status.items():
        named = [verdict.title for verdict in drugs if verdict.status in statuses]
        words += [f"{title}: {', '.join(named)}"] if named else []
    return "; ".join(words)


def _first_drug(drugs: Iterable[Verdict]) -> str:
    """The anabolic drugs that are not blocked."""
    left = [one.title for one in drugs if one.ruleset in ANABOLIC and one.status != "contraindicated"]
    if not left:
        return "the anabolic drugs are blocked, ask a specialist"
    return f"consider an anabolic drug first ({', '.join(left)}), by a specialist"


def density_stands(record: PatientRecord, fracture_on: date | None) -> bool:
    """Whether a dated density of spine or hip is known since the fracture, or from the last year."""
    days = [test.on for test in record.bone.tests or () if test.site in DENSITY_SITES and test.on is not None]
    since = fracture_on
    if record.recorded_on is not None:
        recent = record.recorded_on - timedelta(float(DENSITY_HOLDS_DAYS))
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
    low, high = float(VITAMIN_D_LOW_NG_ML), float(VITAMIN_D_HIGH_NG_ML)
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

"""Osteoporosis drugs that are taken now although something here speaks against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from endplate.decision.prevention.risk_figures import RiskFigure
from endplate.decision.verdict.verdict import Verdict
from endplate.patient import PatientRecord
from endplate.patient.medication import medication

RULESETS = {
    "oral bisphosphonate": "oral_bisphosphonate",
    "zoledronate": "zoledronate",
    "intravenous bisphosphonate": "zoledronate",
    "denosumab": "denosumab",
    "teriparatide": "anabolic",
    "abaloparatide": "anabolic",
    "romosozumab": "romosozumab",
    "raloxifene": "raloxifene",
    "hormone therapy": "hormone_therapy",
}
"""Class of a drug in the record, and the rule set that judges it."""
TAKEN = " is taken now, and is "
"""Words by which such a line is known."""
AGAINST = ("contraindication", "relative")
DENOSUMAB = "denosumab"
NO_SUDDEN_END = "; it is never stopped without a drug that follows it (rebound fractures)"


def taken_though_blocked(record: PatientRecord, drugs: Iterable[Verdict]) -> tuple[RiskFigure, ...]:
    """One line for each osteoporosis drug that is taken now and that its rule set bars, doubts, or is not for."""
    verdicts = {verdict.ruleset: verdict for verdict in drugs}
    taken = dict.fromkeys(one.drug for one in medication(record.drugs).bone_drugs or () if one.stopped_on is None)
    found = (_line(name, verdicts.get(RULESETS.get(name, ""))) for name in taken)
    return tuple(line for line in found if line is not None)


def _line(name: str, verdict: Verdict | None) -> RiskFigure | None:
    if verdict is None or (verdict.applies and verdict.status in ("yes", "indeterminate")):
        return None
    held = [reason.words for reason in verdict.reasons if reason.role in AGAINST and reason.truth]
    why = "; ".join(held) or verdict.answer
    word = "contraindicated here" if verdict.status == "contraindicated" else "to be reviewed"
    end = NO_SUDDEN_END if name == DENOSUMAB else ""
    source = "; ".join(dict.fromkeys(_sources(verdict)))
    return RiskFigure(text=f"{name}{TAKEN}{word}: {why}{end}", source=source)


def _sources(verdict: Verdict) -> Iterator[str]:
    """Where what speaks against a drug stands; of a rule set that is not for this patient, its guideline."""
    held = [reason for reason in verdict.reasons if reason.role in AGAINST and reason.truth]
    yield from (str(reason.citation) for reason in held or verdict.reasons)

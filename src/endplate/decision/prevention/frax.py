"""What shifts a FRAX that the patient brought: glucocorticoid dose, and a spine weaker than the hip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from endplate.cited import cited, cited_table
from endplate.decision.prevention.risk_figures import RiskFigure
from endplate.patient import PatientRecord

_KANIS = "Kanis 2011: FRAX adjusted for the glucocorticoid dose (prednisone-equivalent)"
HIGH_DOSE_MG = cited(7.5, "mg/d", _KANIS, "verified", cite="kanis_2011")
LOW_DOSE_MG = cited(2.5, "mg/d", _KANIS, "verified", cite="kanis_2011")
HIGH_DOSE = cited_table("frax.high_dose", "1", _KANIS, "verified", {"major": 1.15, "hip": 1.20}, cite="kanis_2011")
LOW_DOSE = cited_table("frax.low_dose", "1", _KANIS, "verified", {"major": 0.80, "hip": 0.65}, cite="kanis_2011")
_NOGG = "NOGG 2021/24: major FRAX rises by a tenth for each T-score that the spine lies below the neck"
PER_T = cited(0.1, "1", _NOGG, "verified", cite="nogg_2024")


def frax_notes(record: PatientRecord, facts: Mapping[str, Any]) -> tuple[RiskFigure, ...]:
    """The FRAX figures as adjusted; none where FRAX, dose or T-scores are unknown, or FRAX is void at this age."""
    if not any(name in facts for name in ("frax_major_pct", "frax_hip_pct")):
        return ()
    return (*_by_dose(record, facts.get("glucocorticoid_mg_d")), *_by_discordance(record))


def _by_dose(record: PatientRecord, dose: float | None) -> Iterator[RiskFigure]:
    """FRAX as entered means an average dose of 2.5 to 7.5 mg/d; no dose at all needs no adjustment."""
    if not dose or LOW_DOSE_MG <= dose < HIGH_DOSE_MG:
        return
    factors = HIGH_DOSE if dose >= HIGH_DOSE_MG else LOW_DOSE
    for name, percent in (("major", record.bone.frax_major_percent), ("hip", record.bone.frax_hip_percent)):
        if percent is not None:
            text = (
                f"FRAX {name} {percent:g} %, at {dose:g} mg/d times {factors[name]:g}: {percent * factors[name]:.3g} %"
            )
            yield RiskFigure(text=text, source=_KANIS)


def _by_discordance(record: PatientRecord) -> Iterator[RiskFigure]:
    neck, spine = (_lowest(record, site) for site in ("femoral neck", "spine"))
    major = record.bone.frax_major_percent
    if neck is None or spine is None or major is None or neck == spine:
        return
    adjusted = major * (1 + PER_T * (neck - spine))
    text = f"FRAX major {major:g} % by neck T {neck:g}, with spine T {spine:g}: {adjusted:.4g} %"
    yield RiskFigure(text=text, source=_NOGG)


def _lowest(record: PatientRecord, site: str) -> float | None:
    scores = [test.t_score for test in record.bone.tests or () if test.site == site]
    return min((score for score in scores if score is not None), default=None)

"""What the prevention rules ask, read from the record and the findings of a scan; what is not known stays away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from endplate.cited import cited, cited_table
from endplate.decision.told import lowest_t_score
from endplate.finding import Finding
from endplate.patient import PatientRecord
from endplate.patient.drugs import Glucocorticoid

DAYS_PER_MONTH = cited(30.4375, "d", "Mean month of the Gregorian year (exact)", "recomputed")
FALL_NORM_YR = cited_table(
    "falls.norm", "a", "CDC STEADI chair-stand norms, 60-94 years", "verified", {"from": 60, "below": 95}
)


def prevention_facts(record: PatientRecord, findings: Iterable[Finding] = ()) -> dict[str, Any]:
    """Facts by name; unknown ones are left out."""
    facts = {
        "age_yr": record.age_yr,
        "sex": record.sex,
        "postmenopausal": record.history.postmenopausal,
        "t_score": lowest_t_score(record),
        "frax_major_pct": record.bone.frax_major_percent,
        "frax_hip_pct": record.bone.frax_hip_percent,
        **_fractures(record, tuple(findings)),
        **_glucocorticoids(record),
        **_blocks(record),
        **_falls(record),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _fractures(record: PatientRecord, findings: tuple[Finding, ...]) -> dict[str, Any]:
    now = {str(level) for level, read in record.levels.items() if read.fracture}
    now |= {str(f.level) for f in findings if f.code == "fracture" and f.value == "yes"}
    past = record.history.fractures
    old = {level for f in past or () if f.site == "vertebra" for level in f.levels or ("unnamed",)}
    hips = None if past is None else any(f.site == "hip" for f in past)
    earlier = [f for f in past or () if f.site == "vertebra"]
    on_drug = [drug.fracture_on_it for drug in record.drugs.bone_drugs or ()]
    return {
        "fragility_fracture": _fragile(record, now, findings, earlier),
        "vertebral_fractures": len(now | old) if (past is not None or len(now | old) > 1) else None,
        "fracture_months": _months_since(record, earlier),
        "hip_fracture": hips,
        "fracture_on_treatment": True if any(on_drug) else False if record.drugs.bone_drugs == () else None,
    }


def _fragile(
    record: PatientRecord, now: set[str], findings: tuple[Finding, ...], earlier: Iterable[Any]
) -> bool | None:
    """Whether a vertebra broke without high energy, now or before; unknown where nobody says so."""
    answers = [fracture.low_energy for fracture in earlier]
    if now:
        answers.append(record.episode.low_energy)
    elif not any(f.code == "fracture" for f in findings) and not any(
        r.fracture is False for r in record.levels.values()
    ):
        answers.append(None)  # nobody looked
    if record.history.fractures is None:
        answers.append(None)
    return True if True in answers else None if None in answers else False


def _months_since(record: PatientRecord, earlier: Iterable[Any]) -> float | None:
    """Months since the last fracture: the present one by its onset, else the latest dated one."""
    if record.episode.onset_days is not None:
        return record.episode.onset_days / float(DAYS_PER_MONTH)
    days = [d for d in (record.episode.onset_on, *(f.on for f in earlier)) if d is not None]
    if not days or record.recorded_on is None:
        return None
    return (record.recorded_on - max(days)).days / float(DAYS_PER_MONTH)


def _glucocorticoids(record: PatientRecord) -> dict[str, Any]:
    """The largest ongoing dose with its months; an empty list says none."""
    courses = record.drugs.glucocorticoids
    running = [course for course in courses or () if course.ongoing is not False and course.stopped_on is None]
    worst = max(running, key=lambda course: course.prednisone_mg_day, default=None)
    none_at_all = courses == ()
    return {
        "glucocorticoid_mg_d": worst.prednisone_mg_day if worst else 0.0 if none_at_all else None,
        "glucocorticoid_months": _months(worst, record.recorded_on) if worst else 0.0 if none_at_all else None,
        "glucocorticoid_g_yr": record.drugs.cumulative_prednisone_g_year if not none_at_all else 0.0,
    }


def _months(course: Glucocorticoid, today: date | None) -> float | None:
    if course.months is not None:
        return course.months
    if course.started_on is None or today is None:
        return None
    return (today - course.started_on).days / float(DAYS_PER_MONTH)


def _blocks(record: PatientRecord) -> dict[str, Any]:
    laboratory, history = record.laboratory, record.history
    return {
        "egfr": laboratory.egfr_ml_min.value if laboratory.egfr_ml_min else None,
        "calcium_mmol_l": laboratory.calcium_mmol_l.value if laboratory.calcium_mmol_l else None,
        "oesophageal_disorder": history.oesophageal_disorder,
        "cannot_sit_upright": history.cannot_sit_upright,
        "skeletal_radiation": record.cancer.skeletal_radiation,
        "bone_metastasis": record.cancer.bone_metastasis,
        "paget": history.paget,
        "open_epiphyses": history.open_epiphyses,
        "heart_attack_or_stroke_year": history.heart_attack_or_stroke_past_year,
        "venous_thrombosis": history.venous_thrombosis,
        "stroke": history.stroke,
    }


def _falls(record: PatientRecord) -> dict[str, Any]:
    falls = record.falls
    # Arms used: the CDC test scores 0. Outside the norms' ages the count says nothing.
    stands = 0 if falls.arms_used else falls.chair_stands
    if not float(FALL_NORM_YR["from"]) <= record.age_yr < float(FALL_NORM_YR["below"]):
        stands = None
    return {
        "fell_past_year": None if falls.past_year is None else falls.past_year > 0,
        "unsteady": falls.unsteady,
        "worried_about_falling": falls.worried,
        "stay_independent": falls.stay_independent,
        "tug_s": falls.tug_s,
        "tandem_s": falls.tandem_s,
        "chair_stands": stands,
        "systolic_drop": falls.systolic_drop_mmhg,
        "diastolic_drop": falls.diastolic_drop_mmhg,
        "orthostatic_symptoms": falls.orthostatic_symptoms,
    }

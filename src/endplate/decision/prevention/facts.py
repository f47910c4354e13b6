"""What the prevention rules ask, read from the record and the findings of a scan; what is not known stays away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from endplate.cited import cited_table
from endplate.decision.facts.glucocorticoid import glucocorticoid_facts
from endplate.decision.facts.record_facts import lowest_t_score
from endplate.decision.prevention.fractures import fracture_facts, malignant
from endplate.finding import Finding
from endplate.patient import PatientRecord

FALL_NORM_YR = cited_table(
    "falls.norm", "a", "CDC STEADI chair-stand norms, 60-94 years", "verified", {"from": 60, "below": 95}
)


def prevention_facts(record: PatientRecord, findings: Iterable[Finding] = ()) -> dict[str, Any]:
    """Facts by name; unknown ones are left out."""
    facts = {
        "age_yr": record.age_yr,
        "sex": record.sex,
        "pregnancy": record.pregnant,
        "postmenopausal": record.history.postmenopausal,
        "t_score": lowest_t_score(record),
        "frax_major_pct": record.bone.frax_major_percent,
        "frax_hip_pct": record.bone.frax_hip_percent,
        **fracture_facts(record, tuple(findings)),
        **dict(glucocorticoid_facts(record)),
        **_blocks(record),
        **_falls(record),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _blocks(record: PatientRecord) -> dict[str, Any]:
    laboratory, history = record.laboratory, record.history
    return {
        "egfr": laboratory.egfr_ml_min.value if laboratory.egfr_ml_min else None,
        "calcium_mmol_l": laboratory.calcium_mmol_l.value if laboratory.calcium_mmol_l else None,
        "oesophageal_disorder": history.oesophageal_disorder,
        "cannot_sit_upright": history.cannot_sit_upright,
        "skeletal_radiation": record.cancer.skeletal_radiation,
        "bone_metastasis": True if _tumour_in_bone(record) else record.cancer.bone_metastasis,
        "paget": history.paget,
        "open_epiphyses": history.open_epiphyses,
        "heart_attack_or_stroke_year": history.heart_attack_or_stroke_past_year,
        "venous_thrombosis": history.venous_thrombosis,
        "stroke": history.stroke,
    }


def _tumour_in_bone(record: PatientRecord) -> bool:
    """Myeloma, or a vertebra proven malignant: bone with a tumour in it, whatever is told of metastases."""
    return bool(record.cancer.myeloma) or any(malignant(record, level) for level in record.levels)


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

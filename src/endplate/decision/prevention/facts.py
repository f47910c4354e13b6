"""What the prevention rules ask, read from the record and the findings of a scan; what is not known stays away."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from endplate.cited import cited, cited_table
from endplate.decision.facts.glucocorticoid import glucocorticoid_facts
from endplate.decision.facts.record_facts import lowest_t_score
from endplate.decision.prevention.blood import corrected_calcium, kidney
from endplate.decision.prevention.fractures import fracture_facts, malignant
from endplate.decision.prevention.past_drugs import past_drug_facts
from endplate.finding import Finding
from endplate.patient import PatientRecord
from endplate.patient.medication import medication

FALL_NORM_YR = cited_table(
    "falls.norm",
    "a",
    "CDC STEADI chair-stand norms, 60-94 years",
    "secondary",
    {"from": 60, "below": 95},
    cite="cdc_steadi_2019",
)
FRAX_YR = cited_table(
    "prevention.frax_age", "a", "FRAX is made for ages of 40 to 90", "knowledge", {"from": 40, "to": 90}, cite="frax"
)
POSTMENOPAUSAL_YR = cited(60.0, "a", "From 60 no menopause need be asked for: own choice", "design")
T_SCORE_YR = cited(
    50.0, "a", "Before the menopause and in men below 50 the Z-score is used", "knowledge", cite="iscd_young"
)
DIALYSIS_ML_MIN = cited(30.0, "mL/min", "Nobody is on dialysis for good at a kidney function above it", "design")
HORMONE_SENSITIVE = re.compile(r"breast|mamma|endometri|uter(us|ine)|womb|ovar", re.IGNORECASE)
OTHER_CANCER = re.compile(r"myeloma|lung|colon|colorectal|bowel|kidney|renal|thyroid|lymphoma|leuk|melanom|bladder|"
                          r"prostat|pancrea|stomach|gastric|liver|esophag", re.IGNORECASE)  # fmt: skip
"""Cancers named in words that are told from hormone-sensitive ones of women; any other word leaves it open."""


def prevention_facts(record: PatientRecord, findings: Iterable[Finding] = ()) -> dict[str, Any]:
    """Facts by name; unknown ones are left out."""
    findings = tuple(findings)
    facts = {
        "age_yr": record.age_yr,
        "sex": record.sex,
        "pregnancy": record.pregnant,
        "postmenopausal": postmenopausal(record),
        "t_score": lowest_t_score(record) if t_score_speaks(record) else None,
        "frax_major_pct": record.bone.frax_major_percent if frax_speaks(record) else None,
        "frax_hip_pct": record.bone.frax_hip_percent if frax_speaks(record) else None,
        **fracture_facts(record, findings),
        **dict(glucocorticoid_facts(record)),
        **past_drug_facts(record),
        **_blocks(record),
        **_falls(record),
    }
    return {name: value for name, value in facts.items() if value is not None}


def postmenopausal(record: PatientRecord) -> bool | None:
    """As told; a woman of 60 is, a man is not."""
    stated = record.history.postmenopausal
    if stated is not None or record.sex == "male":
        return stated
    return True if record.age_yr >= POSTMENOPAUSAL_YR else None


def frax_speaks(record: PatientRecord) -> bool:
    """Whether FRAX is made for this age."""
    return FRAX_YR["from"] <= record.age_yr <= FRAX_YR["to"]


def t_score_speaks(record: PatientRecord) -> bool:
    """Whether T-scores are used for this patient: after the menopause, and in men of 50 and over."""
    return bool(postmenopausal(record)) or record.age_yr >= T_SCORE_YR


def _blocks(record: PatientRecord) -> dict[str, Any]:
    laboratory, history, drugs = record.laboratory, record.history, medication(record.drugs)
    vitamin_d, function = laboratory.vitamin_d_ng_ml, kidney(record).value
    works = function is not None and function >= DIALYSIS_ML_MIN
    harming = [one.taken for one in drugs.listed.of("aromatase_inhibitor", "androgen_deprivation")]
    return {
        "egfr": function,
        "dialysis": False if history.dialysis is None and works else history.dialysis,
        "calcium_mmol_l": corrected_calcium(record),
        "vitamin_d_ng_ml": vitamin_d.value if vitamin_d else None,
        "oesophageal_disorder": history.oesophageal_disorder,
        "cannot_sit_upright": history.cannot_sit_upright,
        "skeletal_radiation": record.cancer.skeletal_radiation,
        "bone_metastasis": True if _tumour_in_bone(record) else record.cancer.bone_metastasis,
        "hormone_sensitive_cancer": _hormone_sensitive(record),
        "paget": history.paget,
        "open_epiphyses": history.open_epiphyses,
        "heart_attack_or_stroke_year": history.heart_attack_or_stroke_past_year,
        "heart_attack": history.heart_attack,
        "venous_thrombosis": history.venous_thrombosis,
        "stroke": history.stroke,
        "bone_harming_drug": True if any(harming) else False if record.drugs.names is not None else None,
    }


def _tumour_in_bone(record: PatientRecord) -> bool:
    """Myeloma, or a vertebra proven malignant: bone with a tumour in it, whatever is told of metastases."""
    return bool(record.cancer.myeloma) or any(malignant(record, level) for level in record.levels)


def _hormone_sensitive(record: PatientRecord) -> bool | None:
    """A cancer that oestrogen feeds: as told, by its name, or by a drug that is given for it."""
    cancer, listed = record.cancer, medication(record.drugs).listed
    treated = bool(listed.of("aromatase_inhibitor", "breast_hormone"))
    if cancer.hormone_sensitive is not None or treated:
        return treated or cancer.hormone_sensitive
    if cancer.kind is not None and HORMONE_SENSITIVE.search(cancer.kind):
        return True
    if cancer.known is False:
        return False
    named_other = cancer.kind is not None and OTHER_CANCER.search(cancer.kind) is not None
    return False if named_other or (cancer.myeloma and cancer.kind is None) else None


def _falls(record: PatientRecord) -> dict[str, Any]:
    falls = record.falls
    # Arms used: the CDC test scores 0. Outside the norms' ages the count says nothing.
    stands = 0 if falls.arms_used else falls.chair_stands
    if not FALL_NORM_YR["from"] <= record.age_yr < FALL_NORM_YR["below"]:
        stands = None
    return {
        "fell_past_year": None if falls.past_year is None else falls.past_year > 0,
        "unsteady": falls.unsteady,
        "worried_about_falling": falls.worried,
        # The three key questions end the first step where nobody has filled in the longer questionnaire.
        "stay_independent_filled": falls.stay_independent is not None,
        "stay_independent": falls.stay_independent,
        "tug_s": falls.tug_s,
        "tandem_s": falls.tandem_s,
        "chair_stands": stands,
        "systolic_drop": falls.systolic_drop_mmhg,
        "diastolic_drop": falls.diastolic_drop_mmhg,
        "orthostatic_symptoms": falls.orthostatic_symptoms,
    }

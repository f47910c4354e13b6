"""Made-up patients, each a kind that prevention must answer rightly: changes to a plain one, words of the answer."""

from __future__ import annotations

import copy
import json
from typing import Any

from endplate.patient import PatientRecord, parse_record

PLAIN: dict[str, Any] = {
    "id": "plain", "recorded_on": "2026-06-14", "age_yr": 76, "sex": "female", "mass_kg": 60, "height_cm": 158,
    "episode": {"onset_on": "2026-05-20", "mechanism": "minor strain"},
    "levels": {"L1": {"fracture": True, "oedema": True, "lesion": "none"}},
    "bone": {"tests": [{"site": "spine", "t_score": -2.9, "on": "2026-06-01"}]},
    "laboratory": {"calcium_mmol_l": 2.35, "albumin_g_l": 40, "creatinine_umol_l": 65, "egfr_ml_min": 80,
                   "vitamin_d_ng_ml": 32},
    "drugs": {"names": ["paracetamol"], "glucocorticoids": [], "bone_drugs": [], "anticoagulant": False},
    "cancer": {"known": False, "skeletal_radiation": False, "bone_metastasis": False},
    "history": {"fractures": [], "postmenopausal": True, "heart_attack_or_stroke_past_year": False,
                "heart_attack": False, "venous_thrombosis": False, "stroke": False, "oesophageal_disorder": False,
                "cannot_sit_upright": False, "paget": False, "open_epiphyses": False},
    "falls": {"past_year": 0, "unsteady": False, "worried": False},
}  # fmt: skip

MAN: dict[str, Any] = {"sex": "male", "history": {"postmenopausal": None}}
BISPHOSPHONATES = "blocked: Oral bisphosphonate, Zoledronate"
KINDS: list[tuple[str, dict[str, Any], tuple[str, ...], tuple[str, ...]]] = [
    ("woman of 76, nothing in the way", {}, ("consider an anabolic drug first", "the guidelines differ"), ("blocked",)),
    ("woman of 31 before the menopause", {"age_yr": 31, "history": {"postmenopausal": False}},
     ("a specialist in bone disease decides",), ("no recorded contraindication", "would treat")),
    ("man of 40", MAN | {"age_yr": 40}, ("a specialist in bone disease decides",), ("would treat",)),
    ("child of 11", MAN | {"age_yr": 11, "height_cm": 140, "mass_kg": 35}, ("a specialist in bone",), ("would treat",)),
    ("man of 55", MAN | {"age_yr": 55}, ("bisphosphonate first in men",), ("Romosozumab", "consider an anabolic")),
    ("kidney function of 9", {"laboratory": {"egfr_ml_min": 9}}, ("FDA boxed", BISPHOSPHONATES), ("anabolic d",)),
    ("small and old: clearance 24 with an eGFR of 80", {"age_yr": 92, "mass_kg": 38, "height_cm": 150,
     "laboratory": {"creatinine_umol_l": 80}}, ("FDA boxed warning", BISPHOSPHONATES), ()),
    ("calcium 2.12 with albumin 27", {"laboratory": {"calcium_mmol_l": 2.12, "albumin_g_l": 27}},
     ("no recorded contraindication",),
     ("blocked",)),
    ("vitamin D of 12 ng/mL", {"laboratory": {"vitamin_d_ng_ml": 12}}, ("Zoledronate (Vitamin D deficient",), ()),
    ("breast cancer in bone", {"cancer": {"known": True, "kind": "breast", "bone_metastasis": True}},
     ("the oncologist chooses", "blocked: Teriparatide or abaloparatide, Hormone therapy"), ("consider an anabolic",)),
    ("denosumab stopped 15 months ago", {"drugs": {"bone_drugs": [{"drug": "Prolia", "stopped_on": "2025-03-01"}]}},
     ("a potent antiresorptive first", "augmentation is strongly discouraged"), ("consider an anabolic",)),
    ("denosumab stopped, by the list of names", {"drugs": {"names": ["Prolia (stopped)"]}},
     ("a potent antiresorptive first",), ("consider an anabolic",)),
    ("seven years of alendronate, fracture under it",
     {"drugs": {"bone_drugs": [{"drug": "Fosamax", "started_on": "2019-01-01"}]}},
     ("Oral bisphosphonate for 5 years or more", "Fracture while taking an oral bisphosphonate"), ()),
    ("painless fracture, nobody knows how it came", {"episode": {}, "pain": {"under_analgesia": 0}},
     ("guidelines that would treat: AACE 2020",), ()),
    ("FRAX at 97 without a fracture", {"age_yr": 97, "levels": {}, "episode": {}, "bone": {"tests": [],
     "frax_major_percent": 35, "frax_hip_percent": 5}}, ("complete the record first",), ("would treat",)),
]  # fmt: skip
"""Name, changes, words that the next step must hold, words that it must not."""


def patient(changes: dict[str, Any]) -> PatientRecord:
    """The plain patient with some answers changed; None takes an answer away."""
    told = copy.deepcopy(PLAIN)
    for name, value in changes.items():
        if isinstance(value, dict) and value and name not in ("levels", "episode", "bone"):
            told[name] = {k: v for k, v in {**told.get(name, {}), **value}.items() if v is not None}
        else:
            told[name] = value
    return parse_record(json.dumps(told))


def misses(said: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> list[str]:
    """What a sentence lacks, or holds though it must not."""
    return [f"lacks {words!r}" for words in wanted if words not in said] + [
        f"holds {words!r}" for words in unwanted if words in said
    ]

"""Codes: SNOMED CT vertebrae, and the few field codes that are sure; everything else keeps our own field name."""

from __future__ import annotations

from typing import Any

from endplate.level import Level
from endplate.patient.fhir.code_table import LOINC, SNOMED, written_loinc

OURS = "urn:endplate:record"

VERTEBRA = dict(
    zip(
        (
            Level(name)
            for name in [
                "T1",
                "T2",
                "T3",
                "T4",
                "T5",
                "T6",
                "T7",
                "T8",
                "T9",
                "T10",
                "T11",
                "T12",
                "L1",
                "L2",
                "L3",
                "L4",
                "L5",
            ]
        ),
        [
            "64864005",
            "53733008",
            "1626008",
            "73071006",
            "56401006",
            "45296009",
            "62487009",
            "11068009",
            "82687006",
            "7610001",
            "12989004",
            "23215003",
            "66794005",
            "14293000",
            "36470004",
            "11994002",
            "49668003",
        ],
        strict=True,
    )
)
"""DICOM CID 7603, read in the source."""

FIELD = {
    "pain.under_analgesia": (LOINC, "72514-3"),
    "questionnaires.eq5d.index": (SNOMED, "736534008"),
}
"""Fields with a code that was read in the source (the second for EQ-5D-5L only)."""

UNIT = (
    ("_kg", "kg"),
    ("_cm", "cm"),
    ("_yr", "a"),
    ("_days", "d"),
    ("_percent", "%"),
    ("_deg", "deg"),
    ("_mg_day", "mg/d"),
    ("_iu_day", "[iU]/d"),
    ("_g_year", "g/a"),
    ("_mg_l", "mg/L"),
    ("_g_cm2", "g/cm2"),
    ("_mg_cm3", "mg/cm3"),
    ("_mm_h", "mm/h"),
    ("_mm", "mm"),
    ("_mmol_l", "mmol/L"),
    ("_umol_l", "umol/L"),
    ("_nmol_l", "nmol/L"),
    ("_pmol_l", "pmol/L"),
    ("_ml_min", "mL/min"),
    ("_ng_ml", "ng/mL"),
    ("_mu_l", "m[IU]/L"),
    ("_u_l", "U/L"),
    ("_mmhg", "mm[Hg]"),
    ("_units_day", "{unit}/d"),
    ("_hu", "[hnsf'U]"),
    ("_s", "s"),
    ("months", "mo"),
    ("days", "d"),
)
"""UCUM unit by the end of a field's name; the first match counts, so longer endings stand first."""

TEN_TO_NINE = {"white_cells_g_l": "10*9/L", "platelets_g_l": "10*9/L"}
"""Cell counts: G/L is 10^9 per litre, not grams."""

GRAMS = {"haemoglobin_g_l": "g/L", "albumin_g_l": "g/L"}


def unit(path: str) -> str:
    """UCUM unit of a numeric field; "1" for a pure number."""
    name = next((part for part in reversed(path.split(".")) if part != "value"), path)
    if name in TEN_TO_NINE or name in GRAMS:
        return (TEN_TO_NINE | GRAMS)[name]
    return next((ucum for ending, ucum in UNIT if name.endswith(ending)), "1")


def concept(path: str, five_levels: bool = False, loinc: str = "") -> dict[str, Any]:
    """CodeableConcept of a field: our name, and a public code where one is sure or given."""
    coding = [{"system": OURS, "code": path}]
    known = FIELD.get(path)
    if known and (path != "questionnaires.eq5d.index" or five_levels):
        coding.insert(0, {"system": known[0], "code": known[1]})
    public = loinc or written_loinc().get(path.removesuffix(".value"), "")
    if public:
        coding.insert(0, {"system": LOINC, "code": public})
    return {"coding": coding, "text": path.replace(".", ": ").replace("_", " ")}


CATEGORY = {
    "mass_kg": "vital-signs", "height_cm": "vital-signs", "laboratory": "laboratory", "bone": "imaging",
    "studies": "imaging", "levels": "imaging", "pain": "survey", "questionnaires": "survey",
    "history": "social-history",
}  # fmt: skip
"""Category of an observation by the part of the record; of the rest, an examination."""
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"


def category(path: str) -> list[dict[str, Any]]:
    """Category of an observation, as FHIR lists them."""
    code = CATEGORY.get(path.partition(".")[0], "exam")
    return [{"coding": [{"system": CATEGORIES, "code": code}]}]


def body_site(level: Level) -> dict[str, Any]:
    """CodeableConcept of a vertebra; text alone where no code was read (C1-C7, T13, L6, S1)."""
    coding = {"coding": [{"system": SNOMED, "code": VERTEBRA[level]}]} if level in VERTEBRA else {}
    return {**coding, "text": str(level)}

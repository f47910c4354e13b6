"""How a place of the record is asked for: a plain label, its unit, why it is asked."""

from __future__ import annotations

from functools import cache

from endplate.decision.explanation.ask_next import asked_by
from endplate.decision.facts.record_paths import facts_by_place
from endplate.decision.logic.field import field_catalogue

UNITS = {"yr": "years", "kg": "kg", "cm": "cm", "days": "days", "percent": "%", "deg": "degrees", "s": "seconds",
         "mm": "mm", "mmhg": "mmHg", "fingers": "fingers", "months": "months", "mmol_l": "mmol/L", "g_l": "g/L",
         "umol_l": "µmol/L", "ng_ml": "ng/mL", "mg_l": "mg/L", "mm_h": "mm/h", "ml_min": "mL/min", "pmol_l": "pmol/L",
         "nmol_l": "nmol/L", "mg_day": "mg a day", "iu_day": "IU a day", "g_cm2": "g/cm²", "mg_cm3": "mg/cm³",
         "hu": "HU"}  # fmt: skip
"""Units at the end of a field's name, in words."""
MORE_LABELS = {
    "onset_on": "Day of onset", "high_energy": "High-energy event", "admitted_on": "Day of admission",
    "judged_recent": "Judged recent by the clinician", "rated_on": "Day of the rating",
    "tallest_height_cm": "Tallest height ever, cm", "last_height_cm": "Last height on record, cm",
    "mri_on": "Day of the MRI", "bone_scan_on": "Day of the bone scan", "ct_on": "Day of the CT",
    "frax_major_percent": "FRAX, major fracture, %", "frax_hip_percent": "FRAX, hip fracture, %",
    "alp_u_l": "Alkaline phosphatase, U/L", "alt_u_l": "ALT, U/L", "pth_pmol_l": "PTH, pmol/L",
    "tsh_mu_l": "TSH, mU/L", "cumulative_prednisone_g_year": "Prednisone over the last year, g",
    "anticoagulant_correctable": "Anticoagulation can be corrected", "vitamin_d_iu_day": "Vitamin D, IU a day",
    "kind": "Kind of cancer", "asa": "ASA class", "mfi5": "Modified 5-item frailty index",
    "stay_independent": "Stay Independent questionnaire, points", "tug_s": "Timed up and go, seconds",
    "tandem_s": "Tandem stand, seconds", "tests": "Density tests", "names": "List of drugs by name",
    "sf36": "SF-36", "sf12": "SF-12", "eq5d": "EQ-5D",
}  # fmt: skip
"""Names of fields that do not read as words."""
LABELS = {"id": "Identifier of the patient", "recorded_on": "Recorded on", "height_cm": "Height of the patient, cm"}
"""Questions about the patient that no rule set asks for."""
NAMED = 4
"""Rule sets that a reason names; the rest are counted."""

PARTS = {
    "episode": "Onset and event", "pain": "Pain", "questionnaires": "Questionnaires", "examination": "Examination",
    "neurology": "Neurology", "mobility": "Mobility", "care": "Conservative care", "studies": "Imaging studies",
    "bone": "Bone density and FRAX", "laboratory": "Laboratory values", "drugs": "Drugs", "allergies": "Allergies",
    "infection": "Infection", "cancer": "Cancer", "fitness": "General fitness", "history": "Past history",
    "falls": "Falls",
}  # fmt: skip
"""Parts of the record by the words a clinician uses."""
WHY = {
    "episode": "Dates and the event decide how fresh the fracture is and what caused it.",
    "pain": "Rule sets ask for the pain under analgesia and where it comes from.",
    "questionnaires": "Scores show the disability and the course after a treatment.",
    "examination": "Tenderness at the level shows that the pain comes from the fracture.",
    "neurology": "A deficit or a cord sign is an emergency and outranks every other answer.",
    "mobility": "Bed rest is itself a danger; some rule sets ask whether the patient can be mobilised.",
    "care": "Rule sets ask whether conservative care was tried, for how long and with what effect.",
    "levels": "Each rule set is asked of each fractured vertebra.",
    "studies": "The age of the MRI decides whether a fracture is fresh.",
    "bone": "Density shows osteoporosis and the risk of the next fracture.",
    "laboratory": "Blood values show bleeding, infection, and which bone drugs may be given.",
    "drugs": "Drugs can cause a fracture, bleeding and falls, or have treated the bone already.",
    "allergies": "Cement, its opacifier and contrast medium are three substances.",
    "infection": "An infection bars every procedure on the bone.",
    "cancer": "A fracture through a tumour is judged by other rule sets.",
    "fitness": "Fitness enters the OF score and the choice of a procedure.",
    "history": "Earlier fractures and illnesses decide on bone drugs.",
    "falls": "Falls cause the next fracture.",
    "procedures": "An earlier augmentation changes what a new pain means.",
}


def label(path: str) -> str:
    """A place of the record in plain words, its unit at the end; levels without the vertebra's name."""
    fact = facts_by_place().get(path)
    if fact is not None:
        entry = field_catalogue()[fact]
        unit = _unit(path.rpartition(".")[2])
        return f"{entry.title}, {unit}" if unit and unit not in entry.title else entry.title
    return LABELS.get(path) or plain(path.rpartition(".")[2])


def plain(name: str) -> str:
    """A field's name as a reader says it, its unit at the end."""
    if name in MORE_LABELS:
        return MORE_LABELS[name]
    for unit, words in sorted(UNITS.items(), key=lambda pair: -len(pair[0])):
        if name.endswith(f"_{unit}"):
            return f"{name.removesuffix(f'_{unit}').replace('_', ' ')}, {words}"
    return name.replace("_", " ")


@cache
def why(path: str) -> str:
    """Why a place is asked for: by which rule sets, else what its part of the record is for."""
    fact = facts_by_place().get(path)
    asking = [rules.title for rules in asked_by(fact)] if fact is not None else []
    if not asking:
        return WHY.get(path.partition(".")[0], "It describes the patient.")
    more = f" and {len(asking) - NAMED} more" if len(asking) > NAMED else ""
    return f"Asked for by {', '.join(asking[:NAMED])}{more}."


def _unit(name: str) -> str:
    return next((words for unit, words in UNITS.items() if name.endswith(f"_{unit}")), "")

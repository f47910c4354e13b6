"""Kidney function and calcium as drug rules need them: Cockcroft-Gault beside eGFR, calcium corrected for albumin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from endplate.cited import cited, cited_table
from endplate.patient import PatientRecord

_COCKCROFT = "Cockcroft and Gault 1976: (140 - age) x mass / (72 x creatinine in mg/dL), women x 0.85"
AGE_FROM = cited(140.0, "a", _COCKCROFT, "knowledge", cite="cockcroft_1976")
DIVISOR = cited(72.0, "1", _COCKCROFT, "knowledge", cite="cockcroft_1976")
WOMEN = cited(0.85, "1", _COCKCROFT, "knowledge", cite="cockcroft_1976")
UMOL_L_PER_MG_DL = cited(88.402, "umol/L", "Creatinine, 113.12 g/mol", "recomputed", cite="iupac_masses")
ADULT_YR = cited(18.0, "a", "Cockcroft and Gault 1976: adults of 18 and over", "knowledge", cite="cockcroft_1976")

_PAYNE = "Calcium + 0.02 x (40 - albumin in g/L), mmol/L"
PER_ALBUMIN = cited(0.02, "mmol/g", _PAYNE, "knowledge", cite="payne_1973")
ALBUMIN_DEFAULT = cited(40.0, "g/L", _PAYNE, "knowledge", cite="payne_1973")
ALBUMIN = cited_table(
    "prevention.albumin", "g/L", "Albumin that is not known lies between these: own choice", "design",
    {"least": 15.0, "most": 52.0},
)  # fmt: skip
CALCIUM = cited_table(
    "prevention.calcium", "mmol/L", "Usual range of total calcium; laboratories differ: own choice", "design",
    {"low": 2.2, "high": 2.6},
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Kidney:
    """Kidney function: eGFR, creatinine clearance, and the smaller of those known; mL/min."""

    egfr: float | None
    clearance: float | None

    @property
    def value(self) -> float | None:
        """The smaller, which decides."""
        return min((one for one in (self.egfr, self.clearance) if one is not None), default=None)


def kidney(record: PatientRecord) -> Kidney:
    """Kidney function of a record."""
    egfr = record.laboratory.egfr_ml_min
    return Kidney(egfr=egfr.value if egfr else None, clearance=clearance_ml_min(record))


def clearance_ml_min(record: PatientRecord) -> float | None:
    """Creatinine clearance by Cockcroft and Gault; None without mass or creatinine, or in a child."""
    creatinine = record.laboratory.creatinine_umol_l
    if creatinine is None or not creatinine.value or record.mass_kg is None or record.age_yr < ADULT_YR:
        return None
    mg_dl = creatinine.value / UMOL_L_PER_MG_DL
    women = WOMEN if record.sex == "female" else 1.0
    return max(AGE_FROM - record.age_yr, 0.0) * record.mass_kg * women / (DIVISOR * mg_dl)


def corrected_calcium(record: PatientRecord) -> float | None:
    """Calcium in mmol/L, corrected for albumin.

    Without albumin a calcium in the usual range stands as it is; one outside of it is known only where no albumin that
    a patient can have would bring it back.
    """
    calcium, albumin = record.laboratory.calcium_mmol_l, record.laboratory.albumin_g_l
    if calcium is None:
        return None
    if albumin is not None:
        return round(_corrected(calcium.value, albumin.value), 4)
    ends = sorted(_corrected(calcium.value, float(albumin_g_l)) for albumin_g_l in ALBUMIN.values())
    usual = CALCIUM["low"] <= calcium.value <= CALCIUM["high"]
    settled = ends[1] < CALCIUM["low"] or ends[0] > CALCIUM["high"]
    return calcium.value if usual or settled else None


def _corrected(calcium: float, albumin: float) -> float:
    return calcium + PER_ALBUMIN * (ALBUMIN_DEFAULT - albumin)


def blood_notes(record: PatientRecord) -> Iterator[tuple[str, str]]:
    """What a reader must know of these values, each with its source."""
    found, calcium = kidney(record), record.laboratory.calcium_mmol_l
    if found.clearance is not None and found.egfr is not None:
        yield (
            f"kidney function: creatinine clearance {found.clearance:.0f} mL/min (Cockcroft-Gault), "
            f"eGFR {found.egfr:.0f}; the smaller decides",
            _COCKCROFT,
        )
    elif found.clearance is not None:
        yield f"kidney function: creatinine clearance {found.clearance:.0f} mL/min (Cockcroft-Gault)", _COCKCROFT
    elif found.egfr is not None:
        lacking = " and ".join(
            name
            for name, value in (("creatinine", record.laboratory.creatinine_umol_l), ("body mass", record.mass_kg))
            if value is None
        )
        yield (
            f"kidney function is judged by eGFR alone; {lacking or 'adult age'} would give the creatinine clearance "
            "that the labels of zoledronate and alendronate go by",
            _COCKCROFT,
        )
    if calcium is None:
        return
    if record.laboratory.albumin_g_l is not None:
        yield f"calcium {calcium.value:g} mmol/L, corrected for albumin {corrected_calcium(record):.2f}", _PAYNE
    elif corrected_calcium(record) is None:
        yield f"calcium {calcium.value:g} mmol/L cannot be judged without albumin (or ionised calcium)", _PAYNE

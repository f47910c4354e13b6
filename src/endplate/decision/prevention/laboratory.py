"""The laboratory list for secondary causes, and what of it is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from endplate.patient import PatientRecord

LIST = {
    "haemoglobin_g_l": "blood count",
    "calcium_mmol_l": "calcium",
    "phosphate_mmol_l": "phosphate",
    "alp_u_l": "alkaline phosphatase",
    "creatinine_umol_l": "creatinine",
    "egfr_ml_min": "eGFR",
    "albumin_g_l": "albumin",
    "alt_u_l": "liver enzymes",
    "vitamin_d_ng_ml": "25-OH vitamin D",
    "pth_pmol_l": "parathyroid hormone",
    "tsh_mu_l": "TSH",
    "esr_mm_h": "ESR",
    "crp_mg_l": "CRP",
    "electrophoresis": "serum electrophoresis",
    "free_light_chains": "free light chains",
}
MEN = {"testosterone_nmol_l": "testosterone"}
SELECTED = {
    "coeliac": "coeliac antibodies",
    "cortisol": "cortisol",
    "urinary_calcium": "urinary calcium",
    "tryptase": "tryptase",
}
MYELOMA = ("electrophoresis", "free_light_chains")
"""Missing, a myeloma may be missed: shown first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryItem:
    """One test: its result as text, or missing; `optional` for tests in selected patients only."""

    name: str
    field: str
    result: str | None
    on: date | None
    optional: bool = False


def laboratory_list(record: PatientRecord) -> tuple[LaboratoryItem, ...]:
    """The whole list, missing ones first, those that could hide a myeloma foremost."""
    wanted = LIST | (MEN if record.sex == "male" else {})
    items = [_item(record, field, name, False) for field, name in wanted.items()]
    items += [_item(record, field, name, True) for field, name in SELECTED.items()]
    return tuple(sorted(items, key=lambda i: (i.optional, i.result is not None, i.field not in MYELOMA)))


def _item(record: PatientRecord, field: str, name: str, optional: bool) -> LaboratoryItem:
    result = getattr(record.laboratory, field)
    text = None if result is None else f"{result.value:g}" if isinstance(result.value, float) else result.value
    return LaboratoryItem(
        name=name, field=field, result=text, on=None if result is None else result.on, optional=optional
    )

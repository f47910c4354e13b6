"""Laboratory values in fixed units; a plain number, or a number with its date."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from endplate.patient.base import Day, Part, dated
from endplate.patient.doubt import with_ranges


class Value(Part):
    """A number and the day it was taken."""

    value: Annotated[float, Field(ge=0, le=10_000_000)]
    on: Day | None = None


class Judgement(Part):
    """A result that is read rather than measured."""

    value: Literal["normal", "abnormal"]
    on: Day | None = None


Number = Annotated[Value, BeforeValidator(dated)]
Read = Annotated[Judgement, BeforeValidator(dated)]


class Laboratory(Part):
    """Blood tests; the unit is in the name."""

    model_config = ConfigDict(json_schema_extra=with_ranges("laboratory"))

    haemoglobin_g_l: Number | None = None
    white_cells_g_l: Number | None = None
    platelets_g_l: Number | None = None
    inr: Number | None = None
    crp_mg_l: Number | None = None
    esr_mm_h: Number | None = None
    calcium_mmol_l: Number | None = None
    phosphate_mmol_l: Number | None = None
    alp_u_l: Number | None = None
    albumin_g_l: Number | None = None
    creatinine_umol_l: Number | None = None
    egfr_ml_min: Number | None = None
    alt_u_l: Number | None = None
    vitamin_d_ng_ml: Number | None = None
    pth_pmol_l: Number | None = None
    tsh_mu_l: Number | None = None
    testosterone_nmol_l: Number | None = None
    electrophoresis: Read | None = None
    free_light_chains: Read | None = None
    coeliac: Read | None = None
    cortisol: Read | None = None
    urinary_calcium: Read | None = None
    tryptase: Read | None = None

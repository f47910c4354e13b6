"""The rest of the patient: infection, pregnancy, cancer, allergies, fitness, history, falls."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from endplate.patient.base import Count, LevelName, Part, Text, in_order
from endplate.patient.doubt import with_ranges

Seconds = Annotated[float, Field(ge=0, le=600)]


class Infection(Part):
    """Infection and its signs."""

    systemic: bool | None = None
    surgical_site: bool | None = None
    spine: bool | None = None
    blood_borne_untreated: bool | None = None
    fever: bool | None = None
    intravenous_drug_use: bool | None = None
    bacteraemia: bool | None = None
    immunosuppressed: bool | None = None


class Cancer(Part):
    """Cancer, present or past. `hormone_sensitive` : of breast, womb or ovary, or told to be so."""

    known: bool | None = None
    kind: Text | None = None
    myeloma: bool | None = None
    bone_metastasis: bool | None = None
    biopsy_positive: bool | None = None
    weight_loss: bool | None = None
    skeletal_radiation: bool | None = None
    hormone_sensitive: bool | None = None


class Allergies(Part):
    """Allergies that bear on a repair. `opacifier` : of the cement; `contrast` : iodinated contrast medium."""

    cement: bool | None = None
    opacifier: bool | None = None
    contrast: bool | None = None
    others: tuple[Text, ...] | None = None


class Fitness(Part):
    """General state: ASA class, modified 5-item frailty index, clinical frailty scale, dependence.

    `bleeding_risk_accepted` : the operator accepts an INR of 1.5 to 1.8.
    """

    asa: Annotated[int, Field(ge=1, le=6)] | None = None
    mfi5: Annotated[int, Field(ge=0, le=5)] | None = None
    clinical_frailty: Annotated[int, Field(ge=1, le=9)] | None = None
    dementia: bool | None = None
    care_dependent: bool | None = None
    pulmonary_dysfunction: bool | None = None
    coagulopathy: Literal["none", "correctable", "uncorrectable"] | None = None
    bleeding_risk_accepted: bool | None = None
    ankylosed_spine: bool | None = None


class PriorFracture(Part):
    """An earlier fracture."""

    site: Literal["vertebra", "hip", "wrist", "humerus", "pelvis", "rib", "other"]
    low_energy: bool | None = None
    on: date | None = None
    levels: tuple[LevelName, ...] | None = None


class History(Part):
    """What bears on bone and on its drugs. An empty tuple of fractures says none."""

    model_config = ConfigDict(json_schema_extra=with_ranges("history"))

    fractures: tuple[PriorFracture, ...] | None = None
    parent_hip_fracture: bool | None = None
    smoker: bool | None = None
    alcohol_units_day: Annotated[float, Field(ge=0, le=100)] | None = None
    rheumatoid_arthritis: bool | None = None
    postmenopausal: bool | None = None
    heart_attack_or_stroke_past_year: bool | None = None
    venous_thrombosis: bool | None = None
    stroke: bool | None = None
    heart_attack: bool | None = None
    dialysis: bool | None = None
    oesophageal_disorder: bool | None = None
    cannot_sit_upright: bool | None = None
    paget: bool | None = None
    open_epiphyses: bool | None = None
    malabsorption: bool | None = None


class Falls(Part):
    """Falls and fall tests; seconds, counts, mmHg."""

    model_config = ConfigDict(json_schema_extra=with_ranges("falls"))

    past_year: Count | None = None
    unsteady: bool | None = None
    worried: bool | None = None
    stay_independent: Annotated[int, Field(ge=0, le=14)] | None = None
    tug_s: Seconds | None = None
    tandem_s: Seconds | None = None
    chair_stands: Count | None = None
    arms_used: bool | None = None
    systolic_drop_mmhg: Annotated[float, Field(ge=-100, le=200)] | None = None
    diastolic_drop_mmhg: Annotated[float, Field(ge=-100, le=150)] | None = None
    orthostatic_symptoms: bool | None = None
    tested_on: date | None = None


RepairKind = Literal[
    "vertebroplasty",
    "kyphoplasty",
    "titanium-implant",
    "body-stent",
    "kiva",
    "rf-kyphoplasty",
    "ablation-with-cement",
    "sacroplasty",
]
"""Techniques that put cement or an implant into a vertebra or the sacrum."""


class Procedure(Part):
    """A repair that was done."""

    kind: RepairKind
    levels: tuple[LevelName, ...]
    on: date | None = None
    admitted_on: date | None = None

    @model_validator(mode="after")
    def _dates(self) -> Procedure:
        in_order(("admission", self.admitted_on), (f"the {self.kind}", self.on))
        return self

"""Drugs: glucocorticoids over time, anticoagulants, osteoporosis drugs, and the whole list by name."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from endplate.patient.base import Part, Text, in_order

BoneDrugClass = Literal[
    "oral bisphosphonate",
    "zoledronate",
    "denosumab",
    "teriparatide",
    "abaloparatide",
    "romosozumab",
    "raloxifene",
    "hormone therapy",
    "calcitonin",
]


class Glucocorticoid(Part):
    """One course: daily dose in prednisone equivalents, and how long (dates, or months)."""

    prednisone_mg_day: Annotated[float, Field(gt=0, le=2000)]
    started_on: date | None = None
    stopped_on: date | None = None
    months: Annotated[float, Field(ge=0, le=1200)] | None = None
    ongoing: bool | None = None

    @model_validator(mode="after")
    def _dates(self) -> Glucocorticoid:
        in_order(("start of the glucocorticoid", self.started_on), ("its end", self.stopped_on))
        return self


class BoneDrug(Part):
    """An osteoporosis drug, present or past."""

    drug: BoneDrugClass
    started_on: date | None = None
    stopped_on: date | None = None
    fracture_on_it: bool | None = None

    @model_validator(mode="after")
    def _dates(self) -> BoneDrug:
        in_order((f"start of {self.drug}", self.started_on), (f"end of {self.drug}", self.stopped_on))
        return self


class Drugs(Part):
    """What is taken. An empty tuple says none; None says unknown.

    Attributes
    ----------
    names : the whole list by name, as written. cumulative_prednisone_g_year : over the last year.
    """

    names: tuple[Text, ...] | None = None
    glucocorticoids: tuple[Glucocorticoid, ...] | None = None
    repeated_short_steroid_courses: bool | None = None
    cumulative_prednisone_g_year: Annotated[float, Field(ge=0, le=500)] | None = None
    anticoagulant: bool | None = None
    anticoagulant_correctable: bool | None = None
    bone_drugs: tuple[BoneDrug, ...] | None = None
    calcium_mg_day: Annotated[float, Field(ge=0, le=10_000)] | None = None
    vitamin_d_iu_day: Annotated[float, Field(ge=0, le=100_000)] | None = None

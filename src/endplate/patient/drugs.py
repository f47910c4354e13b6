"""Drugs: glucocorticoids over time, anticoagulants, osteoporosis drugs, and the whole list by name."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from endplate.cited import cited
from endplate.patient.base import Day, Part, Text, in_order
from endplate.patient.doubt import with_ranges
from endplate.patient.drug_table import KnownDrug
from endplate.patient.named_drug import bone_class, read_list

BoneDrugClass = Literal[
    "oral bisphosphonate",
    "zoledronate",
    "intravenous bisphosphonate",
    "denosumab",
    "teriparatide",
    "abaloparatide",
    "romosozumab",
    "raloxifene",
    "hormone therapy",
    "calcitonin",
    "strontium ranelate",
]
PREDNISONE_MG = cited(5.0, "mg", "The dose that the equivalents are given for", "secondary", cite="bnf_glucocorticoids")
SAME_DOSE = cited(0.01, "1", "A stated equivalent may differ from the computed one by rounding: own choice", "design")
MAX_NAMES = int(cited(200.0, "1", "No patient takes as many drugs: own choice", "design"))


class Glucocorticoid(Part):
    """One course: daily dose, and how long (dates, or months).

    Attributes
    ----------
    prednisone_mg_day : the dose in prednisone equivalents. drug, mg_day : instead of it, the drug's name and its own
    dose in mg a day; the equivalent is then computed.
    """

    prednisone_mg_day: Annotated[float, Field(gt=0, le=2000)]
    drug: Text | None = None
    mg_day: Annotated[float, Field(gt=0, le=10_000)] | None = None
    started_on: Day | None = None
    stopped_on: Day | None = None
    months: Annotated[float, Field(ge=0, le=1200)] | None = None
    ongoing: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _converted(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("drug"), str):
            return given
        dose = given.get("mg_day")
        if not isinstance(dose, int | float) or isinstance(dose, bool):
            return given
        equal = prednisone_mg(_glucocorticoid(given["drug"]), float(dose))
        stated = given.get("prednisone_mg_day")
        if equal is None:
            if stated is None:
                raise ValueError(f"no dose equivalent is known for {given['drug']!r}; give prednisone_mg_day")
            return given
        if isinstance(stated, int | float) and abs(stated - equal) > SAME_DOSE * equal:
            raise ValueError(
                f"{dose:g} mg of {given['drug']} equal {equal:g} mg of prednisone, but prednisone_mg_day is {stated:g}"
            )
        return given if stated is not None else given | {"prednisone_mg_day": equal}

    @model_validator(mode="after")
    def _dates(self) -> Glucocorticoid:
        in_order(("start of the glucocorticoid", self.started_on), ("its end", self.stopped_on))
        return self


def _glucocorticoid(name: str) -> KnownDrug | None:
    return next((one.drug for one in read_list((name,)).of("glucocorticoid")), None)


def prednisone_mg(drug: KnownDrug | None, mg: float) -> float | None:
    """A dose of a glucocorticoid as the dose of prednisone that equals it; None where no equivalent is known."""
    if drug is None or drug.equals_5_mg is None:
        return None
    return mg * PREDNISONE_MG / drug.equals_5_mg


def _class_of_name(value: object) -> object:
    """A generic or trade name of an osteoporosis drug as its class."""
    return (bone_class(value) or value) if isinstance(value, str) else value


class BoneDrug(Part):
    """An osteoporosis drug, present or past; by class, generic or trade name."""

    drug: Annotated[BoneDrugClass, BeforeValidator(_class_of_name)]
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
    names : the whole list by name, as written; read by `endplate.patient.medication`.
    cumulative_prednisone_g_year : over the last year.
    """

    model_config = ConfigDict(json_schema_extra=with_ranges("drugs"))

    names: Annotated[tuple[Text, ...], Field(max_length=MAX_NAMES)] | None = None
    glucocorticoids: tuple[Glucocorticoid, ...] | None = None
    repeated_short_steroid_courses: bool | None = None
    cumulative_prednisone_g_year: Annotated[float, Field(ge=0, le=500)] | None = None
    anticoagulant: bool | None = None
    anticoagulant_correctable: bool | None = None
    bone_drugs: tuple[BoneDrug, ...] | None = None
    calcium_mg_day: Annotated[float, Field(ge=0, le=10_000)] | None = None
    vitamin_d_iu_day: Annotated[float, Field(ge=0, le=100_000)] | None = None

"""The table of codes (`codes.toml`) by system and code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

SNOMED, LOINC, UCUM = "http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD = "icd-10"
"""Stands in the address of ICD-10 and of each of its national editions."""

Codes = Iterable[tuple[str, str]]
"""Pairs of system and code."""


@cache
def table() -> dict[str, Any]:
    """The whole table."""
    return tomllib.loads(files("endplate.patient.fhir").joinpath("codes.toml").read_text(encoding="utf-8"))


@cache
def loinc_fields() -> dict[str, str]:
    """The field of the record by LOINC code: laboratory and vital signs."""
    laboratory = {code: f"laboratory.{name}" for name, one in table()["laboratory"]["field"].items()
                  for code in one["loinc"]}  # fmt: skip
    return laboratory | {code: name for name, one in table()["vital"]["field"].items() for code in one["loinc"]}


@cache
def written_loinc() -> dict[str, str]:
    """The LOINC code that is written for a field of the record."""
    vital = {name: one["loinc"][0] for name, one in table()["vital"]["field"].items()}
    return vital | {f"laboratory.{name}": one["loinc"][0] for name, one in table()["laboratory"]["field"].items()}


@cache
def density_codes() -> dict[str, tuple[str, str]]:
    """Site and kind of value by the LOINC code of a density test; an empty site where the code leaves it open."""
    found = {code: (site, kind) for site, kinds in table()["density"]["site"].items()
             for kind, codes in kinds.items() for code in codes}  # fmt: skip
    return found | {code: ("", "t_score") for code in table()["density_open"]["t_score"]}


def matches(entry: dict[str, Any], codes: Codes) -> bool:
    """Whether one of some codes is among those of an entry; an ICD code counts with all below it."""
    return any(
        code in entry["snomed"] if system == SNOMED else ICD in system and any(below(code, top) for top in entry["icd"])
        for system, code in codes
    )


def icd_codes(codes: Codes) -> Iterator[str]:
    """The ICD-10 codes among some codes."""
    return (code for system, code in codes if ICD in system)


def below(code: str, top: str) -> bool:
    """Whether a code of ICD is another one or lies below it; points do not count."""
    return code.replace(".", "").startswith(top.replace(".", ""))


def codes_of(concept: Any) -> list[tuple[str, str]]:
    """The codes of a CodeableConcept, as pairs of system and code."""
    coding = concept.get("coding", ()) if isinstance(concept, dict) else ()
    return [(str(one.get("system", "")), str(one.get("code", ""))) for one in coding]

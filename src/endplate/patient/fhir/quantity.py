"""Quantities of other programs in the units of the record; UCUM codes, or the unit's words where no code is given."""

from __future__ import annotations

import math
import re
from typing import Any

from endplate.cited import cited, cited_table
from endplate.patient.fhir.code import unit
from endplate.patient.fhir.code_table import table

POUND_KG = cited(0.45359237, "kg", "International pound, exact by its definition of 1959", "design")
INCH_CM = cited(2.54, "cm", "International inch, exact by its definition of 1959", "design")
DIGITS = int(cited(6.0, "1", "Digits of a converted value: more than a laboratory gives: own choice", "design"))
PREFIX = cited_table(
    "fhir.prefix",
    "1",
    "Prefixes of units",
    "knowledge",
    {"": 1.0, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "k": 1e3, "f": 1e-15},
    cite="bipm_si",
)
CONCENTRATION = re.compile(r"(?P<top>[munpfk]?)(?P<kind>g|mol|\[?I?U\]?)/(?P<bottom>[dmuc]?)[lL]")
COUNT = re.compile(r"(?:(?P<base>10)[*^](?P<power>\d+)|(?P<k>[KkMG]))(?:\{[^}]*\})?/(?P<bottom>[dmu]?)[lL]")
THOUSANDS = cited_table("fhir.counts", "1", "Powers of ten", "design", {"K": 3.0, "k": 3.0, "M": 6.0, "G": 9.0})
MOST_POWER = int(cited(12.0, "1", "A count in units beyond this is none of blood: own choice", "design"))
SAME: dict[str, dict[str, float]] = {
    "mass_kg": cited_table("fhir.mass", "kg", "Units of mass, exact", "design", {"kg": 1.0, "g": 1e-3})
    | {"[lb_av]": float(POUND_KG)},
    "height_cm": cited_table(
        "fhir.length", "cm", "Units of length, exact", "design", {"cm": 1.0, "m": 100.0, "mm": 0.1}
    )
    | {"[in_i]": float(INCH_CM)},
    "age_yr": cited_table("fhir.age", "a", "Units of time, exact", "design", {"a": 1.0, "mo": 1 / 12}),
    "inr": cited_table("fhir.ratio", "1", "Names of one", "design", dict.fromkeys(("", "1", "{INR}", "{ratio}"), 1.0)),
    "esr_mm_h": cited_table("fhir.esr", "mm/h", "One unit is in use", "design", {"mm/h": 1.0}),
    "egfr_ml_min": cited_table(
        "fhir.egfr",
        "mL/min",
        "Estimates are given for 1.73 m2",
        "design",
        dict.fromkeys(("mL/min", "mL/min/{1.73_m2}", "mL/min/1.73.m2"), 1.0),
    ),
    "bmd_g_cm2": cited_table("fhir.bmd", "g/cm2", "Units of mass, exact", "design", {"g/cm2": 1.0, "mg/cm2": 1e-3}),
}
"""Factors of units that are no concentration, by the field."""


class UnitError(ValueError):
    """A quantity that cannot become a number in the record's unit; the text says why."""


def number_of(quantity: Any, field: str) -> float:
    """A Quantity as the number that a field of the record holds.

    Raises
    ------
    UnitError : it is a limit and no value, no number, or its unit does not convert.
    """
    value = _number(quantity)
    if quantity.get("comparator"):
        raise UnitError(f"it says {quantity['comparator']} {value:g}, a limit and no value")
    name, said = field.rpartition(".")[2], str(quantity.get("code") or quantity.get("unit") or "")
    factor = _factor(said, name)
    if factor is None:
        raise UnitError(f"unit {said or 'not given'} does not become {unit(field)}")
    return float(value) if factor == 1 else float(f"{value * factor:.{DIGITS}g}")


def _number(quantity: Any) -> int | float:
    value = quantity.get("value") if isinstance(quantity, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UnitError("it holds no number")
    return value


def score_of(quantity: Any) -> float:
    """A Quantity that is a score without unit.

    Raises
    ------
    UnitError : it has a unit, or is a limit.
    """
    code = str(quantity.get("code") or "") if isinstance(quantity, dict) else ""
    if code not in ("", "1") and not code.startswith("{"):
        raise UnitError(f"unit {code} is none of a score")
    return number_of({**quantity, "code": "1"} if isinstance(quantity, dict) else quantity, "inr")


def _factor(said: str, name: str) -> float | None:
    if name in SAME:
        return SAME[name].get(said)
    ours = unit(f"laboratory.{name}")
    if said == ours:
        return 1.0
    counted = _count(said), _count(ours)
    return counted[0] / counted[1] if counted[0] and counted[1] else _concentration(said, ours, name)


def _concentration(said: str, ours: str, name: str) -> float | None:
    """Factor between two concentrations, of mass and of amount by the molar mass."""
    theirs, own = CONCENTRATION.fullmatch(said.replace("µ", "u")), CONCENTRATION.fullmatch(ours)
    if not theirs or not own:
        return None
    ratio = _scale(theirs) / _scale(own)
    kinds = (_kind(theirs["kind"]), _kind(own["kind"]))
    if kinds[0] == kinds[1]:
        return ratio
    molar = table()["laboratory"]["field"].get(name, {}).get("molar")
    if molar is None or set(kinds) != {"g", "mol"}:
        return None
    return float(ratio / molar if kinds[0] == "g" else ratio * molar)


def _kind(text: str) -> str:
    """Grams, moles or units of activity; `[IU]` and `U` are not told apart, as laboratories do not."""
    return text if text in ("g", "mol") else "U"


def _scale(match: re.Match[str]) -> float:
    return PREFIX[match["top"]] / PREFIX[match["bottom"]]


def _count(text: str) -> float | None:
    """Cells per litre of a unit of counts; None for other units."""
    match = COUNT.fullmatch(text)
    if match is None:
        return None
    power = float(match["power"]) if match["base"] else THOUSANDS[match["k"]]
    return float(10.0**power / PREFIX[match["bottom"]]) if power <= MOST_POWER else None

"""Numbers that no living patient has, or that smell of another unit: one question, answered once by `confirmed`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from operator import attrgetter
from typing import Any

from endplate.cited import cited, cited_table

ADULT_YR = cited(18.0, "a", "Below it height and mass of a child are no slip of a unit: own choice", "design")
MIN_BMI = cited(9.0, "kg/m2", "Below it nobody is known to live; own choice, wide on purpose", "design")
LARGE_BMI = cited(45.0, "kg/m2", "Above it pounds are likelier than kilograms where they give a common BMI", "design")
COMMON_BMI = cited_table(
    "doubt.common_bmi", "kg/m2", "What most adults have: own choice", "design", {"from": 16.0, "to": 40.0}
)
KG_PER_POUND = cited(0.45359237, "kg", "International pound, exact by its definition of 1959", "design")
PTH_HIGH = cited(
    20.0, "pmol/L", "About three times the upper limit, with kidney and calcium normal: a question", "design"
)
PTH_KIDNEY = cited(60.0, "mL/min", "Kidney function at which PTH is not raised by the kidney; own choice", "design")
PTH_CALCIUM = cited(2.6, "mmol/L", "Calcium at which PTH is not raised by the gland; own choice", "design")
PG_ML_TO_PMOL_L = cited(
    0.106, "pmol/L", "PTH(1-84) of 9425 g/mol: 1 pg/mL is 0.106 pmol/L", "recomputed", cite="iupac_masses"
)
CM_PER_M = cited(100.0, "cm", "Centimetres of a metre, exact", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A unit that a number may have been read in; `factor` to ours, None where none converts."""

    unit: str
    factor: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What a number of the record can be; see `range.toml`."""

    path: str
    title: str
    unit: str
    low: float
    high: float
    usual_low: float
    usual_high: float
    slips: tuple[Slip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A number in doubt: the field, the question, and whether `confirmed` may answer it."""

    path: str
    words: str
    possible: bool


@cache
def quantities() -> dict[str, Quantity]:
    """Every number that has a range, by its path in the record."""
    table = tomllib.loads(files("endplate.patient").joinpath("range.toml").read_text(encoding="utf-8"))
    return {path: _quantity(path, entry) for path, entry in table["quantity"].items()}


def _quantity(path: str, entry: dict[str, Any]) -> Quantity:
    slips = tuple(
        Slip(unit=one["unit"], factor=one.get("factor"), low=one["from"], high=one["to"])
        for one in entry.get("slip", ())
    )
    low, high = entry["low"], entry["high"]
    ends = {"usual_low": entry.get("usual_low", low), "usual_high": entry.get("usual_high", high)}
    return Quantity(path=path, title=entry["title"], unit=entry["unit"], low=low, high=high, slips=slips, **ends)


def with_ranges(part: str = "") -> Callable[[dict[str, Any]], None]:
    """What tells the schema of a part of the record the unit and range of its numbers; of the whole without `part`."""

    def describe(schema: dict[str, Any]) -> None:
        for path, known in quantities().items():
            home, _, name = path.rpartition(".")
            if home == part and name in schema["properties"]:
                unit = f", {known.unit}" if known.unit != "1" else ""
                schema["properties"][name]["description"] = (
                    f"{known.title}{unit}: {known.low:g} to {known.high:g}; asked about outside of "
                    f"{known.usual_low:g} to {known.usual_high:g}"
                )

    return describe


_READERS = [(path, attrgetter(path)) for path in quantities()]


def doubts(record: Any) -> Iterator[Doubt]:
    """Numbers of a record in doubt, confirmed or not."""
    young = record.age_yr < ADULT_YR
    for path, read in _READERS:
        found = read(record)
        value = getattr(found, "value", found)
        if value is not None and not (young and path in ("height_cm", "mass_kg")):
            yield from doubt_of(path, value)
    if not young:
        yield from _mass(record)
    yield from _parathyroid(record.laboratory)


def doubt_of(path: str, value: float) -> Iterator[Doubt]:
    """The question about one number, if there is one."""
    known = quantities().get(path)
    if known is None or known.usual_low <= value <= known.usual_high:
        return
    possible = known.low <= value <= known.high
    slips = [slip for slip in known.slips if slip.low <= value <= slip.high]
    if possible and known.slips and not slips:
        return
    yield Doubt(path=path, words=_question(known, value, slips, possible), possible=possible)


def _question(known: Quantity, value: float, slips: list[Slip], possible: bool) -> str:
    ours = f"{path_unit(known)}"
    if not possible:
        said = f"{known.path} is {value:g} {ours}, which no living patient has ({known.low:g} to {known.high:g})"
    else:
        said = f"{known.path} is {value:g} {ours}, which is rare"
    meant = [_meant(value, slip, known.unit) for slip in slips]
    return f"{said}: is it {' or '.join(meant)}?" if meant else f"{said}: is it right?"


def path_unit(known: Quantity) -> str:
    """The unit in words; nothing for a pure number."""
    return "" if known.unit == "1" else known.unit


def _meant(value: float, slip: Slip, unit: str) -> str:
    converted = "" if slip.factor is None else f" ({value * slip.factor:.3g} {unit})"
    return f"{value:g} {slip.unit}{converted}"


def _mass(record: Any) -> Iterator[Doubt]:
    """Mass and height together: a mass in pounds is possible in itself."""
    if record.mass_kg is None or record.height_cm is None:
        return
    square = (record.height_cm / CM_PER_M) ** 2
    bmi, in_pounds = record.mass_kg / square, record.mass_kg * KG_PER_POUND / square
    if bmi < MIN_BMI:
        words = (
            f"mass_kg {record.mass_kg:g} and height_cm {record.height_cm:g} give a BMI of {bmi:.0f}: are both right?"
        )
        yield Doubt(path="mass_kg", words=words, possible=True)
    elif bmi > LARGE_BMI and COMMON_BMI["from"] <= in_pounds <= COMMON_BMI["to"]:
        words = (
            f"mass_kg is {record.mass_kg:g} kg, a BMI of {bmi:.0f}: is it {record.mass_kg:g} pounds "
            f"({record.mass_kg * KG_PER_POUND:.3g} kg)?"
        )
        yield Doubt(path="mass_kg", words=words, possible=True)


def _parathyroid(laboratory: Any) -> Iterator[Doubt]:
    """A high PTH with kidney and calcium normal smells of pg/mL."""
    pth, kidney, calcium = (getattr(laboratory, name) for name in ("pth_pmol_l", "egfr_ml_min", "calcium_mmol_l"))
    if pth is None or kidney is None or calcium is None:
        return
    if pth.value > PTH_HIGH and kidney.value >= PTH_KIDNEY and calcium.value <= PTH_CALCIUM:
        words = (
            f"laboratory.pth_pmol_l is {pth.value:g} pmol/L with kidney and calcium normal: is it {pth.value:g} pg/mL "
            f"({pth.value * PG_ML_TO_PMOL_L:.3g} pmol/L)?"
        )
        yield Doubt(path="laboratory.pth_pmol_l", words=words, possible=True)


def ask_doubts(record: Any) -> None:
    """Ask about every number in doubt that the record does not call confirmed.

    Raises
    ------
    ValueError : all questions in one message.
    """
    found = list(doubts(record))
    still = [one for one in found if not one.possible or one.path not in (record.confirmed or ())]
    if still:
        asked = "; ".join(one.words for one in still)
        sure = ", ".join(f'"{one.path}"' for one in still if one.possible)
        raise ValueError(asked + (f" If it is right, write confirmed = [{sure}]" if sure else ""))

"""The narrow waist: every stage turns its result into flat findings, gaps and cautions."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from endplate.cited import cited
from endplate.level import Level

BAND_SD = cited(
    1.96, "1", "Normal distribution: 95 % lie within 1.96 SD (closed form)", "recomputed", cite="nist_handbook"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One measured or derived fact.

    Attributes
    ----------
    code : name in the catalogue (`findings.toml`).
    level : the vertebra it belongs to; None for the whole case.
    condition : what tells findings of one code and level apart, such as the activity of a load; else empty.
    value : number, text or truth value; never None (an unmeasured thing is a `Gap`).
    unit : UCUM text, "1" for a pure number, "" for text.
    low, high : the 95 % band (`band`) in the same unit; None where the value is not a number.
    method : how it was measured, what the band means, and the criterion used.
    source : the publication or definition behind the method, with its trust mark where weak.
    """

    code: str
    value: float | int | str | bool
    unit: str
    level: Level | None = None
    condition: str = ""
    low: float | None = None
    high: float | None = None
    method: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What could not be measured, and why."""

    code: str
    level: Level | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """Something a reader must know before trusting a level: a named label or image problem.

    `code` is a short name such as `two_levels_in_one_body`; `repaired` says whether a safe repair was made.
    """

    code: str
    level: Level | None = None
    text: str
    repaired: bool = False


def band(value: float, sd: float) -> tuple[float, float]:
    """Low and high of a number with a standard deviation: 95 %, the one convention of every band in a case."""
    return value - BAND_SD * sd, value + BAND_SD * sd


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """What a finding code means: title for people, unit, decimals to print, definition."""

    code: str
    title: str
    unit: str
    decimals: int
    definition: str


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """All finding codes by name, read from the packaged `findings.toml`."""
    table = tomllib.loads(files("endplate").joinpath("findings.toml").read_text(encoding="utf-8"))
    return {code: CatalogueEntry(code=code, **entry) for code, entry in table.items()}

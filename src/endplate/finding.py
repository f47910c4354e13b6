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

    Parameters
    ----------
    code : str
        Name in the catalogue (`findings.toml`).
    value : float, int, str or bool
        Number, text or truth value; never None (an unmeasured thing is a `Gap`).
    unit : str
        UCUM text, "1" for a pure number, "" for text.
    level : Level, optional
        The vertebra it belongs to; None for the whole case.
    condition : str, optional
        What tells findings of one code and level apart, such as the activity of a load; else empty.
    low : float, optional
        Lower end of the 95 % band (`band`) in the same unit; None where the value is not a number.
    high : float, optional
        Upper end of the same band.
    method : str
        How it was measured, what the band means, and the criterion used.
    source : str
        The publication or definition behind the method, with its trust mark where weak.
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
    """What could not be measured, and why.

    Parameters
    ----------
    code : str
        Name in the catalogue of the finding that is missing.
    level : Level, optional
        The vertebra; None for the whole case.
    reason : str
        Why there is no value.
    """

    code: str
    level: Level | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """Something a reader must know before trusting a level: a named label or image problem.

    Parameters
    ----------
    code : str
        Short name, such as `two_levels_in_one_body`.
    level : Level, optional
        The vertebra; None for the whole case.
    text : str
        What was found.
    repaired : bool, default False
        Whether a safe repair was made.
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
    """All finding codes by name, read from the packaged `findings.toml`.

    Returns
    -------
    dict of str to CatalogueEntry
        Title, unit, decimals and definition of each code.
    """
    table = tomllib.loads(files("endplate").joinpath("findings.toml").read_text(encoding="utf-8"))
    return {code: CatalogueEntry(code=code, **entry) for code, entry in table.items()}

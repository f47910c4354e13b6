"""Fractures that are told in words: the place of one without a code, or whose code leaves the place open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from endplate.level import Level
from endplate.patient.fhir.code_table import table

FRACTURE = re.compile(r"\bfractur|\bbroken\b|\bcollaps", re.IGNORECASE)
SPINE = re.compile(r"vertebra|spin(e|al)\b|compression|thoracic|lumbar|burst", re.IGNORECASE)
LEVEL = re.compile(r"\b([TDL])\s?(\d{1,2})\b", re.IGNORECASE)
"""D (dorsal) is an older letter for the thoracic spine."""
UNSURE = re.compile(r"\b(no|not|without|ruled?|suspected|suspicion|possible|probable|family|risk|fear|query)\b|r/o|\?",
                    re.IGNORECASE)  # fmt: skip
"""Words by which a text does not say that the bone is broken."""
FRAGILE = re.compile(r"osteopor|fragility|low[- ](energy|trauma)|insufficiency", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ToldFracture:
    """The bone that a text calls broken: a site of the record, and the vertebra where it is one and named."""

    site: str
    level: Level | None
    low_energy: bool


def fracture_in_words(text: str) -> ToldFracture | None:
    """The one bone that a text calls broken; None where it names none, several, or is not sure."""
    if not FRACTURE.search(text) or UNSURE.search(text):
        return None
    levels = {_level(letter, number) for letter, number in LEVEL.findall(text)}
    sites = {one["site"] for one in table()["fracture_words"]["one"] if _named(one["words"], text)}
    if SPINE.search(text) and not sites:
        sites = {"vertebra"}
    if len(sites) != 1 or (sites == {"vertebra"} and len(levels) > 1):
        return None
    found = sites.pop()
    level = next(iter(levels), None) if found == "vertebra" else None
    return ToldFracture(found, level, FRAGILE.search(text) is not None)


def _named(words: list[str], text: str) -> bool:
    return any(re.search(rf"\b{word}", text, re.IGNORECASE) for word in words)


def _level(letter: str, number: str) -> Level | None:
    name = f"{'T' if letter.upper() == 'D' else letter.upper()}{int(number)}"
    return Level(name) if name in Level.__members__ else None

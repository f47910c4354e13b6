"""The table of drugs by name (`drug_names.toml`): groups, trade names, codes, dose equivalents, with their sources."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Group = Literal[
    "anticoagulant",
    "antiplatelet",
    "glucocorticoid",
    "bone",
    "aromatase_inhibitor",
    "breast_hormone",
    "androgen_deprivation",
    "fall_risk",
    "other",
]
CODED = ("anticoagulant", "antiplatelet", "glucocorticoid", "bone", "aromatase_inhibitor", "breast_hormone",
         "androgen_deprivation")  # fmt: skip
"""Groups whose drugs carry codes."""
RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDrug:
    """A drug of the table.

    Attributes
    ----------
    drug_class : of an osteoporosis drug or of a drug that raises the risk of falls; empty for others.
    equals_5_mg : of a glucocorticoid, the mg that equal 5 mg of prednisone; None where the table has no figure.
    local : a glucocorticoid that acts where it is put, and hardly on bone.
    """

    generic: str
    group: Group
    names: tuple[str, ...]
    drug_class: str = ""
    atc: str = ""
    rxnorm: tuple[str, ...] = ()
    equals_5_mg: float | None = None
    local: bool = False


@cache
def _table() -> dict[str, Any]:
    text = files("endplate.patient").joinpath("drug_names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def group_source(group: Group) -> str:
    """Where the names and classes of a group come from."""
    return str(_table()[group]["source"])


@cache
def known_drugs() -> tuple[KnownDrug, ...]:
    """Every drug of the table."""
    return tuple(_drugs(_table()))


def _drugs(table: Mapping[str, Any]) -> Iterator[KnownDrug]:
    for group in CODED:
        for generic, entry in table[group]["drug"].items():
            yield KnownDrug(
                generic=generic,
                group=group,  # type: ignore[arg-type]
                names=(generic, *entry.get("names", ())),
                drug_class=entry.get("class", ""),
                atc=entry.get("atc", ""),
                rxnorm=tuple(entry.get("rxnorm", ())),
                equals_5_mg=entry.get("equals_5_mg"),
                local=entry.get("local", False),
            )
    for drug_class, drugs in table["fall_risk"]["class"].items():
        for generic, names in drugs.items():
            yield KnownDrug(generic=generic, group="fall_risk", names=(generic, *names), drug_class=drug_class)
    for drug_class, drugs in table["other"]["drugs"].items():
        for generic in drugs:
            yield KnownDrug(generic=generic, group="other", names=(generic,), drug_class=drug_class)


def plain(text: str) -> str:
    """Small letters without accents, other signs than letters, digits, points and commas as spaces."""
    letters = unicodedata.normalize("NFKD", text.lower())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^a-z0-9.,%]+", " ", kept).split())


@cache
def by_name() -> dict[str, tuple[KnownDrug, ...]]:
    """Drugs by each of their plain names."""
    found: dict[str, list[KnownDrug]] = {}
    for drug in known_drugs():
        for name in dict.fromkeys(plain(name.replace(".", " ")) for name in drug.names):
            found.setdefault(name, []).append(drug)
    return {name: tuple(drugs) for name, drugs in found.items()}


@cache
def longest_name() -> int:
    """Words of the longest name."""
    return max(len(name.split()) for name in by_name())


@cache
def _by_code() -> dict[tuple[str, str], KnownDrug]:
    found: dict[tuple[str, str], KnownDrug] = {}
    for drug in known_drugs():
        for code in drug.rxnorm:
            found[RXNORM, code] = drug
        if drug.atc:
            found[ATC, drug.atc] = drug
    return found


def drug_by_code(codes: Iterable[tuple[str, str]]) -> KnownDrug | None:
    """The drug that a code of RxNorm or ATC stands for; `codes` are pairs of system and code."""
    for system, code in codes:
        found = _by_code().get((ATC if "atc" in system.lower() else system, code))
        if found is not None:
            return found
    return None

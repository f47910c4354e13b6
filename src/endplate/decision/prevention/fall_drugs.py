"""Drugs in a list that raise the risk of falls."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FallDrug:
    """An entry of the patient's list, and the class it belongs to."""

    entry: str
    drug: str
    drug_class: str


@cache
def _table() -> dict[str, Any]:
    text = files("endplate.decision.prevention").joinpath("fall_drugs.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def source() -> str:
    """Where classes and names come from."""
    return str(_table()["source"])


def fall_drugs(names: Iterable[str]) -> tuple[FallDrug, ...]:
    """Fall-risk drugs among entries such as "Zolpidem 10 mg at night"; a combination may hold several."""
    return tuple(
        FallDrug(entry=entry, drug=drug, drug_class=drug_class)
        for entry in names
        for drug_class, drugs in _table()["class"].items()
        for drug in drugs
        if re.search(rf"\b{re.escape(drug)}\b", entry.lower())
    )

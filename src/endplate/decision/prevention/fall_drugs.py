"""Drugs in a list that raise the risk of falls, by generic or trade name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from endplate.patient.drug_table import group_source
from endplate.patient.named_drug import read_list


@dataclass(frozen=True, slots=True, kw_only=True)
class FallDrug:
    """An entry of the patient's list, and the class it belongs to."""

    entry: str
    drug: str
    drug_class: str


def source() -> str:
    """Where classes and names come from."""
    return group_source("fall_risk")


def fall_drugs(names: Iterable[str]) -> tuple[FallDrug, ...]:
    """Fall-risk drugs among entries such as "Zolpidem 10 mg at night"; a combination may hold several.

    One that the entry calls stopped is left out.
    """
    return tuple(
        FallDrug(entry=one.entry, drug=one.drug.generic, drug_class=one.drug.drug_class)
        for one in read_list(names).of("fall_risk")
        if one.taken is not False
    )

"""Codes of levels, findings, answers, units and reasons: read from `codes.toml`, which says where each was found."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from pydicom.sr.coding import Code

from endplate.finding import catalogue
from endplate.level import Level

UCUM = "UCUM"


@cache
def code_table() -> dict[str, Any]:
    """The table as it is written."""
    text = files("endplate.dicom_export").joinpath("codes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def own_scheme() -> str:
    """Designator of our own coding scheme."""
    return str(code_table()["scheme"]["own"])


def level_code(level: Level | str) -> Code:
    """The code of a vertebra."""
    return _code(code_table()["level"][str(level)])


def named(section: str, name: str) -> Code:
    """A code of the sections `segment` and `report` by its name."""
    return _code(code_table()[section][name])


def finding_code(code: str) -> Code:
    """The concept of a finding; one that is not listed has its own name as value of our scheme."""
    row = code_table()["finding"].get(code)
    return _code(row) if row else Code(value=code, scheme_designator=own_scheme(), meaning=_title(code))


def method_code(code: str) -> Code:
    """How a finding was measured, as a code of our scheme; the words stand beside it as parameters."""
    row = code_table()["finding"].get(code, {})
    meaning = f"endplate: {_title(code)}"
    return Code(value=row.get("method", f"method_{code}"), scheme_designator=own_scheme(), meaning=meaning[:64])


def answer_code(code: str, answer: object) -> Code | None:
    """The code of an answer in words or of a grade; None where the finding has no closed list of answers."""
    row = code_table()["value"].get(code, {}).get(str(answer))
    return _code(row) if row else None


def unit_code(unit: str) -> Code:
    """A UCUM unit."""
    return Code(value=unit, scheme_designator=UCUM, meaning=code_table()["unit"].get(unit, unit))


def reason_code(reason: str) -> Code:
    """Why a number is missing, by the words of the gap (CID 42)."""
    rows = code_table()["reason"]
    return _code(next(row["code"] for row in rows if any(word in reason for word in row["words"])))


def _code(row: dict[str, str]) -> Code:
    return Code(value=row["value"], scheme_designator=row["scheme"], meaning=row["meaning"])


def _title(code: str) -> str:
    entry = catalogue().get(code)
    return entry.title[:64] if entry else code[:64]

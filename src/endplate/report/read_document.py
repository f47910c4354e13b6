"""A document back into findings, so that what was measured yesterday can be weighed today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from endplate.errors import OptionError
from endplate.finding import Finding
from endplate.level import Level
from endplate.report.document import FORMAT
from endplate.report.folder import DOCUMENT


def read_document(place: Path, patient_id: str | None = None) -> dict[str, Any]:
    """The document of a results folder (or the file itself), of one patient.

    Raises
    ------
    OptionError : it cannot be read, is no endplate case, or is of another patient.
    """
    try:
        path = place / DOCUMENT if place.is_dir() else place
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise OptionError(f"cannot read {place}", error.strerror or "", "give the folder of an assess run") from error
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{path} is not JSON", str(error), "give the folder of an assess run") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise OptionError(f"{path} is no endplate case", "", "give the folder of an assess run")
    _check_shape(document, place)
    owner = (document["patient"] or {}).get("id") if "patient" in document else None
    if owner is not None and patient_id is not None and owner != patient_id:
        raise OptionError(
            f"the case {place} is of patient {owner}, not {patient_id}", "two patients would be mixed", "check both"
        )
    return document


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _check_shape(document: dict[str, Any], place: Path) -> None:
    """Refuse a document that a later step would stumble over."""
    patient, levels, findings = document.get("patient"), document.get("levels"), document.get("findings")
    whole = (
        isinstance(patient, dict | None)
        and isinstance(levels, list)
        and isinstance(findings, list)
        and all(isinstance(level, str) for level in levels)
        and all(isinstance(row, dict) and {"code", "level", "value"} <= row.keys() for row in findings)
        and all(isinstance(row.get(end), int | float | None) for row in findings for end in ("low", "high"))
    )
    if not whole:
        raise OptionError(f"the case {place} is not whole", "its patient, levels or findings", "assess the scan again")


def findings_of(document: dict[str, Any]) -> tuple[Finding, ...]:
    """The findings of a document.

    Raises
    ------
    OptionError : a finding lacks what every finding has.
    """
    try:
        return tuple(
            Finding(**{**row, "level": None if row["level"] is None else Level(row["level"])})
            for row in document["findings"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise OptionError(
            "the case holds a finding that cannot be read", str(error), "assess the scan again"
        ) from error

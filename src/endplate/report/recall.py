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
    path = place / DOCUMENT if place.is_dir() else place
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"cannot read {path}", error.strerror or "", "give the folder of an assess run") from error
    except ValueError as error:
        raise OptionError(f"{path} is not JSON", str(error), "give the folder of an assess run") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise OptionError(f"{path} is no endplate case", "", "give the folder of an assess run")
    owner = (document.get("patient") or {}).get("id")
    if owner is not None and patient_id is not None and owner != patient_id:
        raise OptionError(
            f"the case {place} is of patient {owner}, not {patient_id}", "two patients would be mixed", "check both"
        )
    return document


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

"""A document back into findings, so that what was measured yesterday can be weighed today."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from endplate.errors import OptionError
from endplate.finding import Caution, Finding, Gap
from endplate.level import Level
from endplate.report.document import FORMAT, FORMAT_VERSION
from endplate.report.folder import DOCUMENT

Read = TypeVar("Read", Finding, Gap, Caution)


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
    document = upgraded(document, path)
    _check_shape(document, place)
    owner = (document["patient"] or {}).get("id") if "patient" in document else None
    if owner is not None and patient_id is not None and owner != patient_id:
        raise OptionError(
            f"the case {place} is of patient {owner}, not {patient_id}", "two patients would be mixed", "check both"
        )
    return document


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For each former version of the format, how its document becomes one of the next version."""
FIRST = 1
"""The version of documents that do not say any."""


def upgraded(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """A document of any former format version as one of today's; its own `format_version` stays as written.

    Raises
    ------
    OptionError : the version is no number, or newer than this endplate knows.
    """
    written = document.get("format_version", FIRST)
    if isinstance(written, bool) or not isinstance(written, int) or written < FIRST:
        raise OptionError(f"{path} has the format version {written!r}", "no endplate wrote it", "assess the scan again")
    if written > FORMAT_VERSION:
        raise OptionError(
            f"{path} has the format version {written}",
            f"this endplate reads versions up to {FORMAT_VERSION}",
            "update endplate, or assess the scan again",
        )
    for version in range(written, FORMAT_VERSION):
        document = UPGRADES[version](document)
    return document | {"format_version": written}


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
    return tuple(_read(Finding, row, "finding") for row in document["findings"])


def gaps_of(document: dict[str, Any]) -> tuple[Gap, ...]:
    """The gaps of a document.

    Raises
    ------
    OptionError : a gap lacks what every gap has.
    """
    return tuple(_read(Gap, row, "gap") for row in document.get("gaps", ()))


def cautions_of(document: dict[str, Any]) -> tuple[Caution, ...]:
    """The cautions of a document.

    Raises
    ------
    OptionError : a caution lacks what every caution has.
    """
    return tuple(_read(Caution, row, "caution") for row in document.get("cautions", ()))


def _read(kind: type[Read], row: Any, name: str) -> Read:
    """One row of a document as what it was."""
    try:
        return kind(**{**row, "level": None if row["level"] is None else Level(row["level"])})
    except (KeyError, TypeError, ValueError) as error:
        raise OptionError(
            f"the case holds a {name} that cannot be read", str(error), "assess the scan again"
        ) from error

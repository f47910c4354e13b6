"""A document back into findings, so that what was measured yesterday can be weighed today."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from endplate.errors import OptionError, text_fault
from endplate.finding import Caution, Finding, Gap, catalogue
from endplate.level import Level
from endplate.report.document import FORMAT, FORMAT_VERSION, schema
from endplate.report.folder import DOCUMENT, settle

MAX_BYTES = 2**26
"""A document holds numbers, not images; whole cases with rehearsals have some megabytes."""
LARGEST = 1e12
"""Beyond every quantity that a finding may hold, and far from where arithmetic ends."""
AGAIN, GIVE = "assess the scan again", "give the folder of an assess run"

Read = TypeVar("Read", Finding, Gap, Caution)


def read_document(place: Path, patient_id: str | None = None) -> dict[str, Any]:
    """The document of a results folder (or the file itself), of one patient.

    Raises
    ------
    OptionError : it cannot be read, is no endplate case, departs from the published schema, or is of another patient.
    """
    path, document = _parsed(place)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise OptionError(f"{path} is no endplate case", "", GIVE)
    document = upgraded(document, path)
    if reason := unfit(document | {"format_version": FORMAT_VERSION}):
        raise OptionError(f"the case {place} is not whole: {reason}", "a later step would be wrong or stop", AGAIN)
    owner = (document["patient"] or {}).get("id")
    if owner is not None and patient_id is not None and owner != patient_id:
        raise OptionError(
            f"the case {place} is of patient {owner}, not {patient_id}", "two patients would be mixed", "check both"
        )
    return document


def _parsed(place: Path) -> tuple[Path, Any]:
    """Where the document lies, and what of JSON it holds."""
    path = place
    try:
        if place.is_dir():
            settle(place)
            path = place / DOCUMENT
        if path.exists() and (not path.is_file() or path.stat().st_size > MAX_BYTES):
            raise OptionError(f"{path} is no file of at most {MAX_BYTES >> 20} MiB", "", GIVE)
        return path, json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number, parse_float=_finite)
    except OSError as error:
        raise OptionError(f"cannot read {place}", error.strerror or "", GIVE) from error
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{path} is not JSON", text_fault(error), GIVE) from error


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
        raise OptionError(f"{path} has the format version {written!r}", "no endplate wrote it", AGAIN)
    if written > FORMAT_VERSION:
        raise OptionError(
            f"{path} has the format version {written}",
            f"this endplate reads versions up to {FORMAT_VERSION}",
            "update endplate, or assess the scan again",
        )
    for version in range(written, FORMAT_VERSION):
        document = UPGRADES[version](document)
    return document | {"format_version": written}


def unfit(document: dict[str, Any]) -> str:
    """Where a document departs from the published schema or a finding from the catalogue; empty where nowhere."""
    error = next(_validator().iter_errors(document), None)
    if error is not None:
        return f"{error.json_path[:120]}: {error.message[:200]}"
    names = [row["level"] for row in document["findings"]] + document["levels"]
    strange = next((name for name in names if name is not None and name not in Level.__members__), None)
    if strange is not None:
        return f"{strange!r} is no vertebra"
    return next((reason for row in document["findings"] if (reason := _unfit_finding(row))), "")


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
        raise OptionError(f"the case holds a {name} that cannot be read", str(error), AGAIN) from error


@cache
def _validator() -> Any:
    # Imported late: only commands that take a case in need it.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


def _unfit_finding(row: dict[str, Any]) -> str:
    """What the schema cannot say: whether the value is of the kind that the catalogue gives its code."""
    entry, where = catalogue().get(row["code"]), f"{row['code']} at {row['level'] or 'no level'}"
    value, low, high = row["value"], row["low"], row["high"]
    if any(_number(one) and abs(one) > LARGEST for one in (value, low, high)):
        return f"{where} holds a number beyond {LARGEST:g}"
    if entry is not None and _number(value) != bool(entry.unit):
        return f"{where} is {str(value)[:40]!r}, but should be {'a number' if entry.unit else 'a word'}"
    if low is not None and high is not None and low > high:
        return f"the band of {where} is upside down"
    return ""


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number that can be computed with")
    return number


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")

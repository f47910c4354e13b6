"""The JSON document: findings, gaps, cautions and provenance in one published shape (`case.schema.json`)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from endplate.biomechanics.result import Strength
from endplate.case import Case
from endplate.finding import Caution, Finding, Gap
from endplate.report.rehearsal.block import block

FORMAT = "endplate-case"
FORMAT_VERSION = 1


def schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of the document."""
    read: dict[str, Any] = json.loads(files("endplate.report").joinpath("case.schema.json").read_text(encoding="utf-8"))
    return read


def to_document(case: Case) -> dict[str, Any]:
    """A case as plain JSON values; a number that is not finite becomes a gap, never NaN.

    Levels are their names ("L1"), null for the whole case. Arrays stay out: they are in the volumes.
    """
    found = [finding for finding in case.findings if _finite(finding.value)]
    lost = [_not_finite(finding) for finding in case.findings if not _finite(finding.value)]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "id": case.id,
        "patient": plain(case.record.model_dump()) if case.record is not None else None,
        "levels": [str(vertebra.level) for vertebra in case.spine.vertebrae] if case.spine else [],
        "findings": [_finding(finding) for finding in found],
        "gaps": [_gap(gap) for gap in (*case.gaps, *lost)],
        "cautions": [_caution(caution) for caution in case.cautions],
        "curves": [_curve(strength) for strength in case.strengths],
        "rehearsals": [plain(block(rehearsal)) for rehearsal in case.rehearsals],
        "provenance": plain(asdict(case.provenance)),
    }


def to_json(document: dict[str, Any]) -> str:
    """The document as text, UTF-8, ending in a newline.

    Raises
    ------
    ValueError : a value is NaN or infinite; it must never be written.
    """
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Any value of a case as JSON knows it: enums and paths as text, arrays as lists, non-finite numbers as null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value.as_posix() if isinstance(value, Path) else str(value)


def _finite(value: object) -> bool:
    return not isinstance(value, float | np.floating) or math.isfinite(value)


def _not_finite(finding: Finding) -> Gap:
    return Gap(code=finding.code, level=finding.level, reason="the computed value was not a finite number")


def _level(item: Finding | Gap | Caution) -> str | None:
    return None if item.level is None else str(item.level)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "level": _level(finding),
        "condition": finding.condition,
        "value": plain(finding.value),
        "unit": finding.unit,
        "low": plain(finding.low),
        "high": plain(finding.high),
        "method": finding.method,
        "source": finding.source,
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {"code": gap.code, "level": _level(gap), "reason": gap.reason}


def _caution(caution: Caution) -> dict[str, Any]:
    return {"code": caution.code, "level": _level(caution), "text": caution.text, "repaired": caution.repaired}


def _curve(strength: Strength) -> dict[str, Any]:
    return {
        "level": str(strength.level),
        "load_case": strength.load_case,
        "law": strength.law,
        "voxel_mm": float(strength.voxel_mm),
        "height_mm": float(strength.height_mm),
        "displacement_mm": plain(np.round(strength.displacement_mm, 6)),
        "force_n": plain(np.round(strength.force_n, 3)),
        "solver": plain(asdict(strength.solver)),
        "notes": list(strength.notes),
        "reason": strength.reason,
    }

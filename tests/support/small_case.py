"""A case document as small as the schema allows, and a results folder that holds one as endplate leaves it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from endplate.report.folder import exchanged

PROVENANCE = {"version": "0", "python": "3", "started": "2026-05-10T00:00:00+00:00"}


def small_finding(code: str, value: Any, level: str | None = "L1", **more: Any) -> dict[str, Any]:
    finding = {"code": code, "level": level, "condition": "", "value": value, "unit": "mm", "low": None, "high": None}
    return finding | {"method": "m", "source": "s"} | more


def small_document(*findings: dict[str, Any], patient: str | None = "p", levels: tuple[str, ...] = ("L1",)) -> dict:
    return {
        "format": "endplate-case",
        "format_version": 1,
        "id": "small",
        "patient": None if patient is None else {"id": patient, "age_yr": 76, "sex": "female"},
        "levels": list(levels),
        "findings": list(findings),
        "gaps": [],
        "cautions": [],
        "curves": [],
        "provenance": PROVENANCE | {"inputs": {}, "parameters": {}, "seconds": {}},
    }


def write_small_case(folder: Path, document: dict[str, Any], page: str = "") -> None:
    with exchanged(folder, ("case", "decision")) as new:
        (new / "case.json").write_text(json.dumps(document))
        if page:
            (new / "report.html").write_text(page)

"""What the worklist shows of a case, from its document and its decision; and the sagittal picture of its page."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from endplate.fracture.findings import signs_to_look_at
from endplate.report.folder import PAGE
from endplate.report.shared_pictures import apart

DECISION = "decision.json"
MAX_PAGE = 2**24
SAGITTAL = b'id="sagittal-section-title"'
PICTURE = re.compile(rb"data:image/(jpeg|png|webp);base64,([A-Za-z0-9+/=]+)")
FRACTURE_RANK = {"yes": 2, "indeterminate": 1}


def summary_of(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The row of a case: levels, the worst of them, how many are fractured, emergencies, rehearsed levels.

    Parameters
    ----------
    document : as `read_document` gives it. folder : that it lies in, for the decision beside it.
    """
    levels = document.get("levels", [])
    facts = {level: _level(document, level) for level in levels}
    worst = max(facts, key=lambda level: _badness(facts[level]), default=None)
    decision = _decision(folder)
    return {
        "levels": list(levels),
        "grades": facts,
        "worst": worst if worst is not None and _badness(facts[worst]) > (0, 0, 0.0) else None,
        "fractured": [level for level, fact in facts.items() if fact["fracture"] == "yes"],
        "emergencies": list(_emergencies(decision)),
        "decided": decision is not None,
        "rehearsed": sorted({str(one.get("level")) for one in document.get("rehearsals", [])}),
        "cautions": len(document.get("cautions", [])),
        "gaps": len(document.get("gaps", [])),
        "measured": document.get("provenance", {}).get("started"),
        "version": document.get("provenance", {}).get("version"),
    }


def _level(document: Mapping[str, Any], level: str) -> dict[str, Any]:
    rows = {row["code"]: row for row in document["findings"] if row["level"] == level}
    names = ("genant_grade", "fracture", "height_loss", "deformity_shape")
    fact = {name: rows[name]["value"] if name in rows else None for name in names}
    method = rows["fracture"]["method"] if "fracture" in rows else ""
    deformity = rows["deformity"]["value"] if "deformity" in rows else None
    return fact | {"signs": signs_to_look_at(fact["fracture"], deformity, method)}


def _badness(fact: Mapping[str, Any]) -> tuple[int, int, float]:
    loss, grade = fact["height_loss"], fact["genant_grade"]
    return (
        FRACTURE_RANK.get(str(fact["fracture"]), 0),
        int(grade) if isinstance(grade, int | float) else 0,
        float(loss) if fact["fracture"] in FRACTURE_RANK and isinstance(loss, int | float) else 0.0,
    )


def _decision(folder: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        path = folder / DECISION
        if path.is_file() and path.stat().st_size < MAX_PAGE:
            found = json.loads(path.read_text(encoding="utf-8"))
            return found if isinstance(found, dict) and isinstance(found.get("levels"), list) else None
    return None


def _emergencies(decision: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Emergencies, the certain ones first; `certainty` as on the page of the care path."""
    if decision is None:
        return
    found: list[tuple[int, str, str, str, str]] = []
    for row in decision["levels"]:
        found += [(0, "certain", row["level"], flag["words"], flag["action"]) for flag in row.get("emergencies", [])]
        for flag in row.get("open_flags", []):
            if flag.get("kind") == "emergency":
                rank, certainty = (1, "possible") if flag.get("suspected") else (2, "not asked")
                found.append((rank, certainty, row["level"], flag["words"], flag["action"]))
    for _, certainty, level, words, action in sorted(found):
        yield {"certainty": certainty, "level": level, "words": words, "action": action}


def picture_of(folder: Path) -> tuple[bytes, str] | None:
    """The sagittal section of a page, wherever it stands there, with its kind; None where there is none."""
    page = folder / PAGE
    with suppress(OSError, UnicodeDecodeError, binascii.Error):
        if page.is_file() and page.stat().st_size < MAX_PAGE:
            text = apart(page.read_text(encoding="utf-8")).encode()
            at = text.find(SAGITTAL)
            found = PICTURE.search(text, at) if at >= 0 else None
            if found is not None:
                return base64.b64decode(found[2], validate=True), f"image/{found[1].decode()}"
    return None

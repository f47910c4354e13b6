"""Write a decision: its page (inside the report of the case where there is one), document, bundle and aid."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from endplate.atomic import write_text
from endplate.case.care import Care
from endplate.errors import OutputError
from endplate.finding import Finding
from endplate.report.care.aid import decision_aid
from endplate.report.care.document import document
from endplate.report.care.section import BEGIN, END, care_page, within
from endplate.report.fhir import to_bundle
from endplate.report.folder import PAGE

DECISION, AID, BUNDLE, ALONE = "decision.json", "decision-aid.html", "fhir.json", "care.html"


def write_care(care: Care, findings: Iterable[Finding], folder: Path, case: Path | None) -> dict[str, Path]:
    """Write the page (in the case's report where there is one), the decision, the bundle and the aid."""

    page = None if case is None else _report_of(case)
    texts = {
        DECISION: json.dumps(document(care), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        BUNDLE: json.dumps(to_bundle(care, findings), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        AID: decision_aid(care),
        **({ALONE: care_page(care)} if page is None else {PAGE: within(page, care)}),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to {folder}", error.strerror or "", "choose another folder") from error
    for name, text in texts.items():
        write_text(folder / name, text)
    names = {ALONE: "Report", PAGE: "Report", DECISION: "Decision", AID: "Decision aid", BUNDLE: "FHIR"}
    return {names[name]: folder / name for name in (*([PAGE] if page else [ALONE]), AID, DECISION, BUNDLE)}


def _report_of(case: Path) -> str | None:
    """The page of a case that has a place for the care section; None where the case has no such page."""

    path = (case if case.is_dir() else case.parent) / PAGE
    try:
        page = path.read_text(encoding="utf-8")
    except OSError:
        return None
    return page if BEGIN in page and END in page else None

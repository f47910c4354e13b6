"""Write a decision: its page (inside the report of the case where there is one), document, bundle and aid."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from endplate.atomic import write_text
from endplate.case.care import Care
from endplate.errors import OutputError
from endplate.finding import Finding
from endplate.report.care.decision_aid import decision_aid
from endplate.report.care.document import document
from endplate.report.care.section import BEGIN, END, care_page, within
from endplate.report.fhir import to_bundle
from endplate.report.folder import PAGE

DECISION, AID, BUNDLE, ALONE = "decision.json", "decision-aid.html", "fhir.json", "care.html"


def write_care(care: Care, findings: Iterable[Finding], folder: Path, case: Path | None) -> dict[str, Path]:
    """Write a decision: its page goes into the case's report where there is one, else it stands alone.

    Raises
    ------
    OutputError : the folder cannot be written; each file is whole or as it was.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to {folder}", error.strerror or "", "choose another folder") from error
    documents = write_documents(care, findings, folder)
    report = None if case is None else _report_of(case)
    path = folder / (ALONE if report is None else PAGE)
    write_text(path, care_page(care) if report is None else within(report, care))
    return {"Report": path, **documents}


def write_documents(care: Care, findings: Iterable[Finding], folder: Path) -> dict[str, Path]:
    """Write the aid for the patient, the decision as JSON and the FHIR bundle."""
    texts = {
        "Decision aid": (AID, decision_aid(care)),
        "Decision": (DECISION, _json(document(care))),
        "FHIR": (BUNDLE, _json(to_bundle(care, findings))),
    }
    for name, text in texts.values():
        write_text(folder / name, text)
    return {title: folder / name for title, (name, _) in texts.items()}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _report_of(case: Path) -> str | None:
    """The page of a case that has a place for the care section; None where the case has no such page."""
    path = (case if case.is_dir() else case.parent) / PAGE
    try:
        page = path.read_text(encoding="utf-8")
    except OSError:
        return None
    return page if BEGIN in page and END in page else None

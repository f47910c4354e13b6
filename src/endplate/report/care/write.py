"""Write a decision: its page (inside the report of the case where there is one), document, bundle and aid."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from endplate.atomic import write_text
from endplate.case.care import Care
from endplate.errors import OutputError
from endplate.finding import Finding
from endplate.report.care.decision_aid import decision_aid
from endplate.report.care.document import document
from endplate.report.care.plan_page import after_page
from endplate.report.care.section import BEGIN, END, care_page, within
from endplate.report.fhir import to_bundle
from endplate.report.folder import DOCUMENT, PAGE, check_writable, exchanged
from endplate.report.manifest import read_manifest, standing

DECISION, AID, BUNDLE, ALONE = "decision.json", "decision-aid.html", "fhir.json", "care.html"
AFTER = "after-procedure.html"
REPLACED = ("decision", "pdf")
"""What goes with an earlier decision: its own files, and pages made from it."""


def write_care(
    care: Care, findings: Iterable[Finding], folder: Path, case: Path | None, inputs: Iterable[Path] = ()
) -> dict[str, Path]:
    """Write a decision in one step: its page goes into the case's report where there is one, else it stands alone.

    Parameters
    ----------
    folder : where to. case : the folder (or document) of the case that was weighed too. inputs : what was read.

    Raises
    ------
    OutputError : the folder cannot be written, holds another case, or an output would replace an input or a file that
    endplate did not write there; what was there before is intact.
    """
    check_care(folder, case, inputs)
    report = None if case is None else _report_of(case)
    name = ALONE if report is None else PAGE
    with exchanged(folder, REPLACED, inputs) as new:
        paths = fill_documents(care, findings, new)
        write_text(new / name, care_page(care) if report is None else within(report, care))
    return {"Report": folder / name, **{title: folder / path.name for title, path in paths.items()}}


def check_care(folder: Path, case: Path | None, inputs: Iterable[Path] = ()) -> None:
    """Refuse early a folder that cannot take a decision; errors as of `write_care`."""
    check_writable(folder, REPLACED, inputs)
    here = None if case is None else case if case.is_dir() else case.parent
    if os.path.lexists(folder / DOCUMENT) and (here is None or not os.path.samefile(here, folder)):
        raise OutputError(
            f"{folder} holds another case", "the decision would seem to be about it", "choose another folder"
        )


def fill_documents(care: Care, findings: Iterable[Finding], new: Path) -> dict[str, Path]:
    """Write the aid for the patient, the decision as JSON and the FHIR bundle into an empty folder."""
    texts = {
        "Decision aid": (AID, decision_aid(care)),
        "After a procedure": (AFTER, after_page(care)),
        "Decision": (DECISION, _json(document(care))),
        "FHIR": (BUNDLE, _json(to_bundle(care, findings))),
    }
    for name, text in texts.values():
        write_text(new / name, text)
    return {title: new / name for title, (name, _) in texts.items()}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _report_of(case: Path) -> str | None:
    """The page of a case that has a place for the care section.

    None where the case has no such page, or one that is not as endplate left it.
    """
    folder = case if case.is_dir() else case.parent
    if standing(folder, PAGE, read_manifest(folder).get(PAGE)) != "ours":
        return None
    try:
        page = (folder / PAGE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return page if BEGIN in page and END in page else None

"""Everything of a case in one zip file, with the report and the decision aid as PDF where that can be made."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from endplate.atomic import atomic_path, private_folder, write_bytes
from endplate.errors import EndplateError, InputError
from endplate.jobs.context import JobContext
from endplate.report.folder import DOCUMENT, PAGE, VOLUMES
from endplate.report.manifest import read_manifest, standing
from endplate.store.audit import note

PDFS = {"report.pdf": PAGE, "decision-aid.pdf": "decision-aid.html"}
ZIP = "everything.zip"
NAMES = (*PDFS, ZIP)
"""Names of the files that an export makes."""


def export(context: JobContext) -> dict[str, Any]:
    """Make the files in the folder of the job; returns their names, and in words what could not be made."""
    case = context.case()
    if case.folder is None:
        raise InputError("this case was not measured yet", "there is nothing to export", "wait for its job")
    here = context.folder()
    private_folder(here)
    context.tell("report", 0.0, "")
    made, missing = _pdfs(case.folder, here)
    context.tell("report", 0.5, "")
    _zip(case.folder, here, made)
    note(context.store, context.job.asked_by, "exported the case", case)
    context.tell("report", 1.0, "")
    return {"files": [*made, ZIP], "missing": missing}


def _pdfs(folder: Path, here: Path) -> tuple[list[str], str]:
    """The PDFs that could be made, and why one could not."""
    made: list[str] = []
    try:
        from endplate.report.pdf import report_pdf

        for name, page in PDFS.items():
            if (folder / page).is_file():
                write_bytes(here / name, report_pdf((folder / page).read_text(encoding="utf-8")))
                made.append(name)
    except (EndplateError, ImportError, OSError) as error:
        return made, str(error)
    return made, ""


def _zip(folder: Path, here: Path, made: list[str]) -> None:
    """What the list of our own files names there, as it was left, and the PDFs."""
    listed = read_manifest(folder)
    whole = [name for name, entry in listed.items() if standing(folder, name, entry) == "ours"]
    if not listed:  # a folder of before the list
        whole = [name for name in (DOCUMENT, PAGE) if (folder / name).is_file()]
        whole += [f"{VOLUMES}/{path.name}" for path in sorted((folder / VOLUMES).glob("*")) if path.is_file()]
    with atomic_path(here / ZIP) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in whole:
            archive.write(folder / name, name)
        for name in made:
            archive.write(here / name, name)

"""Result folders that were made by a command, opened as cases: their results stay where they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from endplate.errors import OptionError
from endplate.jobs import queue
from endplate.jobs.recognise import Dropped, quick_kind
from endplate.jobs.summary import summary_of
from endplate.report.manifest import file_sha256
from endplate.report.read_document import read_document
from endplate.store.audit import note_opened, opened_as
from endplate.store.cases import add_case, case_of_folder, case_row, change_case, inputs_of, set_input
from endplate.store.database import Store
from endplate.store.files import Files, keep_input

SCENE = "scene.json"
ROLES = ("ct", "labels", "record", "scheme")


def open_results(store: Store, files: Files, folder: Path, who: str) -> str:
    """The case of a results folder, made where there is none yet; returns its id.

    A case that was computed again since, such as after a reader corrected it, stays the one case of the folder: its own
    results are the newer ones. A folder that holds newer results still is a case of its own.

    Inputs that lie in the folder or beside it with the name and hash that the document states are kept with the case,
    so that it can be measured again and looked at: where the viewer has no pictures of these results yet, a job that
    makes them waits for the executor.

    Raises
    ------
    OptionError : the folder holds no case that can be read.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        raise OptionError(f"{folder} is no folder", "", "name the folder of an endplate run")
    document = read_document(folder)
    known = case_of_folder(store, folder)
    computed = None if known is not None else _computed_again(store, folder, document)
    if computed is not None:
        return computed
    case_id = known.id if known is not None else add_case(store, str(document["id"]), folder)
    patient = document.get("patient") or None
    values: dict[str, Any] = {"summary": summary_of(document, folder)}
    if known is None:
        values |= {"record": patient, "patient_id": (patient or {}).get("id")}
    fresh = known is None or known.summary != values["summary"]
    if fresh:
        change_case(store, case_id, values)
        note_opened(store, who, case_row(store, case_id), folder)
    for role, one in _inputs(document, folder).items():
        kind = quick_kind(one.path) or "nifti"
        set_input(store, case_id, role, keep_input(store, files, kind, [one.path]), one.name)
    if "labels" in inputs_of(store, case_id) and (fresh or not (files.view(case_id) / SCENE).is_file()):
        queue.submit(store, "view", f"Prepare the pictures of {case_row(store, case_id).name}", who, case_id)
    return case_id


def _computed_again(store: Store, folder: Path, document: Mapping[str, Any]) -> str | None:
    """The id of the case as which a folder was opened before, whose results were computed again elsewhere since."""
    case_id = opened_as(store, folder)
    row = None if case_id is None else case_row(store, case_id)
    if row is None or row.folder is None:
        return None
    newer = read_document(row.folder)["provenance"]["started"]
    return row.id if newer >= document["provenance"]["started"] else None


def _inputs(document: Mapping[str, Any], folder: Path) -> dict[str, Dropped]:
    """The single files that the case was read from, where they lie near it unchanged."""
    found: dict[str, Dropped] = {}
    for key, digest in document["provenance"].get("inputs", {}).items():
        role, _, name = str(key).partition(": ")
        if role not in ROLES or "/" in name or name.startswith("."):
            continue
        for place in (folder, folder.parent):
            path = place / name
            if path.is_file() and not path.is_symlink() and file_sha256(path) == digest:
                found[role] = Dropped(path=path, name=name)
                break
    return found

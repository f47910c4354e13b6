"""Files dropped on the worklist or on a case: taken in at once, recognised and measured by a job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from endplate.errors import EndplateError, InputError
from endplate.jobs.intake import record_in
from endplate.jobs.recognise import Dropped, is_record, quick_kind
from endplate.store.audit import note
from endplate.store.cases import CaseRow, add_case, case_row, case_with_files
from endplate.store.files import hash_of_file
from endplate.store.ids import new_id
from endplate.store.users import User
from endplate.web.access import Editor, TheBench, TheCase
from endplate.web.bench import Bench, start_job
from endplate.web.text import one_line
from endplate.web.unpack import discard, unpack

router = APIRouter(include_in_schema=False)
HOW: dict[str, tuple[str, dict[str, Any]]] = {
    "full": ("everything: shape, density, strength", {}),
    "coarse": ("quick look: strength of coarse elements", {"voxel_mm": 2.0, "nonlinear": False}),
    "shape": ("shape and density only", {"mechanics": False}),
}
"""How a case may be measured: words, and arguments of the job."""
HOW_WORDS = [(key, words) for key, (words, _) in HOW.items()]
LONGEST_FIELD, LONGEST_NAME = 400, 1000
Given = Sequence[tuple[str, IO[bytes]]]


@router.post("/cases")
async def new_case(request: Request, bench: TheBench, user: Editor) -> Response:
    """Begin a case with what was dropped, and start to measure it."""
    given, fields = await _given(request, bench)
    case = await run_in_threadpool(take_in, bench, user, given, None, fields)
    return _answer(request, case)


@router.post("/cases/{case_id}/files")
async def more_files(request: Request, bench: TheBench, user: Editor, case: TheCase) -> Response:
    """Add files to a case, or replace one of a kind, and measure it again."""
    given, fields = await _given(request, bench)
    return _answer(request, await run_in_threadpool(take_in, bench, user, given, case, fields))


async def _given(request: Request, bench: Bench) -> tuple[Given, dict[str, str]]:
    form = await request.form(max_files=bench.settings.upload_files, max_fields=20)
    files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and (one.filename or one.size)]
    fields = {name: one_line(value, LONGEST_FIELD) for name, value in form.items() if isinstance(value, str)}
    return [(one_line(one.filename or "", LONGEST_NAME) or "file", one.file) for one in files], fields


def take_in(bench: Bench, user: User, given: Given, case: CaseRow | None, fields: Mapping[str, str]) -> CaseRow:
    """Keep what was given and start the job that recognises and measures it; returns the case.

    Parameters
    ----------
    given : name and content of each file.
    case : that the files are added to; None begins one.
    fields : `name` of a new case, and `how` it is measured (of `HOW`).

    Raises
    ------
    InputError : a file that endplate does not read, a record that cannot be used, or files that another case was read
        from; nothing is kept then.
    """
    folder = bench.files.new_incoming()
    try:
        names = unpack(folder, given, bench.settings)
        for one in (Dropped(path=folder / number, name=name) for number, name in names.items()):
            # A record is small: it is refused at once, with the line that the command prints.
            if quick_kind(one.path) == "text" and is_record(one.path):
                record_in(one)
        if case is None:
            _refuse_known(bench, [folder / number for number in names])
    except (EndplateError, OSError):
        discard(folder)
        raise
    if case is None:
        name = fields.get("name") or _name_of(names)
        case = case_row(bench.store, add_case(bench.store, name))
        note(bench.store, user.name, "began the case", case)
    else:
        note(bench.store, user.name, "added files", case, ", ".join(names.values()))
    how = HOW.get(fields.get("how", ""), HOW["full"])[1]
    start_job(bench, user, "intake", f"Measure {case.name}", case, {"upload": folder.name, **how})
    return case


def _refuse_known(bench: Bench, paths: Sequence[Path]) -> None:
    """Refuse images that a case on the worklist was read from already, all of them and no others."""
    images = [path for path in paths if quick_kind(path) in ("nifti", "dicom")]
    known = case_with_files(bench.store, [hash_of_file(path) for path in images])
    if known is not None:
        raise InputError(
            f"these images are on the worklist already, as {known.name}", "one scan would be measured twice",
            "open that case; there it can be measured again, or given another record",
        )  # fmt: skip


def _name_of(names: dict[str, str]) -> str:
    """A name for a case: that of its first image without the ending."""
    images = [name for name in names.values() if ".nii" in name.lower()] or list(names.values())
    first = min(images, key=lambda name: ("label" in name.lower() or "seg" in name.lower(), name))
    for end in (".nii.gz", ".nii", ".dcm", ".zip", ".json", ".toml"):
        first = first.removesuffix(end)
    return first or f"case {new_id()[:6]}"


def _answer(request: Request, case: CaseRow) -> Response:
    """To a script the address of the case as JSON, to a form the worklist."""
    if "application/json" in request.headers.get("accept", ""):
        return Response(json.dumps({"ok": True, "case": case.id}), media_type="application/json")
    return RedirectResponse("/", 303)
